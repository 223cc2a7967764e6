import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { IrcServer, IrcTestClient, selfSignedCertificate } from "../dist/irc/index.js";
import { freePort } from "../../../test/support/bounded.js";

let irc: IrcServer;
let people: IrcTestClient[] = [];

beforeEach(async () => {
  irc = await IrcServer.start({ port: await freePort() });
});

afterEach(async () => {
  for (const person of people) person.close();
  people = [];
  await irc.stop();
});

async function person(nick: string, caps: readonly string[] = []): Promise<IrcTestClient> {
  const client = await IrcTestClient.connect({ port: irc.port, nick, caps });
  people.push(client);
  return client;
}

async function pair(): Promise<[IrcTestClient, IrcTestClient]> {
  const [alice, bob] = [await person("alice", ["batch"]), await person("bob")];
  await alice.join("#x");
  await bob.join("#x");
  return [alice, bob];
}

describe("connections", () => {
  it("break off, or are closed with ERROR, or are killed for a flood", async () => {
    const [alice, bob] = await pair();
    irc.disconnect("bob");
    await alice.waitForLine(":bob!bob@127.0.0.1 QUIT :Connection reset by peer");
    await expect(bob.waitForLine("never")).rejects.toThrow("closed");
    const carol = await person("carol");
    await carol.join("#x");
    irc.disconnect("carol", "K-Lined: no bridges");
    await carol.waitForLine("ERROR :Closing link: (carol@127.0.0.1) [K-Lined: no bridges]");
    const dave = await person("dave");
    irc.floodKill("dave");
    await dave.waitForLine("ERROR :Closing link: (dave@127.0.0.1) [Excess Flood]");
    expect(() => irc.disconnect("bob")).toThrow("Nobody has the nick bob");
  });

  it("are refused at registration with a text of the test's choice", async () => {
    irc.refuseRegistration("Too many host connections");
    await expect(person("alice")).rejects.toThrow("ERROR :Closing link: (alice@127.0.0.1) [Too many host connections]");
    irc.refuseRegistration(undefined);
    await person("alice");
  });

  it("come back after an outage on the same port, and the log is still there", async () => {
    const [alice, bob] = await pair();
    alice.say("#x", "before");
    await bob.waitForLine("before");
    const { port } = irc;
    await irc.stop();
    await expect(bob.waitForLine("never")).rejects.toThrow("closed");
    await expect(person("carol")).rejects.toThrow("ECONNREFUSED");
    await irc.start();
    expect(irc.port).toBe(port);
    expect(irc.nicks).toEqual([]);
    const again = await person("alice");
    await again.join("#x");
    again.say("#x", "after");
    await irc.waitFor(() => irc.channel("#x").log.length === 2);
    expect(irc.channel("#x").log.map(({ text }) => text)).toEqual(["before", "after"]);
  });

  it("lag, in order, until the lag ends", async () => {
    const [alice, bob] = await pair();
    irc.lag(80);
    alice.say("#x", "one");
    alice.say("#x", "two");
    await irc.waitFor(() => irc.channel("#x").log.length === 2);
    expect(bob.lines.some((line) => line.includes("PRIVMSG #x"))).toBe(false);
    irc.lag(0);
    alice.say("#x", "three");
    await bob.waitForLine("three");
    expect(bob.lines.filter((line) => line.includes("PRIVMSG #x")).map((line) => line.split(":").at(-1))).toEqual([
      "one",
      "two",
      "three",
    ]);
  });

  it("stop being read, so that nothing arrives until they are read again", async () => {
    const [alice, bob] = await pair();
    irc.pauseReading("alice");
    alice.say("#x", "held back");
    bob.say("#x", "not held back");
    await alice.waitForLine("not held back");
    await bob.sync();
    expect(irc.channel("#x").log.map(({ text }) => text)).toEqual(["not held back"]);
    irc.resumeReading("alice");
    await bob.waitForLine(" :held back");
  });

  it("are closed when they do not read what they are sent", async () => {
    await irc.stop();
    irc = await IrcServer.start({ sendQ: 16 * 1024 });
    const [alice] = await pair();
    const deaf = connect(irc.port, "127.0.0.1");
    deaf.on("error", () => undefined);
    deaf.write("NICK deaf\r\nUSER deaf 0 * :deaf\r\nJOIN #x\r\n");
    await irc.waitFor(() => irc.channel("#x").members.includes("deaf"));
    deaf.pause();
    for (let sent = 0; irc.nicks.includes("deaf") && sent < 500; sent += 1) {
      for (let line = 0; line < 500; line += 1) alice.say("#x", "x".repeat(400));
      await alice.sync();
    }
    await alice.waitForLine("QUIT :SendQ exceeded");
    deaf.destroy();
  });

  it("are pinged when silent and closed when dead", async () => {
    await irc.stop();
    irc = await IrcServer.start({ pingAfterMs: 30, registrationTimeoutMs: 60 });
    const alice = await person("alice");
    const dead = connect(irc.port, "127.0.0.1");
    let seen = "";
    dead.setEncoding("utf8").on("data", (chunk) => (seen += String(chunk)));
    dead.write("NICK dead\r\nUSER dead 0 * :dead\r\n");
    const silent = connect(irc.port, "127.0.0.1");
    silent.on("error", () => undefined).resume();
    await alice.waitForLine("PING :irc.testkit.example");
    await irc.waitFor(() => irc.connections === 1, { what: "the dead to be closed" });
    expect(seen).toContain("PING :irc.testkit.example");
    expect(irc.nicks).toEqual(["alice"]);
    dead.destroy();
    silent.destroy();
  });
});

