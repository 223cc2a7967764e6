import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeCore } from "./support/fake-core.js";
import { networkOn, type NetworkOptions, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

const room = ChannelId("net/#room");
let irc: IrcServer;
let bridge: RunningBridge;

async function start(more: NetworkOptions = {}): Promise<void> {
  irc = await IrcServer.start();
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, more)],
    channels: [room],
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  await irc.stop();
});

const nick = async (argument: string): Promise<string> => {
  const command = bridge.handlers.commands?.["nick"];
  if (!command) throw new Error("there is no such command");
  return command.run({
    effect: EffectId("nick"),
    channel: room,
    author: { userId: UserId("@alice:example.org"), name: "Alice" },
    argument,
    signal: AbortSignal.timeout(patiently(20_000)),
  });
};
const speak = () => bridge.say({ channel: room, text: "hello", name: "Alice" });
const speaker = (): string | undefined => irc.channel("#room").log.at(-1)?.from;

describe("a nick of one's own choice", () => {
  it("is taken at once, kept over a restart, and given up again", async () => {
    await start();
    await speak();
    expect(await nick("alix")).toMatch(/called alix on net now/);
    await speak();
    expect(speaker()).toBe("alix");
    const { core } = bridge;
    await bridge.close();
    core.statuses.clear();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core, config: { onStop: "quit" } });
    await bridge.ready();
    await speak();
    expect(speaker()).toBe("alix");
    expect(await nick("")).toMatch(/Alice\[m\]/);
    await irc.waitFor(() => irc.nicks.includes("Alice[m]"), { timeoutMs: patiently(20_000) });
  });

  it("is asked for from the first word on where an import has left it", async () => {
    irc = await IrcServer.start();
    const core = new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")));
    core.stored.set("nick:net/@alice:example.org", "Alice_");
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port)],
      channels: [room],
      core,
      config: { onStop: "quit" },
    });
    await bridge.ready();
    await speak();
    expect(speaker()).toBe("Alice_");
  });

  it("waits for who has not spoken yet", async () => {
    await start();
    expect(await nick("alix")).toMatch(/as soon as you speak/);
    await speak();
    expect(speaker()).toBe("alix");
  });

  it("is refused in the server's words where it is taken, and the other one stays", async () => {
    await start();
    await speak();
    const elsewhere = await IrcTestClient.connect({ port: irc.port, nick: "dave" });
    await expect(nick("dave")).rejects.toThrow(/does not give you the nick dave: .*(in use|taken)/i);
    const here = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
    await here.join("#room");
    here.say("#room", "hello");
    await bridge.core.until("what she says", () => bridge.core.texts().includes("hello"));
    await expect(nick("Carol")).rejects.toThrow(/carol is somebody else/);
    await speak();
    expect(speaker()).toBe("Alice[m]");
    // Who has the nick is heard, although it was asked for.
    await elsewhere.join("#room");
    elsewhere.say("#room", "me");
    await bridge.core.until("what he says", () => bridge.core.texts().includes("me"), 5_000);
    elsewhere.close();
    here.close();
  });

  it.each(["435", "438"] as const)("is heard as its owner's where the server refuses it with %s", async (numeric) => {
    await start();
    await speak();
    irc.holdNick("phil", numeric);
    await expect(nick("phil")).rejects.toThrow(/does not give you the nick phil/);
    irc.releaseNick("phil");
    const phil = await IrcTestClient.connect({ port: irc.port, nick: "phil" });
    await phil.join("#room");
    phil.say("#room", "it is mine");
    await bridge.core.until("what he says", () => bridge.core.texts().includes("it is mine"), 5_000);
    phil.close();
  });

  it.each(["a b", "#room", "1st", "ä", "x".repeat(300), "a\r\nQUIT"])(
    "is refused where it is none: %j",
    async (text) => {
      await start();
      await expect(nick(text)).rejects.toThrow(/is no nick|too long/);
    },
  );

  it("is nobody's where the operator does not want that", async () => {
    await start({ chosenNicks: false });
    await expect(nick("alix")).rejects.toThrow(/nobody has a nick of their own choice/);
  });
});
