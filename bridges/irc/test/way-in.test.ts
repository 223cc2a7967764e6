import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import connector from "@trestle/irc";
import { IrcServer, IrcTestClient, selfSignedCertificate } from "@trestle/testkit";
import { RawServer } from "./support/raw-server.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
let server: IrcServer;
let bridge: RunningBridge;

afterEach(async () => {
  await bridge.end();
  await server.stop();
});

async function start(more: Parameters<typeof networkOn>[1] = {}): Promise<RunningBridge> {
  bridge = await RunningBridge.start({
    networks: [networkOn(server.port, more)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  return bridge;
}

const statusOf = (state: string) =>
  bridge.core.until(`the state ${state}`, () => {
    const status = bridge.core.statuses.get("net");
    return status?.state === state && status;
  });

describe("the way in", () => {
  it("goes through SASL and a server password", async () => {
    server = await IrcServer.start({ accounts: { bridge: "a b:c" }, password: "open sesame" });
    await (await start({ sasl: { account: "bridge", password: "a b:c" }, password: "open sesame" })).ready();
    expect(server.linesFrom("trestle").some((line) => line.startsWith("AUTHENTICATE "))).toBe(true);
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    // The password of the account is the bot's alone.
    expect(server.linesFrom("Alice[m]").some((line) => line.startsWith("AUTHENTICATE "))).toBe(false);
  });

  it("ends where SASL fails: the bot does not come in without its account", async () => {
    server = await IrcServer.start({ accounts: { bridge: "right" } });
    await start({ sasl: { account: "bridge", password: "wrong" } });
    expect((await statusOf("failed")).detail).toMatch(/signing in as bridge failed/);
    expect(server.nicks).toEqual([]);
  });

  it("goes only the way through SASL that the operator wants", async () => {
    server = await IrcServer.start({ accounts: { bridge: "right" } });
    await (await start({ sasl: { account: "bridge", password: "right", mechanism: "PLAIN" } })).ready();
    const asked = () =>
      server.linesFrom("trestle").filter((line) => /^AUTHENTICATE [A-Z]+(?:-[A-Z0-9-]+)?$/.test(line));
    expect(asked()).toEqual(["AUTHENTICATE PLAIN"]);
    await bridge.end();
    await server.stop();
    server = await IrcServer.start({ accounts: { bridge: "right" }, saslMechanisms: ["PLAIN"] });
    await start({ sasl: { account: "bridge", password: "right", mechanism: "SCRAM-SHA-256" } });
    await bridge.core.until("the refusal", () =>
      /no way to sign in/.test(bridge.core.statuses.get("net")?.detail ?? ""),
    );
    expect(asked()).toEqual([]);
  });

  it("goes with a certificate instead of a password, the bot's alone", async () => {
    const tls = selfSignedCertificate();
    const own = selfSignedCertificate();
    const fingerprints = [new X509Certificate(own.cert).fingerprint256.replaceAll(":", "").toLowerCase()];
    server = await IrcServer.start({ accounts: { bridge: { fingerprints } }, tls });
    const directory = mkdtempSync(join(tmpdir(), "trestle-irc-"));
    const certificate = join(directory, "bot.pem");
    writeFileSync(certificate, own.cert + own.key);
    const network = { tls: true, insecure: true, sasl: { account: "bridge", certificate } };
    try {
      await (await start(network)).ready();
      expect(server.linesFrom("trestle").join("\n")).toContain("AUTHENTICATE EXTERNAL");
      await bridge.say({ channel: room, text: "hi", name: "Alice" });
      expect(server.linesFrom("Alice[m]").join("\n")).not.toContain("AUTHENTICATE");
      await bridge.end();
      rmSync(certificate);
      await expect(start(network)).rejects.toThrow(/sasl\.certificate of the network net cannot be read/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("never sends the server's password to services", async () => {
    server = await IrcServer.start({ accounts: { trestle: "secret" }, password: "secret" });
    await (await start({ password: "secret" })).ready();
    expect(server.linesFrom("trestle").filter((line) => /AUTHENTICATE|NickServ/i.test(line))).toEqual([]);
  });

  it("is found where the nick is taken, and where the server sends no 005 and no capabilities", async () => {
    server = await IrcServer.start({ isupport: false });
    for (const name of ["message-tags", "echo-message", "labeled-response", "batch", "server-time"] as const)
      server.setCapability(name, false);
    server.holdNick("trestle");
    await (await start()).ready();
    expect(server.nicks).toEqual(["trestle2"]);
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    expect(server.channel("#room").log.map(({ text }) => text)).toEqual(["hi"]);
  });

  it("checks the server's certificate", async () => {
    const certificate = selfSignedCertificate();
    server = await IrcServer.start({ tls: certificate });
    await start({ tls: true });
    expect((await statusOf("waiting")).detail).toMatch(/self.signed|certificate/i);
    expect(server.nicks).toEqual([]);
    const ca = join(bridge.core.dataDirectory, "ca.pem");
    writeFileSync(ca, certificate.cert);
    await bridge.close();
    const { core } = bridge;
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port, { tls: true, ca, serverName: "localhost" })],
      core,
      config: { onStop: "quit" },
    });
    await bridge.ready();
    expect(server.nicks).toEqual(["trestle"]);
  });

  it("follows the server's spelling rules, also in the ids of channels and people", async () => {
    server = await IrcServer.start({ caseMapping: "ascii" });
    const person = await IrcTestClient.connect({ port: server.port, nick: "Nick[a]" });
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port)],
      channels: ["net/#room[x]"],
      config: { onStop: "quit" },
    });
    await bridge.core.until("the bot", () => server.channel("#room[x]").members.includes("trestle"));
    await person.join("#Room[X]");
    person.say("#room[x]", "hello");
    await bridge.core.until("the message", () => bridge.core.texts("net/#room[x]").includes("hello"));
    expect(bridge.core.messages()[0]?.sender.id).toBe("net/nick[a]");
    person.close();
  });
});

