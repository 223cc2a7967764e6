import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SlackEmulator } from "@trestle/slack-emulator";
import { RawSocket } from "./support/raw-socket.js";
import { call, textAt } from "./support/client.js";

const options = { clock: "frozen" } as const;
let slack: SlackEmulator;
const sockets: RawSocket[] = [];

async function connect(): Promise<RawSocket> {
  const answer = await call(slack.apiUrl, slack.app().appToken, "apps.connections.open");
  const socket = await RawSocket.open(textAt(answer, "url"));
  sockets.push(socket);
  return socket;
}

function say(text: string, channel = "general"): void {
  slack.workspace().person("alice").post(channel, text);
}

beforeEach(async () => {
  slack = await SlackEmulator.start({
    ...options,
    apps: [
      {
        name: "Test App",
        botEvents: ["message.channels"],
        installations: [{ workspace: "acme", channels: ["general", "random"] }],
      },
    ],
  });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.cut();
  await slack.stop();
});

describe("sockets", () => {
  it("greet with the number of connections, and take a ticket only once", async () => {
    const answer = await call(slack.apiUrl, slack.app().appToken, "apps.connections.open");
    const first = await RawSocket.open(textAt(answer, "url"));
    sockets.push(first);
    expect(first.hello).toMatchObject({
      type: "hello",
      num_connections: 1,
      connection_info: { app_id: slack.app().id },
    });
    await expect(RawSocket.open(textAt(answer, "url"))).rejects.toThrow();
    expect((await connect()).hello).toMatchObject({ num_connections: 2 });
  });

  it("refuse an app-level token where a bot token is needed, and the other way round", async () => {
    expect(await call(slack.apiUrl, slack.app().botToken(), "apps.connections.open")).toMatchObject({
      ok: false,
      error: "not_allowed_token_type",
    });
    expect(await call(slack.apiUrl, slack.app().appToken, "auth.test")).toMatchObject({
      ok: false,
      error: "not_allowed_token_type",
    });
  });

  it("get each event on one connection only", async () => {
    const [one, two] = [await connect(), await connect()];
    for (let n = 0; n < 6; n++) say(`n${n}`);
    await one.waitFor(() => one.envelopes.length + two.envelopes.length >= 6);
    const texts = [...one.texts(), ...two.texts()].sort();
    expect(texts).toEqual(["n0", "n1", "n2", "n3", "n4", "n5"]);
    expect(one.envelopes).toHaveLength(3);
  });

  it("get an event again that was not acknowledged: at once, after a minute, after five, then never", async () => {
    const socket = await connect();
    say("hello");
    await socket.waitFor(() => socket.envelopes.length === 1);
    const attempts: unknown[] = [];
    for (const wait of [0, 60_000, 300_000]) {
      slack.clock.advance(3000);
      const before = socket.envelopes.length;
      await socket.settle();
      if (wait > 0) expect(socket.envelopes).toHaveLength(before);
      slack.clock.advance(wait);
      await socket.waitFor(() => socket.envelopes.length === attempts.length + 2);
      attempts.push(socket.envelopes.at(-1)?.retry_attempt);
    }
    expect(attempts).toEqual([1, 2, 3]);
    expect(socket.envelopes.map((envelope) => envelope.retry_reason)).toEqual(["", "timeout", "timeout", "timeout"]);
    expect(new Set(socket.envelopes.map((envelope) => envelope.payload.event_id)).size).toBe(1);
    expect(new Set(socket.envelopes.map((envelope) => envelope.envelope_id)).size).toBe(4);
    slack.clock.advance(3000);
    await slack.settled();
    const deliveries = slack.app().deliveries();
    expect(deliveries.map((delivery) => delivery.state)).toEqual(["failed"]);
    const took = deliveries[0]?.attempts.map(({ at, endedAt }) => (endedAt ?? Number.NaN) - at);
    expect(took).toEqual([3000, 3000, 3000, 3000]);
  });

  it("do not get an event again that was acknowledged", async () => {
    const socket = await connect();
    say("hello");
    await socket.waitFor(() => socket.envelopes.length === 1);
    socket.acknowledge();
    await slack.settled();
    slack.clock.advance(400_000);
    await socket.settle();
    expect(socket.envelopes).toHaveLength(1);
  });

  it("get an event on the other connection when the first broke before it acknowledged", async () => {
    const [one, two] = [await connect(), await connect()];
    say("hello");
    await one.waitFor(() => one.envelopes.length === 1);
    one.cut();
    await two.waitFor(() => two.envelopes.length === 1);
    expect(two.envelopes[0]).toMatchObject({ retry_attempt: 1, retry_reason: "connection_failed" });
  });

  it("may acknowledge on a connection that was asked to leave, but get nothing new on it", async () => {
    const [old, fresh] = [await connect(), await connect()];
    say("before");
    await old.waitFor(() => old.envelopes.length === 1);
    slack.app().askToLeave("refresh_requested", "oldest");
    await old.waitFor(() => old.frames.some((frame) => frame.type === "disconnect"));
    expect(old.frames.at(-1)).toMatchObject({ type: "disconnect", reason: "refresh_requested" });
    old.acknowledge();
    await slack.settled();
    for (let n = 0; n < 4; n++) say(`n${n}`);
    await fresh.waitFor(() => fresh.envelopes.length === 4);
    expect(old.envelopes).toHaveLength(1);
    slack.clock.advance(10_000);
    await old.closed;
  });

  it("turn away the eleventh connection", async () => {
    for (let n = 0; n < 10; n++) await connect();
    const answer = await call(slack.apiUrl, slack.app().appToken, "apps.connections.open");
    const eleventh = await RawSocket.open(textAt(answer, "url"));
    expect(eleventh.hello).toMatchObject({ type: "disconnect", reason: "too_many_websockets" });
    await eleventh.closed;
    expect(slack.app().connections).toBe(10);
  });

  it("are closed when the app-level token is revoked, which then opens no new ones", async () => {
    const socket = await connect();
    const { appToken } = slack.app();
    slack.app().revoke(appToken);
    await socket.waitFor(() => socket.frames.some((frame) => frame.reason === "link_disabled"));
    slack.clock.advance(10_000);
    await socket.closed;
    expect(await call(slack.apiUrl, appToken, "apps.connections.open")).toMatchObject({ error: "invalid_auth" });
    slack.app().restore(appToken);
    expect(await call(slack.apiUrl, appToken, "apps.connections.open")).toMatchObject({ ok: true });
  });
});

