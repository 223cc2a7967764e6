import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, UserId } from "@trestle/core";
import type { IrcServer, IrcTestClient } from "@trestle/testkit";
import { roomWithCarol, type ServerOptions } from "./support/room-with-carol.js";
import { networkOn, type NetworkOptions, RunningBridge } from "./support/running-bridge.js";

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

const place = ChannelId("net/#room");
const alice = { userId: UserId("@alice:example.org"), name: "Alice" };

async function start(server: ServerOptions = {}, network: NetworkOptions = {}): Promise<void> {
  ({ irc, carol, bridge } = await roomWithCarol({ server, network, caps: ["message-tags"] }));
}

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

const signals = (): string[] => irc.linesFrom("Alice[m]").filter((line) => line.includes("typing"));

describe("who is typing", () => {
  it("on IRC is seen on Matrix, until they stop", async () => {
    await start();
    for (const state of ["active", "paused", "done"]) carol.raw(`@+typing=${state} TAGMSG #room`);
    await bridge.core.until("all three", () => bridge.core.typed.length === 3);
    expect(bridge.core.typed).toEqual(
      [6_000, 30_000, 0].map((forMs) => ({
        kind: "typing",
        channel: place,
        user: { id: "net/carol", name: "carol" },
        forMs,
      })),
    );
    expect(bridge.core.received.some(({ kind }) => kind === "reaction")).toBe(false);
  });

  it("on Matrix is seen on IRC, by who has spoken there", async () => {
    await start();
    await bridge.handlers.typing?.({ channel: place, authors: [alice] });
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    expect(signals()).toEqual([]);
    await bridge.handlers.typing?.({ channel: place, authors: [alice] });
    await bridge.handlers.typing?.({ channel: place, authors: [] });
    await irc.waitFor(() => signals().length === 2);
    expect(signals()).toEqual(["@+typing=active TAGMSG #room", "@+typing=done TAGMSG #room"]);
  });

  it("stays unsaid where the server passes no tags on, where the operator wants that, and where lines must wait", async () => {
    await start({ denyClientTags: "*" });
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    await bridge.handlers.typing?.({ channel: place, authors: [alice] });
    await bridge.say({ channel: place, text: "more", name: "Alice" });
    expect(signals()).toEqual([]);
    await bridge.end();
    irc.setCapability("message-tags", true);
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { typing: false })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    await bridge.handlers.typing?.({ channel: place, authors: [alice] });
    await bridge.say({ channel: place, text: "more", name: "Alice" });
    expect(signals()).toEqual([]);
  });
});

describe("what was said while the bot was away", () => {
  it("is asked for when it is back, page by page, and told once", async () => {
    await start({ limits: { chathistory: 3 } }, { reconnect: { min: 2, max: 2 } });
    carol.say("#room", "before");
    await bridge.core.until("the first", () => bridge.core.texts().includes("before"));
    irc.disconnect("trestle");
    await irc.waitFor(() => !irc.channel("#room").members.includes("trestle"));
    const missed = Array.from({ length: 8 }, (_, index) => `missed ${index}`);
    for (const text of missed) carol.say("#room", text);
    await carol.sync();
    expect(irc.nicks).not.toContain("trestle");
    await bridge.core.until("all that was missed", () => bridge.core.texts().includes("missed 7"));
    carol.say("#room", "after");
    await bridge.core.until("the last", () => bridge.core.texts().includes("after"));
    expect(bridge.core.texts()).toEqual(["before", ...missed, "after"]);
  });

  it("is not asked of a server that keeps none", async () => {
    await start({ without: ["draft/chathistory"] });
    carol.say("#room", "before");
    await bridge.core.until("the first", () => bridge.core.texts().includes("before"));
    irc.disconnect("trestle");
    await irc.waitFor(() => irc.linesFrom("trestle").filter((line) => line.startsWith("JOIN")).length === 2);
    expect(irc.linesFrom("trestle").some((line) => line.startsWith("CHATHISTORY"))).toBe(false);
  });
});