describe("the configuration", () => {
  it("says what is wrong with it", async () => {
    server = await IrcServer.start();
    await start();
    const problems = (networks: unknown) =>
      connector.config
        .safeParse({ networks })
        .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    expect(problems([])).toHaveLength(1);
    expect(
      problems([
        { name: "net", host: "h" },
        { name: "net", host: "h" },
      ]),
    ).toEqual(["networks: two networks have the same name"]);
    expect(problems([{ name: "net", host: "h", realname: "a\r\nQUIT" }])).toEqual([
      "networks.0.realname: a real name must be one line",
    ]);
    expect(problems([{ name: "net", host: "h", encoding: "klingon" }])?.[0]).toMatch(
      /^networks.0.encoding: an encoding/,
    );
    expect(problems([{ name: "net", host: "h", colour: "red" }])?.[0]).toMatch(/colour/);
    expect(connector.config.parse({ networks: [{ name: "net", host: "h" }] }).networks[0]).toMatchObject({
      tls: true,
      insecure: false,
      puppets: true,
    });
  });
});

describe("a server that goes its own way", () => {
  let raw: RawServer;
  const received = (text: string) => raw.until(text, () => raw.received.at(-1)?.includes(text) === true);

  beforeEach(async () => {
    // For what every test here ends with.
    server = await IrcServer.start();
    raw = await RawServer.start();
  });
  afterEach(() => raw.stop());

  it("is said goodbye to where it offers no way to sign in", async () => {
    bridge = await RunningBridge.start({
      networks: [networkOn(raw.port, { sasl: { account: "bridge", password: "right" } })],
      config: { onStop: "quit" },
    });
    await received("CAP LS");
    raw.sockets[0]?.write("CAP * LS :sasl=EXTERNAL\r\n");
    await received("CAP REQ :sasl");
    raw.sockets[0]?.write("CAP * ACK :sasl\r\n");
    await received("QUIT");
    expect(raw.received[0]).not.toContain("AUTHENTICATE");
  });

  it("is not waited for where it does not close after its last word", async () => {
    bridge = await RunningBridge.start({ networks: [networkOn(raw.port)], config: { onStop: "quit" } });
    await received("CAP LS");
    raw.sockets[0]?.write("ERROR :Closing link\r\nERROR :Closing link\r\n");
    await raw.until("another connection", () => raw.sockets.length === 2);
  });
});
