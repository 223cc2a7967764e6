import { afterEach, describe, expect, it } from "@jest/globals";
import { freePort } from "../../../../test/support/bounded.js";
import { Stage, until } from "./support/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** Follows what a browser would, with its cookies. */
async function browse(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const cookies = new Map<string, string>();
  let next = url;
  for (let hop = 0; hop < 5; hop += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(next, { redirect: "manual", headers: { cookie } });
    for (const each of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (each.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) return { status: response.status, text: await response.text() };
    next = new URL(location, next).href;
  }
  throw new Error("There was no end of redirections");
}

describe("installing the app by OAuth at the emulator", () => {
  it.each([false, true])("makes a workspace known, with token rotation: %s", async (tokenRotation) => {
    const port = await freePort();
    const redirectUrl = `http://127.0.0.1:${port}/slack/oauth_redirect`;
    const slack = {
      apps: [
        {
          name: "Test App",
          clientId: "1.2",
          clientSecret: "client-secret",
          tokenRotation,
          redirectUrls: [redirectUrl],
          installations: [],
        },
      ],
    };
    const oauth = { clientId: "1.2", clientSecret: "client-secret", redirectUrl };
    stage = await Stage.open({ slack, config: { workspaces: [], oauth, http: { port } } });
    await stage.start();
    expect(stage.link.installations.all).toEqual([]);
    const page = await browse(`http://127.0.0.1:${port}/slack/install`);
    expect(page).toEqual({ status: 200, text: expect.stringContaining("installed in Acme") });
    stage.slack.app().joinChannel("acme", "general");
    stage.alice.post("general", "hello");
    await stage.hears("hello");
    expect(stage.workspace.installation.botUser).toBe(stage.slack.app().botUserId("acme"));
    // Another process knows it too.
    await stage.restart();
    stage.alice.post("general", "hello again");
    await stage.hears("hello again");
    expect(stage.heard()).toEqual(["hello", "hello again"]);
  });
});

describe("slash commands", () => {
  it.each(["socket", "http"] as const)("are kept, and answered at once, by %s", async (mode) => {
    stage = await Stage.open({
      slack: {
        apps: [
          { name: "Test App", commands: ["/matrix"], installations: [{ workspace: "acme", channels: ["general"] }] },
        ],
      },
      config: { mode },
      link: { replyTo: ({ text }) => ({ response_type: "ephemeral", text: `${text}: under way` }) },
    });
    const on = stage;
    await on.start();
    await until(20_000, "the workspace", () => (on.link.installations.all.length === 1 ? true : undefined));
    const outcome = await on.alice.command("general", "/matrix link #room:example.org");
    expect(JSON.stringify(outcome)).toContain("link #room:example.org: under way");
    const [kept] = on.core.kept;
    expect([kept?.channel, on.core.kept.length]).toEqual([on.channel, 1]);
    expect(kept?.wire).toMatchObject({ from: "command", body: { command: "/matrix", text: "link #room:example.org" } });
    expect(JSON.stringify(kept?.wire)).not.toContain('"token"');
  });
});
