import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { createLogger, type Check } from "@trestle/core";
import { SlackEmulator } from "@trestle/slack-emulator";
import { freePort } from "../../../test/support/bounded.js";
import { configSchema, slackConnector } from "../dist/index.js";
import { SlackStage } from "./support/stage.js";

const log = createLogger({ level: "silent", format: "json" });
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function emulator(): Promise<SlackEmulator> {
  const slack = await SlackEmulator.start();
  closers.push(() => slack.stop());
  return slack;
}

function socketSettings(slack: SlackEmulator): Record<string, unknown> {
  const app = slack.app();
  return { apiUrl: slack.apiUrl, appToken: app.appToken, workspaces: [{ botToken: app.botToken() }] };
}

async function examine(settings: Record<string, unknown>): Promise<readonly Check[]> {
  const config = configSchema.parse({ timeout: 5, ...settings });
  const checks = (await slackConnector.doctor?.({ config, log, signal: new AbortController().signal })) ?? [];
  for (const { state, cure } of checks) if (state === "failed" || state === "warning") expect(cure).toBeTruthy();
  return checks;
}

const states = (checks: readonly Check[]): string[] => checks.map(({ check, state }) => `${check} ${state}`);
const wrong = (checks: readonly Check[]): string[] =>
  checks.filter(({ state }) => state === "failed" || state === "warning").map(({ text }) => text);

describe("what the doctor finds in Slack", () => {
  it("is in order where everything is, and changes nothing", async () => {
    const slack = await emulator();
    expect(states(await examine(socketSettings(slack)))).toEqual(["clock ok", "token ok", "scopes ok", "socket ok"]);
    expect(slack.calls().map(({ method }) => method)).toEqual([
      "api.test",
      "auth.test",
      "bots.info",
      "apps.connections.open",
    ]);
    expect(slack.app().connections).toBe(0);
  });

  it("takes no event from a bridge that runs", async () => {
    const stage = await SlackStage.open();
    closers.push(() => stage.close());
    const bob = stage.slack.workspace("acme").person("bob");
    const looking = new Set(["looking"]);
    const examined = examine(socketSettings(stage.slack)).finally(() => looking.clear());
    const said: string[] = [];
    while (looking.size > 0) {
      said.push(`while it looks ${said.length}`);
      bob.post("general", said.at(-1) ?? "");
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(wrong(await examined)).toEqual([]);
    expect(said.length).toBeGreaterThan(0);
    for (const text of said) await stage.saidOnMatrix(text);
  });

  it("is that nothing answers", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const checks = await examine({
      apiUrl: `http://127.0.0.1:${port}/api/`,
      appToken: "xapp-1-A1-1-a",
      workspaces: [{ botToken: "xoxb-1" }],
    });
    expect(states(checks)).toEqual(["reach failed"]);
    expect(wrong(checks)[0]).toContain(`127.0.0.1:${port}`);
  });

  it("is a token that is no longer good", async () => {
    const slack = await emulator();
    const settings = socketSettings(slack);
    slack.app().revoke(slack.app().botToken());
    const checks = await examine(settings);
    expect(states(checks)).toEqual(["clock ok", "token failed", "socket ok"]);
    expect(wrong(checks)[0]).toContain("workspaces[0].botToken");
  });

  it("is which scopes are missing, and whether anything can be bridged without them", async () => {
    const slack = await emulator();
    const app = slack.app();
    app.removeScopes(app.botToken(), "pins:read", "emoji:read");
    const some = await examine(socketSettings(slack));
    expect(states(some)).toContain("scopes warning");
    expect(wrong(some)).toEqual([expect.stringContaining("lacks scopes in Acme")]);
    expect(wrong(some)[0]).toMatch(/: emoji:read, pins:read\. It needs: .*chat:write/);
    app.removeScopes(app.botToken(), "chat:write");
    expect(states(await examine(socketSettings(slack)))).toContain("scopes failed");
  });

  it("is an app-level token that opens nothing, or Socket Mode that is off", async () => {
    const slack = await emulator();
    const settings = socketSettings(slack);
    const unknown = await examine({ ...settings, appToken: "xapp-1-A1-1-unknown" });
    expect(states(unknown)).toContain("socket failed");
    slack.app().setRequestUrl("http://127.0.0.1:9/slack/events");
    expect(states(await examine(settings))).toContain("socket failed");
  });

  it("is tokens of two apps", async () => {
    const slack = await emulator();
    const other = slack.addApp({ name: "Another", installations: [] });
    const checks = await examine({ ...socketSettings(slack), appToken: other.appToken });
    expect(states(checks)).toContain("app failed");
    expect(wrong(checks)[0]).toContain(slack.app().id);
    expect(states(await examine({ ...socketSettings(slack), appId: other.id }))).toContain("app failed");
  });

  it("is nothing where there is no app to look at", async () => {
    expect(
      states(
        await examine({
          mode: "webhook",
          webhooks: [
            {
              channel: "general",
              url: "https://hooks.slack.com/services/T0/B0/secret",
              tokens: ["a token of the webhook"],
            },
          ],
        }),
      ),
    ).toEqual(["mode skipped"]);
  });

  it("is two tokens of one workspace", async () => {
    const slack = await emulator();
    const botToken = slack.app().botToken();
    const checks = await examine({ ...socketSettings(slack), workspaces: [{ botToken }, { botToken }] });
    expect(wrong(checks)).toEqual([
      expect.stringMatching(/^workspaces\[1\]\.botToken is for Acme .* as workspaces\[0\]/),
    ]);
  });

  it("is a client id or secret that is not the app's", async () => {
    const slack = await emulator();
    const { clientId, clientSecret } = slack.app();
    const oauth = { clientId, clientSecret, redirectUrl: "https://slack.example.org/slack/oauth_redirect" };
    expect(states(await examine({ ...socketSettings(slack), oauth }))).toContain("oauth ok");
    const checks = await examine({ ...socketSettings(slack), oauth: { ...oauth, clientSecret: "another" } });
    expect(states(checks)).toContain("oauth failed");
  });

  it("is how far the clocks are apart", async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end('{"ok":true}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const settings = { apiUrl: `http://127.0.0.1:${port}/api/`, workspaces: [{ botToken: "xoxb-1" }] };
    const socket = await examine({ ...settings, appToken: "xapp-1-A1-1-a" });
    expect(socket[0]).toMatchObject({
      check: "clock",
      state: "warning",
      text: expect.stringContaining("ahead of Slack's"),
    });
    const http = await examine({ ...settings, mode: "http", signingSecret: "secret", http: { port: 1 } });
    expect(http[0]).toMatchObject({ check: "clock", state: "failed", text: expect.stringContaining("refuses") });
  });
});

