import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { IrcTestClient, ManualIrcClock, selfSignedCertificate } from "../dist/irc/index.js";
import { ask, Party } from "./irc-support.js";

let party: Party;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await party.end();
});

/** A connection of bytes alone: what has come, and whether it is over. */
function raw(port: number): { socket: Socket; seen: () => string; ended: Promise<void> } {
  let text = "";
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  sockets.push(socket);
  socket.on("data", (chunk) => (text += String(chunk)));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { socket, seen: () => text, ended };
}

describe("the clock", () => {
  it("decides when fakelag lets a command pass", async () => {
    const clock = new ManualIrcClock();
    party = await Party.start({ clock });
    const alice = await party.person("alice");
    const bob = await party.person("bob");
    party.irc.setFlood({ threshold: 5, rate: 1 });
    for (let line = 1; line <= 8; line += 1) alice.say("bob", String(line));
    await bob.waitForLine(/ :5$/);
    const count = (): number => party.irc.messagesTo("bob").length;
    expect(count()).toBe(5);
    clock.advance(900);
    expect(count()).toBe(5);
    clock.advance(200);
    expect(count()).toBe(6);
    clock.advance(60_000);
    expect(party.irc.messagesTo("bob").map(({ text }) => text)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it("forgives a flood at its rate, and kills what comes faster", async () => {
    const clock = new ManualIrcClock();
    party = await Party.start({ clock });
    const alice = await party.person("alice");
    party.irc.setFlood({ threshold: 3, rate: 1, fakelag: false });
    for (let round = 0; round < 3; round += 1) {
      for (let line = 0; line < 3; line += 1) alice.say("alice", "x");
      await party.irc.waitFor(() => party.irc.messagesTo("alice").length === 3 * (round + 1));
      clock.advance(3_000);
    }
    for (let line = 0; line < 4; line += 1) alice.say("alice", "x");
    await alice.waitForLine("[Excess Flood]");
  });

  it("decides when lines that lag arrive, and what time they bear", async () => {
    const clock = new ManualIrcClock(Date.parse("2024-05-06T07:08:09.000Z"));
    party = await Party.start({ clock });
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], ["server-time"])) as [
      IrcTestClient,
      IrcTestClient,
    ];
    party.irc.lag(60_000);
    alice.say("#x", "late");
    await party.irc.waitFor(() => party.irc.channel("#x").log.length === 1);
    party.irc.lag(0);
    clock.advance(59_999);
    expect(bob.lines.some((line) => line.includes("late"))).toBe(false);
    clock.advance(1);
    expect(await bob.waitForLine(":late")).toContain("@time=2024-05-06T07:08:09.000Z ");
  });

  it("decides when the silent are pinged and closed, and who registers too late", async () => {
    const clock = new ManualIrcClock();
    party = await Party.start({ clock, pingAfterMs: 120_000, registrationTimeoutMs: 60_000 });
    const alice = await party.person("alice");
    const silent = raw(party.irc.port);
    const deaf = raw(party.irc.port);
    deaf.socket.write("NICK deaf\r\nUSER deaf 0 * :deaf\r\n");
    await party.irc.waitFor(() => party.irc.nicks.includes("deaf"));
    clock.advance(70_000);
    await silent.ended;
    expect(silent.seen()).toContain("[Registration timed out]");
    clock.advance(60_000);
    await alice.waitForLine("PING :");
    await alice.sync();
    clock.advance(150_000);
    await deaf.ended;
    expect(deaf.seen()).toMatch(/PING :.*\r\nERROR .*Ping timeout: \d+ seconds/s);
    expect(party.irc.nicks).toEqual(["alice"]);
  });
});

