import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { RawServer } from "./support/raw-server.js";
import { patiently } from "../../../test/support/bounded.js";

const room = ChannelId("net/#room");
let irc: IrcServer | undefined;
let raw: RawServer | undefined;
let bridge: RunningBridge;

afterEach(async () => {
  await bridge.end();
  await irc?.stop();
  await raw?.stop();
  irc = raw = undefined;
});

async function start(tokens: Record<string, string | boolean> = {}): Promise<{ irc: IrcServer; thief: IrcTestClient }> {
  irc = await IrcServer.start({ tokens });
  const thief = await IrcTestClient.connect({ port: irc.port, nick: "Alice[m]" });
  await thief.join("#room");
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  await bridge.ready();
  await bridge.say({ channel: room, text: "one", name: "Alice" });
  return { irc, thief };
}

describe("a nick that somebody else has", () => {
  it("is theirs: what they say is heard, and their rank is nobody else's", async () => {
    const { thief } = await start();
    thief.say("#room", "it is me");
    await bridge.core.until("what they say", () => bridge.core.texts().includes("it is me"), 5_000);
    const ranked = bridge.core.received.flatMap((event) => (event.kind === "roles" ? event.changes : []));
    expect(ranked.filter(({ who }) => "userId" in who)).toEqual([]);
    thief.close();
  });

  it.each([
    ["with MONITOR", {}],
    ["from what is seen in the channels, without MONITOR", { MONITOR: false }],
  ])("is taken back when it is free, %s", async (_, tokens) => {
    const { irc, thief } = await start(tokens);
    expect(irc.channel("#room").log.at(-1)?.from).toBe("Alice2[m]");
    thief.close();
    await irc.waitFor(() => irc.nicks.includes("Alice[m]") && !irc.nicks.includes("Alice2[m]"), {
      timeoutMs: patiently(20_000),
    });
    await bridge.say({ channel: room, text: "two", name: "Alice" });
    expect(irc.channel("#room").log.at(-1)?.from).toBe("Alice[m]");
    expect(bridge.core.membership().filter((line) => line.includes("2[m]"))).toEqual([]);
  });

  it("is taken back when its holder is renamed", async () => {
    const { irc } = await start();
    irc.renameClient("Alice[m]", "somebody");
    await irc.waitFor(() => irc.nicks.includes("Alice[m]"), { timeoutMs: patiently(20_000) });
    expect(irc.nicks).toContain("somebody");
  });
});

it("is another one where a server refuses it with FAIL", async () => {
  const server = (raw = await RawServer.start());
  bridge = await RunningBridge.start({ networks: [networkOn(server.port)], config: { onStop: "quit" } });
  await server.until("the way in", () => /^NICK /m.test(server.received[0] ?? ""));
  server.sockets[0]?.write(":s CAP * LS :\r\n:s FAIL NICK NICKNAME_RESERVED trestle :Reserved\r\n");
  await server.until("another nick", () => /^NICK :?trestle2/m.test(server.received[0] ?? ""));
  expect(server.received[0]).not.toContain("QUIT");
});
