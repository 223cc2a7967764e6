import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { z } from "zod";
import {
  InstallRoutes,
  Installations,
  Pacer,
  RotatingToken,
  SlackApi,
  SlackServer,
  Transport,
  type Token,
} from "../../dist/link/index.js";
import { FakeCore } from "./support/fake-core.js";
import { Stage, until } from "./support/stage.js";

const log = pino({ level: "silent" });
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Answer = Readonly<Record<string, unknown>>;

/** As much of Slack as an installation meets; each answer is what a test says. */
class FakeSlack {
  readonly calls: { readonly method: string; readonly token: string | undefined; readonly fields: URLSearchParams }[] =
    [];
  answers: Record<string, (fields: URLSearchParams, token: string | undefined) => Answer | undefined> = {};
  readonly api: SlackApi;
  #server: Server;

  private constructor(server: Server, api: SlackApi) {
    this.#server = server;
    this.api = api;
  }

  static async start(): Promise<FakeSlack> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const transport = new Transport();
    const url = `http://127.0.0.1:${port}/api/`;
    const pacer = new Pacer();
    const slack = new FakeSlack(
      server,
      new SlackApi({ url, timeoutMs: 5_000, history: "internal", pacer, transport, log }),
    );
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const method = (request.url ?? "").replace("/api/", "");
        const fields = new URLSearchParams(Buffer.concat(chunks).toString());
        const token = request.headers.authorization?.replace("Bearer ", "");
        slack.calls.push({ method, token, fields });
        const answer = slack.answers[method]?.(fields, token);
        if (answer === undefined) response.destroy();
        else response.end(JSON.stringify(answer));
      });
    });
    closers.push(async () => {
      await transport.close();
      slack.#server.closeAllConnections();
      slack.#server.close();
    });
    return slack;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }
}

const tested = {
  ok: true,
  url: "https://acme.slack.com/",
  team: "Acme",
  team_id: "T1",
  user_id: "U0BOT",
  bot_id: "B0BOT",
};

interface Opened {
  readonly slack: FakeSlack;
  readonly core: FakeCore;
  readonly installations: Installations;
  readonly url: string;
}

async function openInstall(userScopes: readonly string[] = []): Promise<Opened> {
  const slack = await FakeSlack.start();
  const core = new FakeCore();
  const credentials = { clientId: "1.2", clientSecret: "secret" };
  const { storage, report } = core.network;
  const installations = new Installations({ api: slack.api, storage, report, log, tokens: [], credentials });
  await installations.start();
  const routes = new InstallRoutes({
    api: slack.api,
    installations,
    log,
    ...credentials,
    redirectUrl: "https://bridge.example.org/slack/oauth_redirect",
    scopes: ["chat:write", "commands"],
    userScopes,
  });
  const server = new SlackServer({
    host: "127.0.0.1",
    port: 0,
    log,
    routes: { "GET /slack/install": routes.begin, "GET /slack/oauth_redirect": routes.complete },
  });
  const url = await server.listen();
  closers.push(
    () => server.close(),
    () => installations.close(),
  );
  return { slack, core, installations, url };
}

async function begin({ url }: Opened) {
  const response = await fetch(`${url}/slack/install`, { redirect: "manual" });
  const to = new URL(response.headers.get("location") ?? "");
  const cookie = response.headers.get("set-cookie") ?? "";
  return {
    status: response.status,
    to,
    cookie,
    pair: cookie.split(";")[0] ?? "",
    state: to.searchParams.get("state") ?? "",
  };
}

function comeBack({ url }: Opened, query: Readonly<Record<string, string>>, cookie?: string) {
  const search = new URLSearchParams(query).toString();
  return fetch(`${url}/slack/oauth_redirect?${search}`, { ...(cookie !== undefined && { headers: { cookie } }) });
}

const access = {
  ok: true,
  access_token: "xoxb-new",
  token_type: "bot",
  scope: "chat:write,commands",
  bot_user_id: "U0BOT",
  app_id: "A1",
  team: { id: "T1", name: "Acme" },
  enterprise: null,
  authed_user: { id: "U1" },
};

