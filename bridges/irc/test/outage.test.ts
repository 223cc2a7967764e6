import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { type Capability, IrcServer, IrcTestClient } from "@trestle/testkit";
import { endHolder, holderPid } from "./support/holder-process.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { freePort, patiently } from "../../../test/support/bounded.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const NOTHING: readonly Capability[] = ["labeled-response", "batch", "echo-message"];

let server: IrcServer;
let bridge: RunningBridge;
let person: IrcTestClient | undefined;

beforeEach(async () => {
  server = await IrcServer.start({ port: await freePort() });
});

afterEach(async () => {
  person?.close();
  await bridge.end();
  await server.stop();
});

async function start(
  more: Parameters<typeof networkOn>[1] = {},
  config: { grace?: number; onStop?: "keep" | "quit" } = {},
): Promise<void> {
  bridge = await RunningBridge.start({
    networks: [networkOn(server.port, more)],
    channels: ["net/#room"],
    config: { onStop: "quit", ...config },
  });
  await bridge.ready();
}

const texts = () =>
  server
    .channel("#room")
    .log.filter(({ from }) => from !== "carol")
    .map(({ text }) => text);
const numbers = (count: number) => Array.from({ length: count }, (_, number) => `out ${number}`);

describe("when the IRC server is away for three seconds", () => {
  it.each([
    ["a server with echoes", []],
    ["a server without", NOTHING],
  ])("everybody is back within three more, and what was said meanwhile is said then: %s", async (_name, without) => {
    for (const name of without) server.setCapability(name, false);
    await start({ reconnect: { min: 0.3, max: 300 } });
    await bridge.say({ channel: room, text: "before", name: "Alice" });
    await server.stop();
    const talk = (async () => {
      for (const text of numbers(5)) await bridge.say({ channel: room, text, name: "Alice" }, { attempts: 500 });
    })();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await server.start();
    await server.waitFor(
      () => ["trestle", "Alice[m]"].every((nick) => server.channel("#room").members.includes(nick)),
      { timeoutMs: patiently(3_000) },
    );
    await talk;
    expect(texts()).toEqual(["before", ...numbers(5)]);
  });

  it("one server does not wait for another", async () => {
    const other = await IrcServer.start();
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port), networkOn(other.port, { name: "other" })],
      channels: ["net/#room", "other/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    await server.stop();
    await bridge.say({ channel: ChannelId("other/#room"), text: "still here", name: "Alice" });
    expect(other.channel("#room").log.map(({ text }) => text)).toEqual(["still here"]);
    await expect(bridge.handlers.resolveChannel?.("#room")).rejects.toThrow(
      /Which network.*net\/#channel, other\/#channel/,
    );
    await other.stop();
  });
});

describe("when a connection breaks", () => {
  it("in mid-flight, again and again, nothing is lost, repeated or out of order: the bot is the witness", async () => {
    await start({ puppetNick: "{name}", reconnect: { min: 0.02, max: 0.1 } });
    for (const name of NOTHING) server.setCapability(name, false);
    await bridge.say({ channel: room, text: "first", name: "Alice" });
    let judged = 0;
    const broken = new Set<string>();
    server.judgeMessages(({ text }) => {
      judged++;
      if (judged % 8 !== 0) return "deliver";
      // Every other time the line itself is lost with the connection.
      queueMicrotask(() => server.disconnect("Alice"));
      const isLost = judged % 16 === 0 && !broken.has(text);
      broken.add(text);
      return isLost ? "drop" : "deliver";
    });
    for (const text of numbers(120)) await bridge.say({ channel: room, text, name: "Alice" }, { attempts: 500 });
    expect(broken.size).toBeGreaterThan(10);
    expect(texts()).toEqual(["first", ...numbers(120)]);
    expect(bridge.core.texts()).toEqual([]);
  });

  it("for flooding, the puppet comes back", async () => {
    await start();
    await bridge.say({ channel: room, text: "one", name: "Alice" });
    server.floodKill("Alice[m]");
    await bridge.say({ channel: room, text: "two", name: "Alice" }, { attempts: 100 });
    expect(texts()).toEqual(["one", "two"]);
  });

  it("while the server throttles, it is not asked again and again", async () => {
    await start();
    server.refuseRegistration("Your host is trying to (re)connect too fast -- throttled");
    server.disconnect("trestle");
    const waiting = await bridge.core.until(
      "the wait",
      () => bridge.core.statuses.get("net")?.state === "waiting" && bridge.core.statuses.get("net"),
    );
    await bridge.core.until("the reason", () => bridge.core.statuses.get("net")?.detail?.includes("throttled"));
    expect(waiting.connection).toBe("net");
    const before = server.connections;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(server.connections).toBeLessThanOrEqual(before);
  });
});