describe("what the doctor finds of the Events API", () => {
  it("is whether the bridge takes Slack's requests, with the right secret, and from outside", async () => {
    const port = await freePort();
    const stage = await SlackStage.open({ mode: "http", network: { http: { port } } });
    closers.push(() => stage.close());
    const { slack } = stage;
    const { signingSecret, clientId, clientSecret } = slack.app();
    const settings = {
      apiUrl: slack.apiUrl,
      mode: "http",
      signingSecret,
      http: { port },
      workspaces: [{ botToken: slack.app().botToken() }],
    };
    expect(states(await examine(settings))).toEqual(["clock ok", "token ok", "scopes ok", "events ok"]);
    const other = await examine({ ...settings, signingSecret: "another" });
    expect(other.at(-1)).toMatchObject({ check: "events", state: "failed", text: expect.stringContaining("401") });
    const oauth = { clientId, clientSecret, redirectUrl: `http://127.0.0.1:${port}/slack/oauth_redirect` };
    expect(states(await examine({ ...settings, oauth })).slice(-2)).toEqual(["events ok", "events ok"]);
    const nowhere = { ...oauth, redirectUrl: "http://127.0.0.1:1/slack/oauth_redirect" };
    expect(states(await examine({ ...settings, oauth: nowhere })).slice(-2)).toEqual(["events ok", "events failed"]);
    await stage.stop();
    expect(states(await examine(settings)).at(-1)).toBe("events skipped");
  });
});