describe("installing the app in a workspace", () => {
  it("asks at Slack, and keeps what comes of it before it is used", async () => {
    const on = await openInstall(["chat:write"]);
    const first = await begin(on);
    expect(first.status).toBe(302);
    expect(first.to.origin + first.to.pathname).toBe("https://slack.com/oauth/v2/authorize");
    expect(Object.fromEntries(first.to.searchParams)).toEqual({
      client_id: "1.2",
      scope: "chat:write,commands",
      user_scope: "chat:write",
      redirect_uri: "https://bridge.example.org/slack/oauth_redirect",
      state: first.state,
    });
    expect(first.cookie).toMatch(/HttpOnly; SameSite=Lax; Secure/);
    on.slack.answers = { "oauth.v2.access": () => access, "auth.test": () => tested };
    const answer = await comeBack(on, { code: "c0de", state: first.state }, first.pair);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("installed in Acme")]);
    expect(Object.fromEntries(on.slack.calls[0]?.fields ?? [])).toMatchObject({
      client_id: "1.2",
      client_secret: "secret",
      code: "c0de",
    });
    expect(on.slack.calls[1]).toMatchObject({ method: "auth.test", token: "xoxb-new" });
    expect(on.installations.get("T1")?.installation).toMatchObject({
      name: "Acme",
      appId: "A1",
      botUser: "U0BOT",
      bot: "B0BOT",
    });
    // The next process knows it without asking Slack.
    const { storage, report } = on.core.network;
    const again = new Installations({ api: on.slack.api, storage, report, log, tokens: [] });
    await again.start();
    closers.push(() => again.close());
    on.slack.answers["team.info"] = (_, token) => ({ ok: true, token });
    const answered = await again.get("T1")?.call({ method: "team.info", answer: z.looseObject({ token: z.string() }) });
    expect(answered).toMatchObject({ ok: true, body: { token: "xoxb-new" } });
  });

  it("takes a state once, in the browser that began, and no invented one", async () => {
    const on = await openInstall();
    on.slack.answers = { "oauth.v2.access": () => access, "auth.test": () => tested };
    const { state, pair } = await begin(on);
    const other = await begin(on);
    expect((await comeBack(on, { code: "c", state: "invented" }, pair)).status).toBe(400);
    expect((await comeBack(on, { code: "c", state: other.state }, pair)).status).toBe(400);
    const good = await begin(on);
    expect((await comeBack(on, { code: "c", state: good.state })).status).toBe(400);
    expect((await comeBack(on, { code: "c", state }, pair)).status).toBe(200);
    expect((await comeBack(on, { code: "c", state }, pair)).status).toBe(400);
    expect(on.slack.count("oauth.v2.access")).toBe(1);
  });

  it("says what is wrong when the person declines or Slack refuses, and installs nothing", async () => {
    const on = await openInstall();
    const declined = await begin(on);
    const answer = await comeBack(on, { error: "access_denied", state: declined.state }, declined.pair);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("declined")]);
    on.slack.answers = { "oauth.v2.access": () => ({ ok: false, error: "invalid_code" }) };
    const refused = await begin(on);
    const second = await comeBack(on, { code: "c", state: refused.state }, refused.pair);
    expect([second.status, await second.text()]).toEqual([502, expect.stringContaining("invalid_code")]);
    expect(on.installations.all).toEqual([]);
    expect(on.core.stored.size).toBe(0);
  });
});

