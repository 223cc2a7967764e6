import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  ChannelId,
  EffectId,
  EventId,
  isFailure,
  type Outcome,
  type ReactEffect,
  type RedactEffect,
  RemoteMessageId,
  RoomId,
  UserId,
} from "@trestle/core";
import { type Capability, IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const REDACTION: Capability = "draft/message-redaction";

let server: IrcServer;
let person: IrcTestClient;
let bridge: RunningBridge;

beforeEach(async () => {
  server = await IrcServer.start({ without: ["draft/multiline"] });
  person = await personNamed("Carol");
  bridge = await start();
});

afterEach(async () => {
  await bridge.end();
  person.close();
  await server.stop();
});

async function personNamed(nick: string): Promise<IrcTestClient> {
  const caps = ["message-tags", "echo-message", REDACTION];
  const client = await IrcTestClient.connect({ port: server.port, nick, caps });
  await client.join("#room");
  return client;
}

async function start(
  more: Parameters<typeof networkOn>[1] = {},
  config: { grace?: number; onStop?: "keep" | "quit" } = {},
  core?: RunningBridge["core"],
): Promise<RunningBridge> {
  const started = await RunningBridge.start({
    networks: [networkOn(server.port, more)],
    config: { onStop: "quit", ...config },
    ...(core ? { core } : { channels: ["net/#room"] }),
  });
  return await started.ready();
}

async function restart(more: Parameters<typeof networkOn>[1], without: readonly Capability[] = []): Promise<void> {
  await bridge.end();
  for (const name of without) server.setCapability(name, false);
  bridge = await start(more);
}

let effects = 0;

function effect(user: string, more: { readonly channel?: ChannelId; readonly maybeSent?: boolean; id?: string } = {}) {
  return {
    effect: EffectId(more.id ?? `r${++effects}`),
    attempt: 1,
    maybeSent: more.maybeSent ?? false,
    channel: more.channel ?? room,
    room: RoomId("!room"),
    event: EventId("$r"),
    author: { userId: UserId(`@${user.toLowerCase()}:example.org`), name: user },
    at: Date.now(),
    signal: AbortSignal.timeout(patiently(20_000)),
  };
}

const reaction = (target: string, key: string, user = "Bob", more: Parameters<typeof effect>[1] = {}): ReactEffect => ({
  ...effect(user, more),
  target: RemoteMessageId(target),
  key,
});

const redaction = (target: readonly string[], user: string, reason?: string): RedactEffect => ({
  ...effect(user),
  target: target.map(RemoteMessageId),
  ...(reason === undefined ? {} : { reason }),
});

/** Says something on Matrix; the ids of its lines. */
async function say(text: string, name = "Alice", more: { channel?: ChannelId; answers?: string } = {}) {
  const user = `@${name.toLowerCase()}:example.org`;
  const outcomes = await bridge.say({ channel: room, text, name, user, ...more });
  return outcomes.map(idOf);
}

function idOf(outcome: Outcome): string {
  if (!outcome || isFailure(outcome) || outcome.id === undefined) throw new Error(JSON.stringify(outcome));
  return outcome.id;
}

/** Tries again while the bridge is starting. */
async function repeatedly(attempt: () => Promise<Outcome>): Promise<Outcome> {
  for (;;) {
    const outcome = await attempt();
    if (!isFailure(outcome) || outcome.failed === "permanent") return outcome;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Says something on IRC; its id. */
async function hear(text: string): Promise<string> {
  person.say("#room", text);
  await bridge.core.until(text, () => bridge.core.texts().includes(text));
  return bridge.core.messages().at(-1)!.id;
}

/** Everything of the bridge in the channel: who, which tags or text. */
/** What people see in the channel: all but what was deleted. */
const shown = () => {
  const { log, redactions } = server.channel("#room");
  const deleted = new Set(redactions.map(({ msgid }) => msgid));
  return log
    .filter(({ from, tags }) => from !== "Carol" && !deleted.has(tags["msgid"] ?? ""))
    .map(({ from, command, text, tags }) => {
      const own = Object.entries(tags).filter(([key]) => key.startsWith("+"));
      return [from, command, ...(command === "TAGMSG" ? [] : [text]), ...own.map((pair) => pair.join("=")).sort()];
    });
};

describe("from Matrix", () => {
  it("a reaction is its person's, and is taken back", async () => {
    const [id] = await say("hello");
    expect(await bridge.handlers.react!(reaction(id!, "👍"))).toEqual({ id: expect.any(String) });
    expect(await bridge.handlers.unreact!(reaction(id!, "👍"))).toEqual({ id: expect.any(String) });
    expect(shown()).toEqual([
      ["Alice[m]", "PRIVMSG", "hello"],
      ["Bob[m]", "TAGMSG", "+draft/react=👍", `+draft/reply=${id}`],
      ["Bob[m]", "TAGMSG", `+draft/reply=${id}`, "+draft/unreact=👍"],
    ]);
    await person.waitForLine(/:Bob\[m\]!\S+ TAGMSG #Room/i);
  });

  it("a reply names what it answers, in its first line alone", async () => {
    const id = await hear("a question");
    await say("an answer\nin two lines", "Alice", { answers: id });
    expect(shown()).toEqual([
      ["Alice[m]", "PRIVMSG", "an answer", `+draft/reply=${id}`],
      ["Alice[m]", "PRIVMSG", "in two lines"],
    ]);
  });

  it("nothing that a person can type breaks out of a tag", async () => {
    const [id] = await say("hello");
    const evil = "x;+draft/typing=1 \\ \r\nQUIT :evil\0";
    await bridge.handlers.react!(reaction(id!, evil));
    expect(shown().at(-1)).toEqual([
      "Bob[m]",
      "TAGMSG",
      "+draft/react=x;+draft/typing=1 \\  QUIT :evil",
      `+draft/reply=${id}`,
    ]);
    expect(server.nicks).toContain("Bob[m]");
  });

  it("no reaction is said that IRC cannot show", async () => {
    const [id] = await say("hello");
    for (const key of ["mxc://example.org/picture", "", "x".repeat(300)])
      expect(await bridge.handlers.react!(reaction(id!, key))).toBeUndefined();
    expect(shown()).toHaveLength(1);
    expect(server.nicks).not.toContain("Bob[m]");
  });

  it("nobody reacts, and nobody connects for it, where the server passes no tags on", async () => {
    const [id] = await say("hello");
    await restart({}, ["message-tags"]);
    expect(await bridge.handlers.react!(reaction(id!, "👍"))).toBeUndefined();
    expect(await bridge.handlers.unreact!(reaction(id!, "👍"))).toBeUndefined();
    expect(await bridge.handlers.redact!(redaction([id!], "Bob"))).toBeUndefined();
    expect(server.nicks).not.toContain("Bob[m]");
    expect(shown()).toHaveLength(1);
  });

  it("nothing points to a message that has no id on IRC", async () => {
    server.setMsgid(false);
    const id = await hear("hello");
    expect(await bridge.handlers.react!(reaction(id, "👍"))).toBeUndefined();
    await bridge.say({ channel: room, text: "an answer", answers: id });
    expect(shown()).toEqual([["alice[m]", "PRIVMSG", "an answer"]]);
  });

  it("the bot reacts where there are no puppets", async () => {
    await restart({ puppets: false });
    const id = await hear("hello");
    await bridge.handlers.react!(reaction(id, "👍"));
    expect(shown()).toEqual([["trestle", "TAGMSG", "+draft/react=👍", `+draft/reply=${id}`]]);
  });

  it.each([
    ["a server that offers everything", []],
    ["a server without labels", ["labeled-response", "batch"]],
    ["a server without echoes", ["labeled-response", "batch", "echo-message"]],
  ] as const)("what was done before a crash is not done again: %s", async (_name, without) => {
    await bridge.end();
    for (const name of without) server.setCapability(name, false);
    bridge = await start({}, { onStop: "keep", grace: 30 });
    const id = await hear("hello");
    const [own] = await say("an answer");
    await bridge.handlers.react!(reaction(id, "👍", "Bob", { id: "again" }));
    const redacted = { ...redaction([own!], "Alice"), effect: EffectId("gone") };
    expect(await bridge.handlers.redact!(redacted)).toBeUndefined();
    const { core } = bridge;
    await bridge.close();
    bridge = await start({}, { onStop: "quit" }, core);
    const again = reaction(id, "👍", "Bob", { id: "again", maybeSent: true });
    expect(isFailure(await repeatedly(() => bridge.handlers.react!(again)))).toBe(false);
    expect(await bridge.handlers.redact!({ ...redacted, attempt: 2 })).toBeUndefined();
    expect(shown()).toEqual([["Bob[m]", "TAGMSG", "+draft/react=👍", `+draft/reply=${id}`]]);
    expect(server.linesFrom("Alice[m]").filter((line) => line.includes("REDACT"))).toHaveLength(1);
  });

  it("a message is deleted by whoever said it, every line of it", async () => {
    const ids = await say("one\ntwo");
    expect(ids).toHaveLength(2);
    expect(await bridge.handlers.redact!(redaction(ids, "Alice", "a\r\nQUIT :typo"))).toBeUndefined();
    await person.waitForLine(new RegExp(`:Alice\\[m\\]!\\S+ REDACT #room ${ids[1]} :a QUIT :typo$`, "i"));
    expect(shown()).toEqual([]);
  });

  it("a moderator on Matrix deletes a message through its author, and one from IRC through the bot", async () => {
    const [own] = await say("spam", "Alice");
    await say("a moderator", "Bob");
    expect(await bridge.handlers.redact!(redaction([own!], "Bob"))).toBeUndefined();
    await person.waitForLine(/:Alice\[m\]!\S+ REDACT /);
    const other = await hear("spam from IRC");
    const refused = await bridge.handlers.redact!(redaction([other], "Bob"));
    expect(refused).toEqual({ failed: "permanent", reason: expect.stringContaining("not authorised") });
    server.setModes("#room", "+o", "trestle");
    expect(await bridge.handlers.redact!(redaction([other], "Bob"))).toBeUndefined();
    await person.waitForLine(/:trestle!\S+ REDACT /);
    const { redactions } = server.channel("#room");
    expect(redactions.map(({ by, msgid }) => [by, msgid])).toEqual([
      ["Alice[m]", own],
      ["trestle", other],
    ]);
  });

  it("a refusal to delete is understood without labels too", async () => {
    await restart({}, ["labeled-response", "batch"]);
    const other = await hear("from IRC");
    const refused = await bridge.handlers.redact!(redaction([other], "Bob"));
    expect(refused).toEqual({ failed: "permanent", reason: expect.stringContaining("not authorised") });
  });

  it("a private conversation has reactions and deletions as well", async () => {
    await say("hello");
    person.say("Alice[m]", "psst");
    const psst = await bridge.core.until("the message", () => bridge.core.messages().find(({ directTo }) => directTo));
    const { channel } = psst;
    await bridge.handlers.react!(reaction(psst.id, "👀", "Alice", { channel }));
    await person.waitForLine(/\+draft\/react=👀\S* :Alice\[m\]!\S+ TAGMSG Carol/);
    const [id] = await say("what?", "Alice", { channel });
    person.raw(`@+draft/reply=${id};+draft/react=🙂 TAGMSG Alice[m]`);
    await bridge.core.until("the reaction", () => bridge.core.received.find(({ kind }) => kind === "reaction"));
    expect(bridge.core.received.at(-1)).toMatchObject({ channel, target: id, key: "🙂", sender: { id: "net/carol" } });
    await bridge.handlers.redact!({ ...redaction([id!], "Alice"), channel });
    await person.waitForLine(/:Alice\[m\]!\S+ REDACT Carol /);
    person.raw(`REDACT Alice[m] ${psst.id}`);
    await bridge.core.until("the redaction", () => bridge.core.received.find(({ kind }) => kind === "redaction"));
    expect(bridge.core.received.at(-1)).toMatchObject({ channel, target: psst.id });
  });
});

/** What was told beside who is there, who has which rank, and how the channel is set. */
const said = () =>
  bridge.core.received.filter(({ kind }) => kind !== "membership" && kind !== "roles" && kind !== "channel");

describe("from IRC", () => {
  it("reactions, replies and deletions come in the order in which they were made", async () => {
    const [id] = await say("hello");
    person.raw(`@+draft/reply=${id};+draft/react=👍 TAGMSG #room`);
    person.raw(`@+draft/reply=${id} PRIVMSG #room :an answer`);
    person.raw(`@+draft/reply=${id};+draft/unreact=👍 TAGMSG #room`);
    const answer = await bridge.core.until("the answer", () => bridge.core.messages().at(0));
    person.raw(`REDACT #room ${answer.id} :a \x02typo`);
    await bridge.core.until("the deletion", () => bridge.core.received.some(({ kind }) => kind === "redaction"));
    const sender = { id: "net/carol", name: "Carol" };
    const common = { id: expect.any(String), channel: "net/#room", at: expect.any(Number), sender };
    expect(said()).toEqual([
      { ...common, kind: "reaction", target: id, key: "👍" },
      { ...common, kind: "message", content: expect.anything(), replyTo: id },
      { ...common, kind: "reactionRemoved", target: id, key: "👍" },
      { ...common, kind: "redaction", target: answer.id, reason: "a typo" },
    ]);
    expect(new Set(bridge.core.received.map((event) => event.id)).size).toBe(bridge.core.received.length);
  });

  it("nothing comes of typing, of half a reaction, and of what the bridge itself has done", async () => {
    const id = await hear("hello");
    await bridge.handlers.react!(reaction(id, "👍", "Alice"));
    const [own] = await say("mine", "Alice");
    await bridge.handlers.redact!(redaction([own!], "Alice"));
    person.raw("@+typing=active TAGMSG #room");
    person.raw("@+draft/react=👍 TAGMSG #room");
    person.raw(`@+draft/reply=${id};+draft/react=a;+draft/unreact=b TAGMSG #room`);
    person.raw(`@+draft/reply=${id};+draft/react=👍 TAGMSG trestle`);
    await hear("end");
    expect(said().map(({ kind }) => kind)).toEqual(["message", "message"]);
  });

  it("they are told once, also where the bridge was away and took none of them", async () => {
    await bridge.end();
    bridge = await start({}, { onStop: "keep", grace: 30 });
    const [id] = await say("hello");
    const { core } = bridge;
    core.beforeReceive = () => new Promise(() => undefined);
    person.raw(`@+draft/reply=${id};+draft/react=1 TAGMSG #room`);
    await person.sync();
    await bridge.close();
    person.raw(`@+draft/reply=${id};+draft/react=2 TAGMSG #room`);
    await person.sync();
    core.beforeReceive = async () => undefined;
    bridge = await start({}, { onStop: "quit" }, core);
    const keys = () => core.received.flatMap((event) => (event.kind === "reaction" ? [event.key] : []));
    await core.until("both", () => keys().length === 2);
    await hear("end");
    expect(keys()).toEqual(["1", "2"]);
  });
});
