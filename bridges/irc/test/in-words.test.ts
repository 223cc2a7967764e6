import { afterEach, describe, expect, it } from "@jest/globals";
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
import type { IrcServer, IrcTestClient } from "@trestle/testkit";
import { patiently } from "../../../test/support/bounded.js";
import { roomWithCarol, type ServerOptions } from "./support/room-with-carol.js";
import type { NetworkOptions, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");
const both = { reactions: true, deletions: true };

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

async function start(network: NetworkOptions = {}, server: ServerOptions = PLAIN): Promise<void> {
  ({ irc, carol, bridge } = await roomWithCarol({ server, network: { asText: both, ...network }, caps: [] }));
}

const PLAIN: ServerOptions = {
  without: ["message-tags", "draft/message-redaction", "draft/multiline", "labeled-response"],
};

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

let effects = 0;
const effect = (user: string, id = `w${++effects}`) => ({
  effect: EffectId(id),
  attempt: 1,
  maybeSent: false,
  channel: room,
  room: RoomId("!r"),
  event: EventId("$e"),
  author: { userId: UserId(`@${user.toLowerCase()}:example.org`), name: user },
  at: Date.now(),
  signal: AbortSignal.timeout(patiently(20_000)),
});
const reaction = (user: string, target: string, excerpt?: string, key = "👍"): ReactEffect => ({
  ...effect(user),
  target: RemoteMessageId(target),
  key,
  ...(excerpt !== undefined && { about: { event: EventId("$about"), excerpt } }),
});
const redaction = (user: string, target: readonly string[]): RedactEffect => ({
  ...effect(user),
  target: target.map(RemoteMessageId),
});
const idOf = (outcome: Outcome): string => {
  if (!outcome || isFailure(outcome) || outcome.id === undefined) throw new Error(JSON.stringify(outcome));
  return outcome.id;
};
const say = async (user: string, text: string): Promise<string[]> =>
  (await bridge.say({ channel: room, user: `@${user.toLowerCase()}:example.org`, name: user, text })).map(idOf);
const hear = async (text: string): Promise<string> => {
  carol.say("#room", text);
  await bridge.core.until(text, () => bridge.core.texts().includes(text));
  return bridge.core.messages().at(-1)!.id;
};
const log = () => irc.channel("#room").log.map(({ from, text }) => `${from} ${text}`);

describe("what the server cannot show", () => {
  it("is said by whoever reacted, with a few words of what they reacted to", async () => {
    await start();
    const id = await hear("shall we meet?");
    await bridge.handlers.react!(reaction("Bob", id, "shall we meet?"));
    await bridge.handlers.react!(reaction("Bob", id, `\x02${"long words ".repeat(10)}`, "❤️\r\nQUIT :x"));
    await bridge.handlers.react!(reaction("Bob", id));
    expect(log().slice(1)).toEqual([
      "Bob[m] \x01ACTION reacted 👍 to “shall we meet?”\x01",
      expect.stringMatching(/^Bob\[m\] .ACTION reacted ❤️ ?QUIT :x to “long words .{20,40}…”.$/),
      "Bob[m] \x01ACTION reacted 👍 to a message\x01",
    ]);
    await bridge.handlers.unreact!(reaction("Bob", id));
    await bridge.handlers.react!(reaction("Bob", id, "shall we meet?", "mxc://example.org/picture"));
    expect(log()).toHaveLength(4);
    // It is nobody's message on Matrix.
    expect(bridge.core.texts()).toEqual(["shall we meet?"]);
  });

  it("is said of messages to which the server has given no name too", async () => {
    await start();
    irc.setMsgid(false);
    const [id] = await say("Alice", "hello");
    expect(isFailure(await bridge.handlers.react!(reaction("Bob", id!, "hello")))).toBe(false);
    expect(log().at(-1)).toBe("Bob[m] \x01ACTION reacted 👍 to “hello”\x01");
  });

  it("is said by the bot where there are no puppets", async () => {
    await start({ puppets: false });
    const [id] = await say("Alice", "hello");
    await bridge.handlers.react!(reaction("Bob", id!, "hello"));
    await bridge.handlers.redact!(redaction("Alice", [id!]));
    expect(log().slice(1)).toEqual([
      "trestle * Bob reacted 👍 to “hello”",
      expect.stringMatching(/^trestle \* Alice deleted their message of \d\d:\d\d UTC$/),
    ]);
  });

  it("is who deleted whose message, once, and not what was in it", async () => {
    await start();
    const ids = await say("Alice", "a secret\nin two lines");
    expect(ids).toHaveLength(2);
    const deletion = redaction("Alice", ids);
    await bridge.handlers.redact!(deletion);
    expect(isFailure(await bridge.handlers.redact!({ ...deletion, attempt: 2, maybeSent: true }))).toBe(false);
    const [spam] = await say("Alice", "spam");
    await bridge.handlers.redact!(redaction("Bob", [spam!]));
    await bridge.handlers.redact!(redaction("Bob", [await hear("more spam")]));
    expect(log().filter((line) => line.includes("ACTION"))).toEqual([
      expect.stringMatching(/^Alice\[m\] .ACTION deleted their message of \d\d:\d\d UTC.$/),
      expect.stringMatching(/^Bob\[m\] .ACTION deleted a message that Alice\[m\] sent at \d\d:\d\d UTC.$/),
      "Bob[m] \x01ACTION deleted a message\x01",
    ]);
  });

  it("is not said by default, nor where the server can show it", async () => {
    await start({ asText: {} });
    const id = await hear("hello");
    expect(await bridge.handlers.react!(reaction("Bob", id, "hello"))).toBeUndefined();
    expect(await bridge.handlers.redact!(redaction("Bob", [id]))).toBeUndefined();
    expect(irc.nicks).not.toContain("Bob[m]");
    await bridge.end();
    carol.close();
    await irc.stop();
    await start({}, {});
    const [own] = await say("Bob", "hello");
    await bridge.handlers.react!(reaction("Bob", own!, "hello"));
    await bridge.handlers.redact!(redaction("Bob", [own!]));
    expect(irc.channel("#room").redactions).toHaveLength(1);
    expect(log().filter((line) => line.includes("ACTION"))).toEqual([]);
  });
});
