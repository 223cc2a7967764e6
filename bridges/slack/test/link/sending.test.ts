import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { EffectId, isFailure, type Outcome } from "@trestle/core";
import { pino } from "pino";
import { z } from "zod";
import { Pacer, SlackApi, Transport } from "../../dist/link/index.js";
import { freePort, patiently } from "../../../../test/support/bounded.js";
import { Stage, until } from "./support/stage.js";

let stage: Stage | undefined;
let server: Server | undefined;
let transport: Transport | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
  await transport?.close();
  transport = undefined;
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function open(): Promise<Stage> {
  stage = await Stage.open();
  await stage.start();
  await until(20_000, "the workspace", () => (stage?.link.installations.all.length === 1 ? true : undefined));
  return stage;
}

let effects = 0;
const newEffect = (): EffectId => EffectId(`effect${++effects}`);

function post(on: Stage, text: string, channel = on.general.id, effect = newEffect()): Promise<Outcome> {
  return on.link.poster.post({ workspace: on.workspace, channel, effect, arguments: { text } });
}

const failed = (outcome: Outcome): string | undefined => (isFailure(outcome) ? outcome.failed : undefined);

describe("sending", () => {
  it("posts, and is told the message's ts", async () => {
    const on = await open();
    const outcome = await post(on, "hello");
    expect(on.general.texts()).toEqual(["hello"]);
    expect(outcome).toEqual({ id: on.general.messages().find(({ text }) => text === "hello")?.ts });
  });

  it("says what a refusal means and that it is final", async () => {
    const on = await open();
    const outcome = await post(on, "hello", "C0NOSUCH");
    expect(outcome).toMatchObject({ failed: "permanent", code: "channel_not_found" });
    expect(isFailure(outcome) && outcome.reason).toContain("invite the bot");
  });

  it("does not post again when the answer was lost, whether Slack did it or not", async () => {
    const on = await open();
    for (const kind of ["drop_after", "hang_after", "drop_before", "hang_before"] as const) {
      // Without the event that comes back, the history alone must tell.
      const silence = on.slack.faults.events({ kind: "lose" });
      const effect = newEffect();
      const since = Date.now();
      on.slack.faults.api({ kind, method: "chat.postMessage", times: 1 });
      expect(failed(await post(on, kind, on.general.id, effect))).toBe("uncertain");
      const wanted = { workspace: on.workspace, channel: on.general.id, effect, since };
      const found = await on.link.poster.findSent(wanted);
      const there = on.general.messages().find(({ text }) => text === kind);
      expect(there !== undefined).toBe(kind.endsWith("after"));
      expect(found).toEqual(there ? { id: there.ts } : null);
      if (!found) await post(on, kind, on.general.id, effect);
      expect(on.general.texts().filter((text) => text === kind)).toEqual([kind]);
      expect(await on.link.poster.findSent(wanted)).toEqual({
        id: on.general.messages().find(({ text }) => text === kind)?.ts,
      });
      silence.lift();
    }
  });

  it("finds a lost message by its echo alone, without asking Slack", async () => {
    const on = await open();
    const effect = newEffect();
    on.slack.faults.api({ kind: "drop_after", method: "chat.postMessage", times: 1 });
    expect(failed(await post(on, "hello", on.general.id, effect))).toBe("uncertain");
    await on.hears("hello");
    const asked = on.slack.calls("conversations.history").length;
    const found = await on.link.poster.findSent({
      workspace: on.workspace,
      channel: on.general.id,
      effect,
      since: Date.now(),
    });
    expect(found).toEqual({ id: on.general.messages()[0]?.ts });
    // Only the look for what was missed at the start has asked.
    expect(on.slack.calls("conversations.history").length).toBe(asked);
  });

  it("finds an answer in a thread, and knows that what was never sent is not there", async () => {
    const on = await open();
    const root = on.alice.post("general", "question");
    const silence = on.slack.faults.events({ kind: "lose" });
    const effect = newEffect();
    on.slack.faults.api({ kind: "drop_after", method: "chat.postMessage", times: 1 });
    const since = Date.now();
    const { workspace } = on;
    await on.link.poster.post({
      workspace,
      channel: on.general.id,
      effect,
      thread: root.ts,
      arguments: { text: "answer" },
    });
    const wanted = { workspace, channel: on.general.id, effect, since, thread: root.ts };
    expect(await on.link.poster.findSent(wanted)).toEqual({ id: on.general.thread(root.ts)[1]?.ts });
    expect(await on.link.poster.findSent({ ...wanted, effect: newEffect() })).toBeNull();
    silence.lift();
  });

  it("rejects where Slack does not say what it has", async () => {
    const on = await open();
    on.slack.faults.api({ kind: "status", status: 500, method: "conversations.history" });
    const wanted = { workspace: on.workspace, channel: on.general.id, effect: newEffect(), since: Date.now() };
    await expect(on.link.poster.findSent(wanted)).rejects.toThrow("HTTP status 500");
  });

  it("leaves a channel alone that Slack wants left alone, and no other channel and no other method", async () => {
    const on = await open();
    const random = on.slack.workspace().channel("random").id;
    const limit = on.slack.faults.api({
      kind: "rate_limit",
      method: "chat.postMessage",
      channel: on.general.id,
      retryAfter: 60,
    });
    expect(await post(on, "one")).toMatchObject({ failed: "retry", afterMs: 60_000 });
    expect(limit.hits).toBe(1);
    // It is not even tried.
    expect(failed(await post(on, "one"))).toBe("retry");
    expect(limit.hits).toBe(1);
    expect(failed(await post(on, "two", random))).toBeUndefined();
    const info = { method: "conversations.info", arguments: { channel: on.general.id }, answer: z.looseObject({}) };
    expect((await on.workspace.call(info)).ok).toBe(true);
    expect(on.slack.workspace().channel("random").texts()).toEqual(["two"]);
  });

  it("says of a refused token that it is refused, and comes back when it is good again", async () => {
    const on = await open();
    const token = on.slack.app().botToken();
    const name = [...on.core.statuses.keys()].find((key) => key.startsWith("workspace")) ?? "";
    expect(on.core.statuses.get(name)?.state).toBe("connected");
    on.slack.app().revoke(token);
    expect(failed(await post(on, "hello"))).toBe("retry");
    expect(on.core.statuses.get(name)).toMatchObject({
      state: "failed",
      detail: expect.stringContaining("install the app again"),
    });
  });
});

