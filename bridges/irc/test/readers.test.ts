import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId, EffectId, EventId, type MembershipEffect, type RoomId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { patiently } from "../../../test/support/bounded.js";
import { FakeCore } from "./support/fake-core.js";
import { linkOf, type NetworkOptions, networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const den = ChannelId("net/#den");
const [roomOfRoom, roomOfDen] = [linkOf(room).room, linkOf(den).room];

let server: IrcServer;
let core: FakeCore;
let carol: IrcTestClient;
let bridge: RunningBridge;

beforeEach(async () => {
  server = await IrcServer.start();
  carol = await IrcTestClient.connect({ port: server.port, nick: "carol" });
  await carol.join("#room");
  core = new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")));
});
afterEach(async () => {
  await bridge.end();
  carol.close();
  await server.stop();
});

async function start(
  network: NetworkOptions = {},
  { channels = [room], onStop = "quit" }: { readonly channels?: ChannelId[]; readonly onStop?: "keep" | "quit" } = {},
): Promise<void> {
  const networks = [networkOn(server.port, { readers: "shown", ...network })];
  bridge = await RunningBridge.start({ networks, channels, core, config: { onStop } });
  await bridge.ready();
}

const idOf = (name: string): UserId => UserId(`@${name}:example.org`);
const member = (name: string, power = 0) => ({ userId: idOf(name), name, power });
const has = (matrix: RoomId, ...names: readonly string[]) =>
  void core.members.set(
    matrix,
    names.map((name) => member(name)),
  );

let changes = 0;
const change = (what: MembershipEffect["change"], name: string, matrix = roomOfRoom, channel = room) =>
  bridge.handlers.membership?.({
    effect: EffectId(`change${++changes}`),
    attempt: 1,
    maybeSent: false,
    channel,
    room: matrix,
    event: EventId(`$change${changes}`),
    author: { userId: idOf(name), name },
    at: 0,
    signal: AbortSignal.timeout(patiently(10_000)),
    change: what,
    who: { userId: idOf(name), name },
  });

/** The puppets in a channel. */
const puppetsIn = (channel: string): string[] =>
  server
    .channel(channel)
    .members.map((each) => each.replace(/^[@+]/, ""))
    .filter((each) => each.endsWith("[m]"))
    .sort();

/** Waits until exactly these puppets are in the channel. */
const shows = (channel: string, ...names: readonly string[]) =>
  server.waitFor(() => JSON.stringify(puppetsIn(channel)) === JSON.stringify(names.map((name) => `${name}[m]`)), {
    timeoutMs: patiently(15_000),
    what: `${names.join()} in ${channel}`,
  });

const says = (name: string, text: string, channel = room) => bridge.say({ channel, text, name, user: idOf(name) });
const said = () => server.channel("#room").log.map(({ from, text }) => [from, text]);

describe("Matrix users who only read", () => {
  it("are in the channels of their rooms from the start, and as they come and go", async () => {
    has(roomOfRoom, "ann", "bob");
    has(roomOfDen, "bob");
    await start({}, { channels: [room, den] });
    await shows("#room", "ann", "bob");
    await shows("#den", "bob");
    await change("join", "cat");
    await shows("#room", "ann", "bob", "cat");
    await change("leave", "bob");
    await shows("#room", "ann", "cat");
    // Still there, with the same client.
    expect(puppetsIn("#den")).toEqual(["bob[m]"]);
    await change("kick", "bob", roomOfDen, den);
    await server.waitFor(() => !server.nicks.includes("bob[m]"));
  });

  it("are not shown unless the operator wants it", async () => {
    has(roomOfRoom, "ann");
    await start({ readers: "hidden" });
    await change("join", "bob");
    await says("cat", "hi");
    expect(puppetsIn("#room")).toEqual(["cat[m]"]);
    expect(core.looks).toEqual([]);
  });

  it("are not shown where the bot speaks for them, nor where they may not speak", async () => {
    core.speakPower = 50;
    core.members.set(roomOfRoom, [member("ann", 50), member("bob"), member("dan", 100), member("eve", 50)]);
    await start({ relayed: { users: ["@dan:*"] } });
    await shows("#room", "ann", "eve");
    await change("join", "fay");
    await change("leave", "ann");
    await shows("#room", "eve");
    // Nor was a connection made for anybody else.
    const connecting = [...core.statuses.keys()].filter((connection) => connection.startsWith("net/@"));
    expect(connecting.sort()).toEqual([`net/${idOf("ann")}`, `net/${idOf("eve")}`]);
  });

  it("stay in a channel while they are in another of its rooms", async () => {
    const other = linkOf("other").room;
    core.links = [linkOf(room), { ...linkOf(room), room: other }];
    has(roomOfRoom, "ann", "bob");
    has(other, "ann");
    const networks = [networkOn(server.port, { readers: "shown" })];
    bridge = await RunningBridge.start({ networks, core, config: { onStop: "quit" } });
    await shows("#room", "ann", "bob");
    await core.until("both rooms", () => core.looks.length === 2);
    await shows("#room", "ann", "bob");
    await change("leave", "ann");
    await change("leave", "bob");
    await shows("#room", "ann");
    await change("leave", "ann", other);
    await shows("#room");
  });

  it("and leave one of their rooms before they are connected are shown in the others", async () => {
    has(roomOfRoom, "ann");
    has(roomOfDen, "ann");
    await start({ connects: { burst: 1, perSecond: 1 } }, { channels: [room, den] });
    await core.until("both rooms", () => core.looks.length === 2);
    await change("leave", "ann");
    await shows("#den", "ann");
    expect(puppetsIn("#room")).toEqual([]);
  });

  it("and go while their room is being read are not shown, and those who come then are", async () => {
    has(roomOfRoom, "ann", "bob");
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    core.beforeLook = () => held;
    await start();
    await core.until("the room is being read", () => core.looks.length === 1);
    await change("leave", "ann");
    await change("join", "cat");
    goOn();
    await shows("#room", "bob", "cat");
    expect([...core.statuses.keys()]).not.toContain(`net/${idOf("ann")}`);
  });

  it("give way to whoever speaks, and come back when there is a place", async () => {
    await start({ maxPuppets: 2 });
    await says("ann", "I am somebody");
    await change("join", "bob");
    await shows("#room", "ann", "bob");
    // She has been silent for longer, but he has said nothing ever.
    await says("dan", "so am I");
    await shows("#room", "ann", "dan");
    has(roomOfRoom, "bob", "dan");
    await change("leave", "ann");
    await shows("#room", "bob", "dan");
    expect(said()).toEqual([
      ["ann[m]", "I am somebody"],
      ["dan[m]", "so am I"],
    ]);
  });

  it("take nobody's place, and are shown when there is one", async () => {
    has(roomOfRoom, "ann", "bob");
    await start({ maxPuppets: 2 });
    await shows("#room", "ann", "bob");
    await change("join", "cat");
    expect([...core.statuses.keys()]).not.toContain(`net/${idOf("cat")}`);
    has(roomOfRoom, "bob", "cat");
    await change("leave", "ann");
    await shows("#room", "bob", "cat");
  });

  it("have no more places than those of their homeserver may have", async () => {
    has(roomOfRoom, "ann", "bob", "cat");
    core.members.set(roomOfRoom, [
      ...(core.members.get(roomOfRoom) ?? []),
      { userId: UserId("@eve:else.example"), name: "eve", power: 0 },
    ]);
    await start({ maxPuppetsOf: { "example.org": 2 } });
    await shows("#room", "ann", "bob", "eve");
    await says("dan", "hi");
    await shows("#room", "bob", "dan", "eve");
    expect(said()).toEqual([["dan[m]", "hi"]]);
  });

  it("wait behind whoever speaks", async () => {
    const readers = Array.from({ length: 40 }, (_, number) => `r${number}`);
    has(roomOfRoom, ...readers);
    await start({ connects: { burst: 2, perSecond: 1 } });
    await server.waitFor(() => puppetsIn("#room").length > 0);
    expect([...core.statuses.values()].filter(({ state }) => state === "connecting").length).toBeLessThanOrEqual(5);
    await says("ann", "hi");
    await says("r39", "me too");
    expect(said()).toEqual([
      ["ann[m]", "hi"],
      ["r39[m]", "me too"],
    ]);
    expect(puppetsIn("#room").length).toBeLessThan(30);
  });

  it("stay where they are when the bridge starts again", async () => {
    has(roomOfRoom, "ann", "bob");
    await start({}, { onStop: "keep" });
    await shows("#room", "ann", "bob");
    await bridge.close();
    has(roomOfRoom, "ann", "bob", "cat");
    await start({}, { onStop: "keep" });
    await shows("#room", "ann", "bob", "cat");
    const lines = carol.lines.filter((line) => / (?:JOIN|PART|QUIT) /.test(line) && /:(?:ann|bob)\[m\]/.test(line));
    const seen = lines.map((line) => line.replace(/^:(\S+)!\S+ (\S+).*/, "$1 $2"));
    // They connect side by side.
    expect(seen.toSorted()).toEqual(["ann[m] JOIN", "bob[m] JOIN"]);
  });

  it("do not quit for being silent, unlike those who are in no channel", async () => {
    has(roomOfRoom, "ann");
    await start({ idle: 0.3 });
    await shows("#room", "ann");
    await says("zoe", "psst", ChannelId("net/carol/@zoe:example.org"));
    await server.waitFor(() => server.nicks.includes("zoe[m]"));
    await server.waitFor(() => !server.nicks.includes("zoe[m]"));
    await says("zoe", "psst", ChannelId("net/carol/@zoe:example.org"));
    expect(puppetsIn("#room")).toEqual(["ann[m]"]);
    expect(server.linesFrom("ann[m]").filter((line) => line.startsWith("QUIT"))).toEqual([]);
  });

  it("quit where no channel lets them in, or none is linked any more", async () => {
    server.closeChannel("#den", "474");
    core.links = [linkOf(room), linkOf(den)];
    has(roomOfRoom, "ann");
    has(roomOfDen, "bob");
    const networks = [networkOn(server.port, { readers: "shown" })];
    bridge = await RunningBridge.start({ networks, core, config: { onStop: "quit" } });
    await server.waitFor(() => server.nicks.includes("bob[m]"));
    await shows("#room", "ann");
    await server.waitFor(() => !server.nicks.includes("bob[m]"));
    await bridge.handlers.unlinked?.(linkOf(room));
    await server.waitFor(() => !server.nicks.includes("ann[m]"));
  });

  it("stop coming when the server turns one away", async () => {
    has(roomOfRoom, "ann");
    await start();
    await shows("#room", "ann");
    server.refuseRegistration("Too many connections from your host");
    for (let number = 0; number < 30; number++) await change("join", `r${number}`);
    const closed = () => [...core.statuses.values()].filter(({ state }) => state === "closed");
    await core.until("those on their way", () => closed().length >= 5);
    server.refuseRegistration(undefined);
    await change("join", "late");
    // Whoever speaks is not held up by it.
    await says("dan", "hi");
    expect(said()).toEqual([["dan[m]", "hi"]]);
    expect(puppetsIn("#room")).toEqual(["ann[m]", "dan[m]"]);
    expect(closed()).toHaveLength(5);
    expect([...core.statuses.keys()]).not.toContain(`net/${idOf("late")}`);
  });
});
