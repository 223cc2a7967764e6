import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, EventId, isFailure, RemoteUserId, RoomId, UserId } from "@trestle/core";
import { patiently } from "../../../test/support/bounded.js";
import { settle } from "../../../test/support/settle.js";
import { type RoomWithCarol, roomWithCarol } from "./support/room-with-carol.js";

let world: RoomWithCarol;

beforeEach(async () => (world = await roomWithCarol({ caps: [] })));
afterEach(async () => {
  await world.bridge.end();
  world.carol.close();
  await world.irc.stop();
});

const room = ChannelId("net/#room");

/** Services give a rank behind the JOIN: here so late that what needs it was refused once. */
async function rankedAfter(nick: string, verb: string, mode: string): Promise<void> {
  const { irc } = world;
  await irc.waitFor(() => irc.linesFrom(nick).some((line) => line.includes(`${verb} #room`)));
  irc.setModes("#room", mode, nick);
}

describe("who has come into a channel a moment ago, and gets a rank there from services", () => {
  it("says once what was refused before", async () => {
    const { irc, bridge } = world;
    irc.setModes("#room", "+m");
    const said = ["one", "two"].map((text) => bridge.say({ channel: room, text, name: "Alice" }));
    await rankedAfter("Alice[m]", "PRIVMSG", "+v");
    for (const outcomes of await Promise.all(said)) expect(outcomes.some(isFailure)).toBe(false);
    expect(
      irc
        .channel("#room")
        .log.map(({ text }) => text)
        .sort(),
    ).toEqual(["one", "two"]);
  });

  it.each([
    ["as one message", [], ["one\ntwo\nthree"]],
    ["by labels", ["draft/multiline"], ["one", "two", "three"]],
    ["one after the other", ["draft/multiline", "labeled-response"], ["one", "two", "three"]],
  ] as const)("says all lines of a message that were refused before, %s", async (_how, without, expected) => {
    const { irc, bridge } = world;
    for (const name of without) irc.setCapability(name, false);
    irc.setModes("#room", "+m");
    const said = bridge.say({ channel: room, text: "one\ntwo\nthree", name: "Alice" });
    await rankedAfter("Alice[m]", "PRIVMSG", "+v");
    expect((await said).some(isFailure)).toBe(false);
    expect(irc.channel("#room").log.map(({ text }) => text)).toEqual(expected);
  });

  it("puts somebody out of it", async () => {
    const { irc, bridge } = world;
    irc.setModes("#room", "-o", "trestle");
    const kick = {
      effect: EffectId("k1"),
      attempt: 1,
      maybeSent: false,
      channel: room,
      room: RoomId("!r"),
      event: EventId("$e"),
      author: { userId: UserId("@alice:example.org"), name: "Alice" },
      at: 0,
      signal: AbortSignal.timeout(patiently(20_000)),
      who: { remote: RemoteUserId("net/carol") },
      change: "kick",
    } as const;
    const kicked = settle(() => bridge.handlers.membership?.(kick));
    await rankedAfter("trestle", "KICK", "+o");
    expect(await kicked).toEqual({});
    await irc.waitFor(() => !irc.channel("#room").members.includes("carol"));
  });

  it("is refused in the end where none comes", async () => {
    const { irc, bridge } = world;
    irc.setModes("#room", "+m");
    const [outcome] = await bridge.say({ channel: room, text: "one", name: "Alice" });
    expect(outcome).toMatchObject({ failed: "permanent" });
    expect(irc.channel("#room").log).toEqual([]);
  });
});
