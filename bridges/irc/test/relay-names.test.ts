import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, EventId, type MembershipEffect, RoomId, UserId } from "@trestle/core";
import type { IrcServer, IrcTestClient } from "@trestle/testkit";
import { patiently } from "../../../test/support/bounded.js";
import { roomWithCarol } from "./support/room-with-carol.js";
import type { NetworkOptions, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

async function start(more: NetworkOptions = {}): Promise<void> {
  const network = { puppets: false, ...more };
  ({ irc, carol, bridge } = await roomWithCarol({ network, caps: ["draft/relaymsg"] }));
}

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

const says = async (user: string, name: string, text = "hello"): Promise<string> => {
  await bridge.say({ channel: room, user, name, text });
  return irc.channel("#room").log.at(-1)?.text ?? "";
};

let changes = 0;
const member = (change: MembershipEffect["change"], user: string, name: string) =>
  bridge.handlers.membership?.({
    effect: EffectId(`member${++changes}`),
    attempt: 1,
    maybeSent: false,
    channel: room,
    room: RoomId("!r"),
    event: EventId("$e"),
    author: { userId: UserId(user), name },
    at: 0,
    signal: AbortSignal.timeout(patiently(10_000)),
    change,
    who: { userId: UserId(user), name },
  });

describe("the names of those for whom the bot speaks", () => {
  it("have behind them what tells them apart where two are called alike, and only there", async () => {
    await start();
    expect(await says("@ann:one.example", "Ann")).toBe("<Ann> hello");
    expect(await says("@ann.b:one.example", "ＡＮＮ")).toBe("<ＡＮＮ (ann.b)> hello");
    expect(await says("@ann:one.example", "Ann")).toBe("<Ann (ann)> hello");
    expect(await says("@ann:two.example", "Ann")).toBe("<Ann (two.example)> hello");
    expect(await says("@ann.b:two.example", "Ann")).toBe("<Ann (ann.b:two.example)> hello");
    expect(await says("@bob:one.example", "Bob")).toBe("<Bob> hello");
  });

  it("have nothing behind them any more when the other has gone, or is called otherwise", async () => {
    await start();
    await member("join", "@eve:one.example", "Ann");
    expect(await says("@ann:one.example", "Ann")).toBe("<Ann (ann)> hello");
    await member("rename", "@eve:one.example", "Eve");
    expect(await says("@ann:one.example", "Ann")).toBe("<Ann> hello");
    await member("rename", "@eve:one.example", "ann");
    expect(await says("@ann:one.example", "Ann")).toBe("<Ann (ann)> hello");
    await member("leave", "@eve:one.example", "ann");
    expect(await says("@ann:one.example", "Ann")).toBe("<Ann> hello");
  });

  it("are told apart where the server relays them too", async () => {
    await start({ relaymsg: "{name}{separator}mx" });
    irc.setModes("#room", "+o", "trestle");
    await says("@ann:one.example", "Ann");
    await says("@eve:one.example", "Ann");
    const relayed = irc.linesFrom("trestle").filter((line) => line.includes("RELAYMSG"));
    expect(relayed.map((line) => line.split(" ").at(-2))).toEqual(["Ann/mx", "Ann_(eve)/mx"]);
  });

  it("have a colour of their person's own where the operator wants it, which no name can change", async () => {
    await start({ relayColours: true });
    const line = await says("@ann:one.example", "Ann");
    // eslint-disable-next-line no-control-regex -- the colour codes of IRC
    expect(line).toMatch(/^<\x03(?:03|04|05|06|07|10|12|13)Ann\x03> hello$/);
    const code = line.slice(1, 4);
    expect(await says("@ann:one.example", "Annie")).toBe(`<${code}Annie\x03> hello`);
    expect(await says("@ann:one.example", ",5x")).toBe(`<${code}\x02\x02,5x\x03> hello`);
    const others = new Set<string>();
    for (const each of ["a", "b", "c", "d", "e", "f"]) others.add((await says(`@${each}:x`, each)).slice(1, 4));
    expect(others.size).toBeGreaterThan(2);
  });

  it("have none in a channel that refuses colours, and what is said goes out", async () => {
    await start({ relayColours: true });
    irc.setModes("#room", "+c");
    expect(await says("@ann:one.example", "Ann", "one")).toBe("<Ann> one");
    expect(await says("@ann:one.example", "Ann", "two")).toBe("<Ann> two");
    expect(irc.channel("#room").log).toHaveLength(2);
    // Refused in the moment after the bot has come it is tried again as it was: the bot may be given a voice.
    const tried = new Set(irc.linesFrom("trestle").filter((each) => each.includes("Ann")));
    expect(tried.size).toBe(3);
  });
});
