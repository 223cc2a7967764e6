import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, type PresenceSignal, UserId } from "@trestle/core";
import { type IrcServer, IrcTestClient } from "@trestle/testkit";
import { roomWithCarol } from "./support/room-with-carol.js";
import type { NetworkOptions, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");
const alice = UserId("@alice:example.org");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

async function start(network: NetworkOptions): Promise<void> {
  ({ irc, carol, bridge } = await roomWithCarol({ network, caps: ["away-notify"] }));
}

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

const say = (text: string) => bridge.say({ channel: room, text, name: "Alice" });
const is = (presence: PresenceSignal["presence"], status?: string) =>
  bridge.handlers.presence?.({ user: alice, presence, ...(status !== undefined && { status }) });
const marks = (): string[] => irc.linesFrom("Alice[m]").filter((line) => line.startsWith("AWAY"));

describe("who is away on Matrix", () => {
  it("is marked on IRC, with what they say, until they are back", async () => {
    await start({ presence: { after: 0 } });
    await say("hello");
    await is("unavailable", "lunch\r\nQUIT");
    await irc.waitFor(() => marks().length === 1);
    await is("offline");
    await irc.waitFor(() => marks().length === 2);
    await is("online");
    await irc.waitFor(() => marks().length === 3);
    expect(marks()).toEqual(["AWAY :lunch QUIT", "AWAY :Not on Matrix now", "AWAY"]);
  });

  it("is not marked for a moment's absence, nor twice for the same", async () => {
    await start({ presence: { after: 86_400 } });
    await say("hello");
    for (let times = 0; times < 50; times++) {
      await is("unavailable");
      await is("online");
    }
    await say("still here");
    expect(marks()).toEqual([]);
  });

  it("is marked again when their puppet comes back", async () => {
    await start({ presence: { after: 0 } });
    await say("hello");
    await is("offline");
    await irc.waitFor(() => marks().length === 1);
    irc.disconnect("Alice[m]");
    await irc.waitFor(() => marks().length === 2);
    await is("offline");
    await is("online");
    await irc.waitFor(() => marks().length === 3);
    expect(marks().at(-1)).toBe("AWAY");
  });

  it("is nobody's business where the operator says so, or where they have no puppet", async () => {
    await start({ presence: { toIrc: false } });
    await is("offline");
    await say("hello");
    await is("offline");
    await say("more");
    expect(marks()).toEqual([]);
    expect(bridge.core.presences).toEqual([]);
  });
});

describe("who is away on IRC", () => {
  it("is unavailable on Matrix, and what holds last is told", async () => {
    await start({ presence: { toMatrix: true } });
    carol.raw("AWAY :\x02lunch\x02");
    await bridge.core.until("away", () => bridge.core.presences.length === 1);
    for (let times = 0; times < 20; times++) {
      carol.raw("AWAY :tea");
      carol.raw("AWAY");
    }
    await bridge.core.until("back", () => bridge.core.presences.at(-1)?.presence === "online");
    const user = { id: "net/carol", name: "carol" };
    expect(bridge.core.presences[0]).toEqual({ kind: "presence", user, presence: "unavailable", status: "lunch" });
    expect(bridge.core.presences.at(-1)).toEqual({ kind: "presence", user, presence: "online" });
    expect(bridge.core.presences.length).toBeLessThan(20);
  });

  it("is not told unless the operator wants it", async () => {
    await start({});
    carol.raw("AWAY :lunch");
    carol.say("#room", "off I go");
    await bridge.core.until("the message", () => bridge.core.texts().includes("off I go"));
    expect(bridge.core.presences).toEqual([]);
  });
});

describe("with whom somebody talks alone", () => {
  const dave = "net/dave/@alice:example.org";
  const told = () => bridge.core.presences.map(({ user, presence }) => `${user.id} ${presence}`);
  const talk = () => bridge.say({ channel: ChannelId(dave), text: "hello", name: "Alice" });

  it("is shown on Matrix as there or not, where the operator wants it", async () => {
    await start({ presence: { toMatrix: true } });
    const client = () => IrcTestClient.connect({ port: irc.port, nick: "Dave" });
    const first = await client();
    await talk();
    await bridge.core.until("who is there", () => told().includes("net/dave online"));
    await talk();
    await first.quit();
    await bridge.core.until("who has gone", () => told().includes("net/dave offline"));
    const second = await client();
    await bridge.core.until("who is back", () => told().length === 3);
    // The next connection asks anew.
    irc.disconnect("Alice[m]");
    await bridge.core.until("who is still there", () => told().length === 4);
    expect(told()).toEqual(["net/dave online", "net/dave offline", "net/dave online", "net/dave online"]);
    second.close();
  });

  it("is nobody's business otherwise", async () => {
    await start({});
    const client = await IrcTestClient.connect({ port: irc.port, nick: "Dave" });
    await talk();
    expect(irc.linesFrom("Alice[m]").filter((line) => line.includes("MONITOR"))).toEqual([]);
    client.close();
  });
});
