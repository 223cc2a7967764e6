import { afterEach, describe, expect, it } from "@jest/globals";
import {
  ChannelId,
  EffectId,
  EventId,
  type InviteEffect,
  type NetworkEvent,
  type Outcome,
  RemoteUserId,
  RoomId,
  UserId,
} from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";
import { settle } from "../../../test/support/settle.js";

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;
let dave: IrcTestClient;

const room = ChannelId("net/#room");
const alice = UserId("@alice:example.org");

async function start(modes = ""): Promise<void> {
  irc = await IrcServer.start();
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
  dave = await IrcTestClient.connect({ port: irc.port, nick: "dave" });
  await carol.join("#room");
  await carol.join("#other");
  if (modes !== "") irc.setModes("#room", modes);
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  if (modes === "") await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  carol.close();
  dave.close();
  await irc.stop();
});

const told = <Kind extends NetworkEvent["kind"]>(kind: Kind) =>
  bridge.core.received.filter((event): event is Extract<NetworkEvent, { kind: Kind }> => event.kind === kind);

let effects = 0;
const invite = (nick: string): Promise<Outcome> => {
  const effect: InviteEffect = {
    effect: EffectId(`invite${++effects}`),
    attempt: 1,
    maybeSent: false,
    channel: room,
    room: RoomId("!r"),
    event: EventId("$e"),
    author: { userId: alice, name: "Alice" },
    at: 0,
    signal: AbortSignal.timeout(patiently(20_000)),
    who: RemoteUserId(`net/${nick}`),
  };
  return settle(() => bridge.handlers.invite?.(effect));
};
const invitesOf = (nick: string): string[] => irc.linesFrom(nick).filter((line) => line.startsWith("INVITE "));

describe("an invitation on IRC", () => {
  it("of a puppet is one of its person into the channel's rooms", async () => {
    await start();
    await bridge.say({ channel: room, text: "hello", name: "Alice" });
    irc.kick("#room", "Alice[m]", "out");
    carol.raw("INVITE Alice[m] #room");
    const invitation = await bridge.core.until("the invitation", () => told("invitation")[0]);
    expect(invitation).toMatchObject({
      channel: room,
      by: { id: "net/carol", name: "carol" },
      who: { userId: alice },
    });
  });

  it("into a channel that nobody has linked is answered", async () => {
    await start();
    await bridge.say({ channel: room, text: "hello", name: "Alice" });
    carol.raw("INVITE Alice[m] #other");
    expect(await carol.waitForLine(/^\S*Alice\[m\]!\S+ NOTICE carol /)).toMatch(/#other is not linked/);
    carol.raw("INVITE trestle #other");
    expect(await carol.waitForLine(/^\S*trestle!\S+ NOTICE carol /)).toMatch(/#other is not linked/);
    expect(told("invitation")).toEqual([]);
    expect(irc.channel("#other").members).not.toContain("trestle");
  });

  it("of the bot brings it at once into a channel that it could not join", async () => {
    await start("+i");
    await bridge.core.until("the refusal", () => /cannot join/.test(bridge.core.statuses.get(room)?.detail ?? ""));
    carol.raw("INVITE trestle #room");
    await bridge.ready();
  });
});

describe("an invitation on Matrix", () => {
  it("of a person of the network is one by the puppet where it is in the channel, and else by the bot", async () => {
    await start();
    expect(await invite("dave")).toEqual({});
    await dave.waitForLine(/^\S*trestle!\S+ INVITE dave :?#room/);
    await bridge.say({ channel: room, text: "hello", name: "Alice" });
    expect(await invite("dave")).toEqual({});
    await dave.waitForLine(/^\S*Alice\[m\]!\S+ INVITE dave :?#room/);
    expect(told("declined")).toEqual([]);
  });

  it("is tried by the bot where the puppet may not", async () => {
    await start();
    await bridge.say({ channel: room, text: "hello", name: "Alice" });
    irc.setModes("#room", "+io", "trestle");
    expect(await invite("dave")).toEqual({});
    await dave.waitForLine(/^\S*trestle!\S+ INVITE dave :?#room/);
    expect(invitesOf("Alice[m]")).toHaveLength(1);
    expect(told("declined")).toEqual([]);
  });

  it("of nobody is turned down in the server's words", async () => {
    await start();
    expect(await invite("nobody")).toBeUndefined();
    expect(told("declined")).toEqual([
      expect.objectContaining({
        channel: room,
        who: { id: "net/nobody", name: "nobody" },
        how: "refused",
        userId: alice,
        reason: expect.stringMatching(/No such nick/),
      }),
    ]);
  });

  it("of somebody who is in the channel brings them into the room, and asks nobody", async () => {
    await start();
    await bridge.core.until("the list of names", () => bridge.core.membership().includes("join net/carol"));
    expect(await invite("carol")).toEqual({});
    expect(told("membership").filter(({ intoRoom }) => intoRoom)).toEqual([
      expect.objectContaining({ channel: room, change: "join", user: { id: "net/carol", name: "carol" } }),
    ]);
    expect(told("declined")).toEqual([]);
    expect(invitesOf("trestle")).toEqual([]);
  });

  it("of somebody who comes while they are being asked brings them into the room too", async () => {
    await start();
    irc.lag(1_000);
    dave.raw("JOIN #room");
    await irc.waitFor(() => irc.channel("#room").members.includes("dave"));
    expect(await invite("dave")).toEqual({});
    expect(told("membership").filter(({ intoRoom }) => intoRoom)).toEqual([
      expect.objectContaining({ change: "join", user: { id: "net/dave", name: "dave" } }),
    ]);
    expect(told("declined")).toEqual([]);
  });

  it("is turned down where neither the puppet nor the bot may", async () => {
    await start();
    irc.setModes("#room", "+i");
    expect(await invite("dave")).toBeUndefined();
    expect(told("declined")[0]?.reason).toMatch(/channel operator/);
  });

  it("of an account that nobody is signed in to is turned down without asking", async () => {
    await start();
    expect(await invite("$gone")).toBeUndefined();
    expect(told("declined")[0]?.reason).toMatch(/signed in as gone/);
    expect(invitesOf("trestle")).toEqual([]);
  });
});