describe("TLS", () => {
  it("is spoken with the certificate that is given, which a client can verify", async () => {
    await irc.stop();
    const { key, cert } = selfSignedCertificate();
    irc = await IrcServer.start({ tls: { key, cert } });
    const alice = await IrcTestClient.connect({ port: irc.port, nick: "alice", tls: { ca: cert } });
    people.push(alice);
    alice.raw("WHOIS alice");
    await alice.waitForLine(" 671 alice alice :is using a secure connection");
    const other = selfSignedCertificate();
    await expect(IrcTestClient.connect({ port: irc.port, nick: "bob", tls: { ca: other.cert } })).rejects.toThrow(
      /self-signed|signature/,
    );
  });

  it("is refused by a client when the certificate is for another host or too old", async () => {
    const wrong = [
      { names: ["irc.example.org"] },
      { notBefore: new Date("2001-01-01"), notAfter: new Date("2001-01-02") },
    ];
    for (const options of wrong) {
      const { key, cert } = selfSignedCertificate(options);
      const server = await IrcServer.start({ tls: { key, cert } });
      await expect(IrcTestClient.connect({ port: server.port, nick: "alice", tls: { ca: cert } })).rejects.toThrow(
        /altnames|expired/,
      );
      await server.stop();
    }
  });
});

describe("flood rules", () => {
  it("kill who sends too much at once", async () => {
    const alice = await person("alice");
    irc.setFlood({ fakelag: false, threshold: 5 });
    for (let line = 0; line < 20; line += 1) alice.say("alice", "spam");
    await alice.waitForLine("[Excess Flood]");
    expect(irc.messagesTo("alice")).toHaveLength(5);
  });

  it("hold back with fakelag, in order, and kill when the queue overflows", async () => {
    const alice = await person("alice");
    irc.setFlood({ threshold: 5, rate: 100, recvQ: 4096 });
    for (let line = 0; line < 20; line += 1) alice.say("alice", `line ${line}`);
    await alice.waitForLine("line 4");
    await irc.waitFor(() => irc.messagesTo("alice").length === 20);
    expect(irc.messagesTo("alice").map(({ text }) => text)).toEqual(
      Array.from({ length: 20 }, (_none, line) => `line ${line}`),
    );
    irc.setFlood({ threshold: 5, rate: 0.1, recvQ: 4096 });
    for (let line = 0; line < 20; line += 1) alice.say("alice", "x".repeat(400));
    await alice.waitForLine("[RecvQ exceeded]");
  });
});

describe("netsplit", () => {
  it("lets both sides see the other quit, keeps them apart, and brings them back with their modes", async () => {
    const [alice, bob] = await pair();
    const carol = await person("carol");
    await carol.join("#x");
    irc.setModes("#x", "+v", "bob");
    irc.netsplit(["bob", "carol"]);
    const split = "hub.testkit.example leaf.testkit.example";
    await alice.waitForLine(`:bob!bob@127.0.0.1 QUIT :${split}`);
    await alice.waitForLine(`:carol!carol@127.0.0.1 QUIT :${split}`);
    expect(await alice.waitForLine(/BATCH \+/)).toContain(`netsplit ${split}`);
    await bob.waitForLine(`:alice!alice@127.0.0.1 QUIT :${split}`);
    alice.say("#x", "here");
    bob.say("#x", "there");
    await carol.waitForLine("there");
    await alice.sync();
    expect(alice.lines.some((line) => line.includes("there"))).toBe(false);
    expect(carol.lines.some((line) => line.includes(" :here"))).toBe(false);
    expect(carol.lines.some((line) => line.includes("bob!bob@127.0.0.1 QUIT"))).toBe(false);
    irc.netjoin();
    await bob.waitForLine(":irc.testkit.example MODE #x +o alice");
    await alice.waitForLine(":irc.testkit.example MODE #x +v bob");
    expect(await alice.waitForLine(/BATCH \+\S+ netjoin/)).toContain(split);
    alice.say("#x", "together");
    await bob.waitForLine("together");
  });
});

describe("waitFor", () => {
  it("rejects with what was waited for, and with what the predicate throws", async () => {
    await expect(irc.waitFor(() => undefined, { timeoutMs: 20, what: "rain" })).rejects.toThrow(
      "Waited 20 ms in vain for rain",
    );
    const thrown = irc.waitFor(() => {
      if (irc.connections > 0) throw new Error("seen");
      return undefined;
    });
    const caught = expect(thrown).rejects.toThrow("seen");
    await person("alice");
    await caught;
  });
});
