import type { Server } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackEmulator } from "@trestle/slack-emulator";
import { App, ExpressReceiver, HTTPReceiver, LogLevel, portOf } from "./support/bolt.js";
import { patiently } from "../../../test/support/bounded.js";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startSlack(): Promise<SlackEmulator> {
  const slack = await SlackEmulator.start({
    apps: [
      {
        name: "Test App",
        clientId: "1.2",
        clientSecret: "client secret",
        signingSecret: "s3cret",
        requestUrl: "http://127.0.0.1:9/",
        commands: ["/matrix"],
        installations: [{ workspace: "acme", channels: ["general"] }],
      },
    ],
  });
  closers.push(() => slack.stop());
  return slack;
}

function closeServer(server: Server): void {
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
}

describe.each(["HTTPReceiver", "ExpressReceiver"] as const)("unmodified bolt with %s", (kind) => {
  it("accepts Slack's signature, refuses another, and answers", async () => {
    const slack = await startSlack();
    const options = { signingSecret: "s3cret", logLevel: LogLevel.ERROR };
    const receiver = kind === "HTTPReceiver" ? new HTTPReceiver({ ...options, port: 0 }) : new ExpressReceiver(options);
    const bolt = new App({
      token: slack.app().botToken(),
      receiver,
      logLevel: LogLevel.ERROR,
      clientOptions: { slackApiUrl: slack.apiUrl },
    });
    bolt.message("hello", async ({ say }) => {
      await say("hi");
    });
    bolt.command("/matrix", async ({ ack, command }) => ack(`you said ${command.text}`));
    const server = (await bolt.start(0)) as Server;
    closeServer(server);
    slack.app().setRequestUrl(`http://127.0.0.1:${portOf(server)}/slack/events`);
    expect(await slack.app().verifyRequestUrl()).toBe(true);
    const alice = slack.workspace().person("alice");
    alice.post("general", "hello");
    await slack.workspace().channel("general").waitForMessage("hi");
    expect(await alice.command("general", "/matrix link")).toMatchObject({ answered: true, text: "you said link" });
    await slack.settled();
    const before = slack.app().deliveries().length;
    slack.app().setSigningSecret("another");
    alice.post("general", "hello again");
    const result = () => slack.app().deliveries()[before]?.attempts[0]?.result ?? "pending";
    for (const deadline = Date.now() + patiently(5_000); result() === "pending" && Date.now() < deadline;)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(result()).toBe("http_error");
    expect(slack.workspace().channel("general").texts()).toEqual(["hello", "hi", "hello again"]);
  });

  it("installs over OAuth and then acts with the tokens it got", async () => {
    const slack = await startSlack();
    const stored: { bot?: string | undefined; user?: string | undefined }[] = [];
    const options = {
      signingSecret: "s3cret",
      clientId: "1.2",
      clientSecret: "client secret",
      stateSecret: "state",
      scopes: ["chat:write", "channels:history"],
      logLevel: LogLevel.ERROR,
      installerOptions: {
        authorizationUrl: `${slack.url}/oauth/v2/authorize`,
        userScopes: ["chat:write"],
        clientOptions: { slackApiUrl: slack.apiUrl },
      },
      installationStore: {
        storeInstallation: async (installation: {
          bot?: { token: string } | undefined;
          user: { token?: string | undefined };
        }) => void stored.push({ bot: installation.bot?.token, user: installation.user.token }),
        fetchInstallation: () => Promise.reject(new Error("not asked")),
      },
    };
    const receiver = kind === "HTTPReceiver" ? new HTTPReceiver({ ...options, port: 0 }) : new ExpressReceiver(options);
    const bolt = new App({ receiver, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl: slack.apiUrl } });
    const server = (await bolt.start(0)) as Server;
    closeServer(server);
    const base = `http://127.0.0.1:${portOf(server)}`;
    slack.app().decide({ workspace: "acme", person: "bob" });
    const page = await fetch(`${base}/slack/install`, { redirect: "manual" });
    const link =
      page.headers.get("location") ?? /href="(http[^"]+)"/.exec(await page.text())?.[1]?.replace(/&amp;/g, "&") ?? "";
    const cookie = page.headers
      .getSetCookie()
      .map((each) => each.split(";")[0])
      .join("; ");
    const authorized = await fetch(link, { redirect: "manual" });
    // Without a redirect_uri of its own bolt relies on the one that is configured; here the emulator is told in the link.
    expect(authorized.status).toBe(400);
    const again = await fetch(`${link}&redirect_uri=${encodeURIComponent(`${base}/slack/oauth_redirect`)}`, {
      redirect: "manual",
    });
    const done = await fetch(again.headers.get("location") ?? "", { headers: { cookie } });
    expect(done.status).toBe(200);
    expect(stored).toEqual([{ bot: slack.app().botToken(), user: slack.app().userToken("acme", "bob") }]);
    expect(slack.calls("oauth.v2.access")).toHaveLength(1);
  });
});
