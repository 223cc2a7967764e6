import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IrcServer, IrcTestClient, selfSignedCertificate } from "@trestle/testkit";
import { ChannelId } from "@trestle/core";
import { configSchema, networkSchema } from "@trestle/irc";
import { DurableProcess, type OutgoingMessage } from "./support/durable-process.js";
import { FakeCore } from "./support/fake-core.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently, until, within } from "../../../test/support/bounded.js";

jest.setTimeout(60_000);

/** What matrix-appservice-irc does wrong where the bridge or a connection comes and goes, and must not happen here. */
describe("defects of matrix-appservice-irc in connections that this bridge does not have", () => {
  const servers: IrcServer[] = [];
  const people: IrcTestClient[] = [];
  let bridge: RunningBridge | undefined;

  afterEach(async () => {
    await bridge?.end();
    bridge = undefined;
    for (const person of people.splice(0)) person.close();
    for (const server of servers.splice(0)) await server.stop();
  });

  async function serve(options?: Parameters<typeof IrcServer.start>[0]): Promise<IrcServer> {
    const server = await IrcServer.start(options);
    servers.push(server);
    return server;
  }
  async function personOn(server: IrcServer): Promise<IrcTestClient> {
    const person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    people.push(person);
    await person.join("#room");
    return person;
  }
  const textsOf = (server: IrcServer) => server.channel("#room").log.map(({ text }) => text);

  it("a stop drops what waits for its turn to be written", async () => {
    const server = await serve();
    const texts = Array.from({ length: 6 }, (_, number) => `line ${number}`);
    const outgoing = texts.map((text, number): OutgoingMessage => {
      return { id: `e${number}`, channel: "net/#room", user: "@alice:example.org", name: "Alice", text };
    });
    const slow = networkOn(server.port, { flood: { burst: 2, linesPerSecond: 4 } });
    const child = new DurableProcess({ networks: [slow], grace: 20, onStop: "quit" }, ["net/#room"], outgoing);
    child.start();
    // What has its echo is not on its way any more; the next one waits for its turn.
    await until(20_000, "two that are done", () => child.read("done").length >= 2 || undefined);
    await child.stop();
    child.start();
    await server.waitFor(() => textsOf(server).length >= texts.length, { timeoutMs: patiently(20_000) });
    await child.stop();
    await child.remove();
    expect(textsOf(server)).toEqual(texts);
  });

  it("what comes while the bridge is away is skipped, and characters that were cut are damaged", async () => {
    const server = await serve();
    const person = await personOn(server);
    bridge = await RunningBridge.start({ networks: [networkOn(server.port)], channels: ["net/#room"] });
    const { core } = await bridge.ready();
    // Every byte in a packet of its own: each character is cut.
    server.inPieces(1);
    const texts = ["before 🧵", "während", "ħere", "after 👩‍👩‍👧"];
    person.say("#room", texts[0]!);
    await core.until("the first", () => core.texts().length === 1);
    await bridge.close();
    for (const text of texts.slice(1, 3)) person.say("#room", text);
    await person.sync();
    bridge = await RunningBridge.start({ networks: [networkOn(server.port)], core, config: { onStop: "quit" } });
    person.say("#room", texts[3]!);
    await core.until("all of it", () => core.texts().length === texts.length);
    expect(core.texts()).toEqual(texts);
  });

  it("channels of the same name on two networks share one queue", async () => {
    const [one, other] = [await serve(), await serve()];
    const [here, there] = [await personOn(one), await personOn(other)];
    bridge = await RunningBridge.start({
      networks: [networkOn(one.port), networkOn(other.port, { name: "other" })],
      channels: ["net/#room", "other/#room"],
      config: { onStop: "quit" },
    });
    const { core } = await bridge.ready();
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    core.beforeReceive = (event) => (event.channel === "net/#room" ? held : Promise.resolve());
    here.say("#room", "waits");
    there.say("#room", "goes on");
    await core.until("the other network's", () => core.texts("other/#room").length === 1);
    expect(core.texts("net/#room")).toEqual([]);
    release?.();
    await core.until("both", () => core.texts("net/#room").length === 1);
    expect(core.messages().map(({ sender }) => sender.id)).toEqual(["other/carol", "net/carol"]);
  });

  it("private messages and actions are not queued: they overtake one another", async () => {
    const server = await serve();
    const person = await personOn(server);
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port)],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    const { core } = await bridge.ready();
    await bridge.say({ channel: core.links[0]!.channel, text: "hello", name: "Alice" });
    const expected: string[] = [];
    for (let number = 0; number < 25; number++) {
      person.say("Alice[m]", `line ${number}`);
      person.action("Alice[m]", `acts ${number}`);
      expected.push(`line ${number}`, `acts ${number}`);
    }
    const query = "net/carol/@alice:example.org";
    await core.until("all of it", () => core.texts(query).length === expected.length);
    expect(core.texts(query)).toEqual(expected);
  });

  it("a certificate that has expired is taken, and one that has not is refused", async () => {
    const day = 86_400_000;
    const expired = selfSignedCertificate({
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - day),
    });
    const server = await serve({ tls: expired });
    const core = new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")));
    const ca = join(core.dataDirectory, "ca.pem");
    writeFileSync(ca, expired.cert);
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port, { tls: true, ca, serverName: "localhost" })],
      core,
      config: { onStop: "quit" },
    });
    const status = await core.until("the refusal", () => {
      const now = core.statuses.get("net");
      return now?.state === "waiting" && now;
    });
    expect(status.detail).toMatch(/expired/);
    expect(server.nicks).toEqual([]);
  });

  it("the wait between attempts grows without end", async () => {
    let attempts = 0;
    const server = createServer((socket) => {
      attempts++;
      socket.on("error", () => undefined).end("ERROR :Closing link: come back later\r\n");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const settings = networkOn(port, { reconnect: { min: 0.05, max: 0.1 } });
    bridge = await RunningBridge.start({ networks: [settings], channels: [], config: { onStop: "quit" } });
    // Waits that grow by their first length alone come to 40 s, those that double to years.
    await bridge.core.until("forty attempts", () => attempts >= 40, 30_000);
    server.close();
  });

  it("who connects for the first time, and is never let in, is waited for without end", async () => {
    let isAsked = false;
    const server = createServer((socket) => {
      // It takes everything and says nothing.
      socket.on("data", () => (isAsked = true)).on("error", () => undefined);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    bridge = await RunningBridge.start({
      networks: [networkOn(port)],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.core.until("the first connection", () => isAsked);
    const saying = { channel: ChannelId("net/#room"), text: "hello", name: "Alice" };
    const [putOff] = await within(20_000, "an answer", bridge.say(saying, { attempts: 1, timeoutMs: 300 }));
    expect(putOff).toMatchObject({ failed: "retry", reason: expect.stringContaining("not connected") });
    await bridge.end();
    bridge = undefined;
    server.close();
  });

  it("an option that nobody knows is taken, and does nothing", () => {
    const problems = (more: object, network: object) =>
      configSchema.safeParse({ networks: [{ name: "net", host: "irc.example.org", ...network }], ...more }).success;
    expect(problems({}, {})).toBe(true);
    expect(problems({ ignoreIdleUsersOnStartup: { enabled: true } }, {})).toBe(false);
    expect(problems({}, { powerLevelGracePeriod: 1_000 })).toBe(false);
    // The names of homeservers are the operator's.
    const sections = Object.keys(networkSchema.shape).filter((section) => section !== "maxPuppetsOf");
    for (const section of sections)
      expect([section, problems({}, { [section]: { unknown: 1 } })]).toEqual([section, false]);
  });
});