describe("faults of events", () => {
  it("lose, double and swap them, each as often as asked", async () => {
    const socket = await connect();
    const faults = [
      slack.faults.events({ kind: "lose", times: 1 }),
      slack.faults.events({ kind: "duplicate", times: 1 }),
      slack.faults.events({ kind: "reorder", times: 1 }),
    ];
    for (const text of ["lost", "twice", "late", "next", "plain"]) say(text);
    await socket.waitFor(() => socket.envelopes.length === 5);
    expect(socket.texts()).toEqual(["twice", "twice", "next", "late", "plain"]);
    expect(faults.map((fault) => [fault.hits, fault.active])).toEqual([
      [1, false],
      [1, false],
      [1, false],
    ]);
    const twice = socket.envelopes.slice(0, 2).map((envelope) => envelope.payload.event_id);
    expect(twice[0]).toBe(twice[1]);
  });

  it("lose acknowledgements until they are lifted", async () => {
    const socket = await connect();
    const fault = slack.faults.events({ kind: "lose_ack" });
    say("hello");
    await socket.waitFor(() => socket.envelopes.length === 1);
    socket.acknowledge();
    await socket.waitFor(() => socket.envelopes.length === 2);
    fault.lift();
    socket.acknowledge();
    await slack.settled();
    expect(
      slack
        .app()
        .deliveries()[0]
        ?.attempts.map((attempt) => attempt.result),
    ).toEqual(["timeout", "ok"]);
  });

  it("delay them", async () => {
    const socket = await connect();
    slack.faults.events({ kind: "delay", ms: 2000, times: 1 });
    say("slow");
    say("fast");
    await socket.waitFor(() => socket.envelopes.length === 1);
    slack.clock.advance(2000);
    await socket.waitFor(() => socket.envelopes.length === 2);
    expect(socket.texts()).toEqual(["fast", "slow"]);
  });
});

describe("slash commands over sockets", () => {
  it("are answered in the acknowledgement and at the response URL", async () => {
    const app = slack.addApp({ name: "Commander", commands: ["/matrix"], installations: [{ workspace: "acme" }] });
    const answer = await call(slack.apiUrl, app.appToken, "apps.connections.open");
    const socket = await RawSocket.open(textAt(answer, "url"));
    sockets.push(socket);
    const alice = slack.workspace().person("alice");
    const outcome = alice.command("general", "/matrix link #x");
    await socket.waitFor(() => socket.commands.length === 1);
    expect(socket.commands[0]?.payload).toMatchObject({
      command: "/matrix",
      text: "link #x",
      user_id: alice.id,
      channel_name: "general",
      api_app_id: app.id,
    });
    socket.acknowledge({ text: "working on it" });
    const { answered, text, responseUrl } = await outcome;
    expect([answered, text]).toEqual([true, "working on it"]);
    for (const type of ["ephemeral", "in_channel"]) {
      const response = await fetch(responseUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ text: `done ${type}`, response_type: type }),
      });
      expect(await response.text()).toBe("ok");
    }
    expect(alice.ephemerals("general")).toEqual(["working on it", "done ephemeral"]);
    expect(slack.workspace().person("bob").ephemerals("general")).toEqual([]);
    expect(slack.workspace().channel("general").texts()).toEqual(["done in_channel"]);
  });
});