describe("when only puppets are kept out", () => {
  it("the bot speaks in their place, and nobody waits for a connection that is not tried soon", async () => {
    await start();
    server.refuseRegistration("Too many host connections");
    for (const text of numbers(4))
      await bridge.say({ channel: room, text, name: "Alice" }, { timeoutMs: 5_000, attempts: 1 });
    expect(texts()).toEqual(numbers(4).map((text) => `<Alice> ${text}`));
  });
});

describe("when the holder dies", () => {
  it("another is started and everybody comes back", async () => {
    await start();
    await bridge.say({ channel: room, text: "one", name: "Alice" });
    endHolder(bridge.core.dataDirectory, "SIGKILL");
    await bridge.say({ channel: room, text: "two", name: "Alice" }, { attempts: 100 });
    await server.waitFor(() => server.channel("#room").members.includes("trestle"));
    person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    person.say("#room", "hello");
    await bridge.core.until("the message", () => bridge.core.texts().includes("hello"));
    expect(texts()).toEqual(["one", "two"]);
    expect(bridge.core.texts()).toEqual(["hello"]);
  });
});

describe("when the bridge is away", () => {
  it("for longer than the grace, clients quit, the holder ends, and what was heard until then is told later", async () => {
    await start({}, { grace: patiently(0.5), onStop: "keep" });
    person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    await bridge.say({ channel: room, text: "one", name: "Alice" });
    const { core } = bridge;
    await bridge.close();
    person.say("#room", "while away");
    await person.waitForLine(/:trestle!\S+ QUIT :/);
    await person.waitForLine(/:Alice\[m\]!\S+ QUIT :/);
    await core.until("the end of the holder", () => holderPid(core.dataDirectory) === undefined);
    bridge = await RunningBridge.start({ networks: [networkOn(server.port)], core, config: { onStop: "quit" } });
    await core.until("the message", () => core.texts().includes("while away"));
    await bridge.ready();
    await server.waitFor(() => server.channel("#room").members.includes("trestle"));
    person.say("#room", "and now");
    await core.until("the next message", () => core.texts().includes("and now"));
    expect(core.texts()).toEqual(["while away", "and now"]);
  });

  it("the next closes what the holder keeps, also where it is stopped before it has reached the holder", async () => {
    await start({}, { grace: 60, onStop: "keep" });
    const { core } = bridge;
    await bridge.close();
    expect(server.nicks).toContain("trestle");
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port)],
      core,
      config: { grace: 60, onStop: "quit" },
    });
    await bridge.close();
    await server.waitFor(() => !server.nicks.includes("trestle"));
  });

  it("and the server breaks the connections, what was heard until then is told, and nobody is heard twice", async () => {
    await start({}, { grace: patiently(10), onStop: "keep" });
    person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    const { core } = bridge;
    core.beforeReceive = () => new Promise(() => undefined);
    person.say("#room", "one");
    await person.sync();
    await bridge.close();
    core.beforeReceive = async () => undefined;
    server.disconnect("trestle", "a reason");
    bridge = await RunningBridge.start({ networks: [networkOn(server.port)], core, config: { onStop: "quit" } });
    await server.waitFor(() => server.channel("#room").members.includes("trestle"));
    person.say("#room", "two");
    await core.until("both", () => core.texts().length === 2);
    expect(core.texts()).toEqual(["one", "two"]);
  });
});