describe("broken connections", () => {
  it("end in the middle of a line", async () => {
    party = await Party.start();
    const alice = await party.person("alice");
    await alice.join("#x");
    const bob = raw(party.irc.port);
    bob.socket.write("NICK bob\r\nUSER bob 0 * :bob\r\nJOIN #x\r\n");
    await party.irc.waitFor(() => party.irc.channel("#x").members.includes("bob"));
    party.irc.closeInMidLine("bob", ":alice!alice@host PRIVMSG #x :half a");
    await bob.ended;
    expect(bob.seen().endsWith(":alice!alice@host PRIVMSG #x :half a")).toBe(true);
    await alice.waitForLine("QUIT :Connection reset by peer");
  });

  it("stay half open: nothing comes and goes until the ping times out", async () => {
    const clock = new ManualIrcClock();
    party = await Party.start({ clock });
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"])) as [IrcTestClient, IrcTestClient];
    party.irc.vanish("bob");
    const before = bob.lines.length;
    bob.say("#x", "lost");
    alice.say("#x", "unheard");
    await alice.sync();
    expect(party.irc.channel("#x")).toMatchObject({ members: ["alice", "bob"], log: [{ text: "unheard" }] });
    expect(bob.closed).toBe(false);
    for (let minute = 0; minute < 5; minute += 1) {
      clock.advance(60_000);
      await alice.sync();
    }
    await alice.waitForLine(/:bob!\S+ QUIT :Ping timeout/);
    await expect(bob.waitForLine("never", { since: before })).rejects.toThrow("closed");
  });

  it("are accepted and never answered", async () => {
    party = await Party.start();
    party.irc.acceptMutely(true);
    await expect(party.person("alice", [], { timeoutMs: 200 })).rejects.toThrow("in vain");
    party.irc.acceptMutely(false);
    await party.person("alice");
  });

  it("deliver in pieces what is whole in the end, with letters cut in two", async () => {
    party = await Party.start();
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"])) as [IrcTestClient, IrcTestClient];
    party.irc.inPieces(3);
    alice.say("#x", "grüße, 世界 👋");
    alice.say("#x", "second");
    await bob.waitForLine(":second");
    expect(bob.lines.filter((line) => line.includes(" PRIVMSG #x ")).map((line) => line.replace(/.* :/, ""))).toEqual([
      "grüße, 世界 👋",
      "second",
    ]);
    party.irc.inPieces(0);
    alice.say("#x", "third");
    await bob.waitForLine(":third");
  });

  it("are killed by operators, by the test, and for everyone to see", async () => {
    party = await Party.start({ operators: { root: "toor" } });
    const [alice, bob, carol] = (await party.inChannel("#x", ["alice", "bob", "carol"])) as [
      IrcTestClient,
      IrcTestClient,
      IrcTestClient,
    ];
    party.irc.kill("carol", "spam");
    await carol.waitForLine(":irc.testkit.example KILL carol :spam");
    await carol.waitForLine("ERROR :Closing link: (carol@127.0.0.1) [Killed (irc.testkit.example (spam))]");
    await bob.waitForLine("QUIT :Killed (irc.testkit.example (spam))");
    expect((await ask(bob, "KILL alice :no"))[0]?.command).toBe("481");
    expect((await ask(bob, "OPER root wrong"))[0]?.command).toBe("464");
    expect((await ask(bob, "OPER root toor")).map(({ command }) => command)).toEqual(["381", "MODE"]);
    bob.raw("KILL alice :bye");
    await alice.waitForLine(":bob!bob@127.0.0.1 KILL alice :bye");
  });
});

