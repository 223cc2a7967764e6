import { connect } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { signatureOf } from "../../dist/link/index.js";
import { Stage, until, type StageOptions } from "./support/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(options: StageOptions = {}): Promise<Stage> {
  stage = await Stage.open({ ...options, config: { mode: "http", ...options.config } });
  await stage.start();
  await until(20_000, "the workspace", () => (stage?.link.installations.all.length === 1 ? true : undefined));
  return stage;
}

interface Request {
  readonly body: string;
  readonly at?: number;
  readonly secret?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

async function send(
  on: Stage,
  { body, at = Date.now(), secret, path = "/slack/events", headers, method = "POST" }: Request,
) {
  const timestamp = String(Math.round(at / 1_000));
  const response = await fetch(`${on.link.address ?? ""}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": signatureOf(secret ?? on.slack.app().signingSecret, timestamp, body),
      ...headers,
    },
    ...(method === "POST" && { body }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

let count = 0;
function event(on: Stage, text: string, changes: Readonly<Record<string, unknown>> = {}): string {
  // Newer than the beginning: of something older that Slack does not have it would be said that it was deleted.
  const ts = `${Math.floor(Date.now() / 1_000) + 60}.${String(++count).padStart(6, "0")}`;
  return JSON.stringify({
    type: "event_callback",
    event_id: `Ev${count}`,
    api_app_id: on.slack.app().id,
    team_id: on.team,
    event: { type: "message", channel: on.general.id, user: on.alice.id, text, ts, event_ts: ts },
    ...changes,
  });
}

describe("the Events API over HTTP", () => {
  it("brings what people write, in order, each once", async () => {
    const on = await open();
    const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    for (const text of texts) on.alice.post("general", text);
    await on.hears(...texts);
    await on.slack.settled();
    expect(on.heard()).toEqual(texts);
    expect(
      new Set(
        on.slack
          .app()
          .deliveries()
          .map(({ state }) => state),
      ),
    ).toEqual(new Set(["delivered"]));
  });

  it("answers 200 when the event is on disk, and not before", async () => {
    const on = await open();
    let keep = (): void => undefined;
    const disk = new Promise<void>((resolve) => (keep = resolve));
    on.core.beforeKeeping = () => disk;
    let status: number | undefined;
    const sent = send(on, { body: event(on, "hello") }).then((answer) => (status = answer.status));
    // Another request is answered meanwhile, so that the first one could have been.
    expect((await send(on, { body: "{}" })).status).toBe(200);
    expect(status).toBeUndefined();
    keep();
    expect(await sent).toBe(200);
    await on.hears("hello");
  });

  it("answers 503 when the disk refuses, and takes the very same request afterwards", async () => {
    const on = await open();
    on.core.beforeKeeping = () => Promise.reject(new Error("the disk is full"));
    const request = { body: event(on, "hello"), at: Date.now() };
    expect((await send(on, request)).status).toBe(503);
    expect(on.core.kept).toEqual([]);
    on.core.beforeKeeping = () => Promise.resolve();
    expect((await send(on, request)).status).toBe(200);
    await on.hears("hello");
    expect(on.heard()).toEqual(["hello"]);
  });

  it("answers a replay no sooner than the request itself", async () => {
    const on = await open();
    let refuse = (): void => undefined;
    const disk = new Promise<void>((_, reject) => (refuse = () => reject(new Error("the disk is full"))));
    on.core.beforeKeeping = () => disk;
    const request = { body: event(on, "hello"), at: Date.now() };
    const answers = Promise.all([send(on, request), send(on, request)]);
    expect((await send(on, { body: "{}" })).status).toBe(200);
    refuse();
    expect((await answers).map(({ status }) => status)).toEqual([503, 503]);
  });

  it("takes a retry with its number, and drops it when it has the event", async () => {
    const on = await open();
    const body = event(on, "hello");
    expect((await send(on, { body, at: Date.now() - 10_000 })).status).toBe(200);
    const retry = { "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout" };
    expect((await send(on, { body, headers: retry })).status).toBe(200);
    expect(on.core.repetitions).toBe(1);
    expect((await send(on, { body: event(on, "again"), headers: retry })).status).toBe(200);
    await on.hears("again");
    expect(on.core.kept.map(({ wire }) => (wire as { retryNum?: number }).retryNum)).toEqual([undefined, 1]);
  });

  it("refuses what is not signed, signed by another, old or ahead of its time; a replay has no effect", async () => {
    const on = await open();
    const body = event(on, "hello");
    expect((await send(on, { body, secret: "somebody else" })).status).toBe(401);
    expect((await send(on, { body, at: Date.now() - 400_000 })).status).toBe(401);
    expect((await send(on, { body, at: Date.now() + 400_000 })).status).toBe(401);
    expect((await send(on, { body, headers: { "x-slack-signature": "" } })).status).toBe(401);
    expect(on.core.kept).toEqual([]);
    const request = { body, at: Date.now() };
    expect((await send(on, request)).status).toBe(200);
    await send(on, request);
    await send(on, { ...request, headers: { "x-slack-retry-num": "1" } });
    expect(on.core.kept).toHaveLength(1);
    // They did not even get as far as the core.
    expect(on.core.repetitions).toBe(0);
  });

  it("answers the challenge after the signature, and the certificate check without", async () => {
    const on = await open();
    const body = JSON.stringify({ type: "url_verification", challenge: "3eZbrw1aB", token: "x" });
    expect(await send(on, { body })).toMatchObject({ status: 200, text: "3eZbrw1aB" });
    expect(await send(on, { body, secret: "somebody else" })).toMatchObject({ status: 401 });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(
      (await send(on, { body: "ssl_check=1&token=x", headers: { ...form, "x-slack-signature": "" } })).status,
    ).toBe(200);
    const smuggled = "ssl_check=1&command=%2Fmatrix&team_id=T1&channel_id=C1&user_id=U1&trigger_id=1";
    expect((await send(on, { body: smuggled, headers: { ...form, "x-slack-signature": "" } })).status).toBe(401);
  });

  it("acknowledges events of workspaces it does not know, and refuses those of another app", async () => {
    const on = await open();
    expect((await send(on, { body: event(on, "x", { team_id: "T0UNKNOWN" }) })).status).toBe(200);
    const foreign = await send(on, { body: event(on, "x", { api_app_id: "A0OTHER" }) });
    expect([foreign.status, foreign.headers.get("x-slack-no-retry")]).toEqual([403, "1"]);
    expect(on.core.kept).toEqual([]);
  });

  it("takes nonsense for nonsense, and goes on", async () => {
    const on = await open();
    for (const body of ["null", "7", "[]", "{}", '{"type":"event_callback"}', '{"type":"event_callback","event":null}'])
      expect((await send(on, { body })).status).toBe(200);
    expect((await send(on, { body: "{" })).status).toBe(400);
    expect((await send(on, { body: "x", path: "/elsewhere" })).status).toBe(404);
    expect((await send(on, { body: "", method: "GET" })).status).toBe(405);
    expect((await send(on, { body: event(on, "x".repeat(1024 * 1024)) })).status).toBe(413);
    expect(on.core.kept).toEqual([]);
    expect((await send(on, { body: event(on, "fine") })).status).toBe(200);
    await on.hears("fine");
  });

  it("is not stopped by a sender that breaks off", async () => {
    const on = await open();
    const { hostname, port } = new URL(on.link.address ?? "");
    const socket = connect(Number(port), hostname);
    socket.write("POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    expect((await send(on, { body: event(on, "fine") })).status).toBe(200);
  });

  it("keeps a slash command, and answers the person at once", async () => {
    const on = await open({ link: { replyTo: ({ command, text }) => ({ text: `${command} ${text}: under way` }) } });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const fields = {
      command: "/matrix",
      text: "link #room:example.org",
      team_id: on.team,
      channel_id: on.general.id,
      user_id: on.alice.id,
      trigger_id: "13345224609.738474920.8088930838d88f008e0",
      api_app_id: on.slack.app().id,
      ssl_check: "1",
    };
    const body = new URLSearchParams(fields).toString();
    const answer = await send(on, { body, path: "/slack/commands", headers: form });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      200,
      { text: "/matrix link #room:example.org: under way" },
    ]);
    expect((await send(on, { body, at: Date.now() - 5_000, headers: form })).status).toBe(200);
    expect(on.core.kept.map(({ id, channel }) => [id, channel])).toEqual([
      [`command:${fields.trigger_id}`, on.channel],
    ]);
    expect(on.core.repetitions).toBe(1);
  });
});