describe("a token that ends", () => {
  const hour = 3_600_000;
  let now = 0;

  async function rotating(
    token: Partial<Token> = {},
    store: (token: Token) => Promise<void> = () => Promise.resolve(),
  ) {
    const slack = await FakeSlack.start();
    now = 0;
    const start: Token = { value: "old", refresh: "r1", expiresAt: 12 * hour, lifetimeMs: 12 * hour, ...token };
    const credentials = { clientId: "1.2", clientSecret: "secret" };
    return {
      slack,
      token: new RotatingToken(start, { api: slack.api, team: "T1", credentials, store, log, now: () => now }),
    };
  }

  it("is renewed before it ends, once for all who ask, and is on disk before it is used", async () => {
    const events: string[] = [];
    const { slack, token } = await rotating({}, (fresh) => {
      events.push(`stored ${fresh.value} ${fresh.refresh ?? ""} until ${(fresh.expiresAt ?? 0) / hour}`);
      return Promise.resolve();
    });
    slack.answers["oauth.v2.access"] = (fields) => {
      events.push(`${fields.get("grant_type") ?? ""} ${fields.get("refresh_token") ?? ""}`);
      return { ok: true, access_token: "new", refresh_token: "r2", expires_in: 43_200 };
    };
    now = 9 * hour;
    expect(await token.current()).toEqual({ ok: true, body: "old" });
    now = 10.5 * hour;
    const all = await Promise.all([token.current(), token.current(), token.current()]);
    expect(all.map((each) => each.ok && each.body)).toEqual(["new", "new", "new"]);
    expect(events).toEqual(["refresh_token r1", "stored new r2 until 22.5"]);
    expect(await token.renew("old")).toEqual({ ok: true, body: "new" });
    expect(slack.count("oauth.v2.access")).toBe(1);
  });

  it("goes on being used while Slack is away, and no longer than it is good", async () => {
    const { token } = await rotating();
    now = 11 * hour;
    expect(await token.current()).toEqual({ ok: true, body: "old" });
    now = 12 * hour;
    expect(await token.current()).toMatchObject({ ok: false, failed: "retry" });
  });

  it("is not used while it cannot be written, and is not asked for a second time", async () => {
    let full = true;
    const { slack, token } = await rotating({}, () =>
      full ? Promise.reject(new Error("the disk is full")) : Promise.resolve(),
    );
    slack.answers["oauth.v2.access"] = () => ({
      ok: true,
      access_token: "new",
      refresh_token: "r2",
      expires_in: 43_200,
    });
    now = 11 * hour;
    expect(await token.current()).toEqual({ ok: true, body: "old" });
    full = false;
    expect(await token.current()).toEqual({ ok: true, body: "new" });
    expect(slack.count("oauth.v2.access")).toBe(1);
  });

  it("that ended all the same is renewed, and the request is made again", async () => {
    const slack = await FakeSlack.start();
    const core = new FakeCore();
    const { storage, report } = core.network;
    const credentials = { clientId: "1.2", clientSecret: "secret" };
    const installations = new Installations({ api: slack.api, storage, report, log, tokens: [], credentials });
    closers.push(() => installations.close());
    const token = { value: "old", refresh: "r1", expiresAt: Date.now() + 12 * hour, lifetimeMs: 12 * hour };
    const workspace = await installations.install({ id: "T1", name: "Acme", botUser: "U0BOT", scopes: [], token });
    slack.answers = {
      "oauth.v2.access": () => ({ ok: true, access_token: "new", refresh_token: "r2", expires_in: 43_200 }),
      "users.info": (_, used) => (used === "new" ? { ok: true } : { ok: false, error: "token_expired" }),
    };
    expect((await workspace.call({ method: "users.info", answer: z.looseObject({}) })).ok).toBe(true);
    expect(core.stored.get("installation:T1")).toContain("r2");
  });
});

describe("the tokens of the configuration", () => {
  it("are tried until Slack answers, and their events are taken meanwhile", async () => {
    const slack = await FakeSlack.start();
    const core = new FakeCore();
    const { storage, report } = core.network;
    const options = {
      api: slack.api,
      storage,
      report,
      log,
      tokens: ["xoxb-secret-token"],
      retryMinMs: 5,
      retryMaxMs: 10,
    };
    const first = new Installations(options);
    await first.start();
    expect(first.knows("T1")).toBe(true);
    await until(20_000, "several tries", () => (slack.count("auth.test") >= 3 ? true : undefined));
    expect([...core.statuses.values()].map(({ state }) => state)).toEqual(["waiting"]);
    slack.answers["auth.test"] = () => tested;
    await until(20_000, "the workspace", () => first.get("T1"));
    expect(first.knows("T2")).toBe(false);
    expect(core.statuses.get("workspace Acme (T1)")?.state).toBe("connected");
    await first.close();
    expect([...core.stored.values()].join()).not.toContain("xoxb-secret-token");
    // Known from the first moment on, though Slack is away.
    delete slack.answers["auth.test"];
    const second = new Installations(options);
    await second.start();
    expect([second.knows("T1"), second.knows("T2")]).toEqual([true, false]);
    await second.close();
  });
});

describe("a workspace that wants us no more", () => {
  it("is forgotten loudly when the app is removed", async () => {
    const stage = await Stage.open();
    closers.push(() => stage.close());
    await stage.start();
    await until(20_000, "the workspace", () => (stage.link.installations.all.length === 1 ? true : undefined));
    const name = [...stage.core.statuses.keys()].find((key) => key.startsWith("workspace ")) ?? "";
    stage.slack.app().uninstall("acme");
    await until(20_000, "the failure", () => (stage.core.statuses.get(name)?.state === "failed" ? true : undefined));
    expect(stage.core.statuses.get(name)?.detail).toMatch(/removed from the workspace|revoked in Slack/);
    expect(stage.link.installations.all).toEqual([]);
  });

  it("of an organisation is known by it", async () => {
    const slack = await FakeSlack.start();
    const core = new FakeCore();
    const { storage, report } = core.network;
    const installations = new Installations({ api: slack.api, storage, report, log, tokens: [] });
    closers.push(() => installations.close());
    await installations.install({
      id: "E1",
      name: "Org",
      botUser: "U",
      scopes: [],
      enterprise: "E1",
      token: { value: "t" },
    });
    expect(installations.knows("T7")).toBe(false);
    expect(installations.knows("T7", "E1")).toBe(true);
    expect(installations.get("T7")?.id).toBe("E1");
  });
});