describe("line lengths", () => {
  it("are refused with 417, tags and text each by their own limit", async () => {
    party = await Party.start();
    const alice = await party.person("alice", ["message-tags", "echo-message"]);
    const tagged = (bytes: number): string => `@+x=${"y".repeat(bytes - "+x=".length)} PRIVMSG alice :x`;
    const line = (bytes: number): string => `PRIVMSG alice :${"y".repeat(bytes - "PRIVMSG alice :".length)}`;
    const commands = async (text: string): Promise<string[]> => (await ask(alice, text)).map(({ command }) => command);
    expect(await commands(tagged(4094))).toEqual(["PRIVMSG", "PRIVMSG"]);
    expect(await commands(tagged(4095))).toEqual(["417"]);
    expect(await commands(line(510))).toEqual(["PRIVMSG", "PRIVMSG"]);
    expect(await commands(line(511))).toEqual(["417"]);
    expect(await commands(tagged(4094).replace("PRIVMSG alice :x", line(510)))).toEqual(["PRIVMSG", "PRIVMSG"]);
  });

  it("grow with LINELEN, and what is relayed is cut where it is full", async () => {
    party = await Party.start({ limits: { line: 1024 } });
    const alice = await party.person("alice", ["echo-message"]);
    expect(alice.lines.join(" ")).toContain(" LINELEN=1024 ");
    const [echo] = await ask(alice, `PRIVMSG alice :${"y".repeat(1_000)}`);
    expect(echo?.params[1]).toHaveLength(1024 - 2 - ":alice!alice@127.0.0.1 PRIVMSG alice :".length);
  });
});

describe("TLS beside plain text", () => {
  it("announces a policy: the port to the insecure, the duration to the secure", async () => {
    const tls = selfSignedCertificate();
    party = await Party.start({ tls, tlsPort: 0, sts: { durationSeconds: 300, preload: true } });
    const offer = async (client: IrcTestClient): Promise<string | undefined> =>
      (await ask(client, "CAP LS 302"))[0]?.params
        .at(-1)
        ?.split(" ")
        .find((one) => one.startsWith("sts"));
    const insecure = await party.person("alice");
    const secure = await party.person("bob", [], { port: party.irc.tlsPort, tls: { ca: tls.cert } });
    expect(await offer(insecure)).toBe(`sts=port=${party.irc.tlsPort}`);
    expect(await offer(secure)).toBe("sts=duration=300,preload");
    expect((await ask(secure, "CAP REQ sts"))[0]?.params[1]).toBe("NAK");
    party.irc.setSts({ durationSeconds: 0 });
    await secure.waitForLine(" CAP bob NEW :sts=duration=0");
    await insecure.waitForLine(` CAP alice NEW :sts=port=${party.irc.tlsPort}`);
    party.irc.setSts(undefined);
    expect(await offer(insecure)).toBeUndefined();
  });

  it("keeps both ports across an outage", async () => {
    const tls = selfSignedCertificate();
    party = await Party.start({ tls, tlsPort: 0 });
    const { port, tlsPort } = party.irc;
    expect(port).not.toBe(tlsPort);
    await party.irc.stop();
    await party.irc.start();
    await party.person("alice", [], { port });
    await party.person("bob", [], { port: tlsPort, tls: { ca: tls.cert } });
    expect(
      (await ask(await party.person("carol", [], { port }), "WHOIS bob")).some(({ command }) => command === "671"),
    ).toBe(true);
  });
});

describe("WEBIRC", () => {
  it("lets a gateway with the password say whom a connection is from", async () => {
    party = await Party.start({ webirc: "gate" });
    const alice = await party.person("alice");
    const first = async (line: string): Promise<string> => {
      const one = raw(party.irc.port);
      one.socket.write(`${line}\r\nNICK bob\r\nUSER bob 0 * :bob\r\nUSERHOST bob\r\nQUIT\r\n`);
      await one.ended;
      return / 302 bob :bob=\+(\S+)/.exec(one.seen())?.[1] ?? one.seen();
    };
    expect(await first("WEBIRC gate web somewhere.example 198.51.100.7")).toBe("bob@somewhere.example");
    expect(await first("WEBIRC gate web 0::1 0::1")).toBe("bob@0::1");
    expect(await first("WEBIRC wrong web somewhere.example 198.51.100.7")).toContain("Invalid WebIRC password");
    expect((await ask(alice, "WEBIRC gate web somewhere.example 198.51.100.7"))[0]?.command).toBe("421");
  });
});