/** An answer of a server that is not Slack. */
async function answered(answer: (response: ServerResponse) => void, method?: string, timeoutMs?: number) {
  server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return call(`http://127.0.0.1:${port}/api/`, method, timeoutMs);
}

async function call(url: string, method = "chat.postMessage", timeoutMs = patiently(5_000)) {
  transport = new Transport({ connectTimeoutMs: patiently(5_000) });
  const log = pino({ level: "silent" });
  const api = new SlackApi({ url, timeoutMs, history: "internal", pacer: new Pacer(), transport, log });
  return api.call({
    team: "T1",
    token: "xoxb-1",
    method,
    arguments: { channel: "C1" },
    answer: z.looseObject({ ts: z.string() }),
  });
}

describe("an answer of Slack", () => {
  const json = (value: unknown) => (response: ServerResponse) => response.end(JSON.stringify(value));

  it("is uncertain where it may have been done, and surely not done where it cannot have been", async () => {
    const writes = async (answer: (response: ServerResponse) => void, timeoutMs?: number): Promise<unknown> => {
      const result = await answered(answer, undefined, timeoutMs);
      return result.ok ? "ok" : result.failed;
    };
    expect(await writes(json({ ok: true, ts: "1.0" }))).toBe("ok");
    expect(await writes((response) => response.writeHead(500).end())).toBe("uncertain");
    expect(await writes((response) => response.writeHead(503).end())).toBe("uncertain");
    expect(await writes((response) => response.destroy())).toBe("uncertain");
    expect(await writes(() => undefined, patiently(500))).toBe("uncertain");
    expect(await writes((response) => response.end("<html>"))).toBe("uncertain");
    expect(await writes(json({ ok: true }))).toBe("uncertain");
    expect(await writes(json({ ok: false, error: "internal_error" }))).toBe("uncertain");
    expect(await writes(json({ ok: false, error: "fatal_error" }))).toBe("uncertain");
    expect(await writes(json({ ok: false, error: "service_unavailable" }))).toBe("retry");
    expect(await writes(json({ ok: false, error: "ratelimited" }))).toBe("retry");
    expect(await writes(json({ ok: false, error: "invalid_auth" }))).toBe("retry");
    expect(await writes(json({ ok: false, error: "is_archived" }))).toBe("permanent");
    expect(await writes(json({ ok: false, error: "something_new" }))).toBe("permanent");
    expect(await writes(json({ ok: false }))).toBe("permanent");
    expect(await writes((response) => response.writeHead(404).end())).toBe("permanent");
  });

  it("is no doubt where nothing is changed: a request for facts is made again", async () => {
    expect(await answered((response) => response.destroy(), "users.info")).toMatchObject({ failed: "retry" });
    expect(await answered((response) => response.writeHead(502).end(), "users.info")).toMatchObject({
      failed: "retry",
    });
    expect(await answered(json({ ok: true }), "users.info")).toMatchObject({
      failed: "permanent",
      code: "unexpected_answer",
    });
  });

  it("is surely none where nothing could be sent", async () => {
    const port = await freePort();
    expect(await call(`http://127.0.0.1:${port}/api/`)).toMatchObject({
      failed: "retry",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
    expect(await call("http://slack.invalid/api/")).toMatchObject({ failed: "retry" });
  });

  it("names the scope that is missing", async () => {
    const result = await answered(
      json({ ok: false, error: "missing_scope", needed: "chat:write", provided: "commands" }),
    );
    expect(result).toMatchObject({ failed: "permanent", reason: expect.stringContaining("needed: chat:write") });
  });

  it("says how long to wait, also where it says so badly, and never longer than ten minutes", async () => {
    const limited = (value?: string) => (response: ServerResponse) =>
      response.writeHead(429, value === undefined ? {} : { "retry-after": value }).end();
    expect(await answered(limited("7"))).toMatchObject({ failed: "retry", afterMs: 7_000 });
    expect(await answered(limited())).toMatchObject({ failed: "retry", afterMs: 30_000 });
    expect(await answered(limited("soon"))).toMatchObject({ failed: "retry", afterMs: 30_000 });
    expect(await answered(limited("86400"))).toMatchObject({ failed: "retry", afterMs: 600_000 });
  });

  it("is asked for with the token of the request, whichever was asked with before", async () => {
    const tokens: (string | undefined)[] = [];
    server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      request.resume();
      response.end('{"ok":true}');
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    transport = new Transport();
    const api = new SlackApi({
      url: `http://127.0.0.1:${port}/api`,
      timeoutMs: patiently(2_000),
      history: "internal",
      pacer: new Pacer(),
      transport,
      log: pino({ level: "silent" }),
    });
    for (const token of ["xoxb-1", "xoxb-2"])
      await api.call({ team: "T", token, method: "auth.test", answer: z.looseObject({}) });
    await api.call({ team: "T", method: "oauth.v2.access", answer: z.looseObject({}) });
    expect(tokens).toEqual(["Bearer xoxb-1", "Bearer xoxb-2", undefined]);
  });

  it("is given up when nobody waits for it any more", async () => {
    transport = new Transport();
    server = createServer((request) => request.resume());
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const api = new SlackApi({
      url: `http://127.0.0.1:${port}/api/`,
      timeoutMs: 60_000,
      history: "internal",
      pacer: new Pacer(),
      transport,
      log: pino({ level: "silent" }),
    });
    const controller = new AbortController();
    const calling = api.call({
      team: "T",
      method: "chat.postMessage",
      answer: z.looseObject({}),
      signal: controller.signal,
    });
    server.once("request", () => controller.abort());
    expect(await calling).toMatchObject({ failed: "uncertain" });
  });
});
