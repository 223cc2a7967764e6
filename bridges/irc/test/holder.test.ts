import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { encodeToBridge, type OpenOptions } from "../dist/holder/frames.js";
import { HolderLink, type LinkEvents } from "../dist/holder-client/link.js";
import { holderPaths, readOrMakeToken } from "../dist/holder-client/paths.js";
import { RawServer } from "./support/raw-server.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(60_000);

const PROGRAM = fileURLToPath(new URL("../dist/holder/main.js", import.meta.url));
const token = "t".repeat(64);

let directory: string;
let server: RawServer;
let holders: ChildProcess[];
let links: HolderLink[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "trestle-holder-"));
  writeFileSync(join(directory, "token"), token);
  server = await RawServer.start();
  holders = [];
  links = [];
});

afterEach(async () => {
  for (const link of links) await link.end();
  for (const holder of holders) {
    if (holder.exitCode === null && holder.signalCode === null) {
      const exited = once(holder, "exit");
      holder.kill("SIGKILL");
      await exited;
    }
  }
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const path = () => join(directory, "s");

function startHolder(graceMs = 30_000): ChildProcess {
  const child = spawn(
    process.execPath,
    [PROGRAM, path(), join(directory, "token"), join(directory, "spool"), String(graceMs)],
    { stdio: "ignore" },
  );
  holders.push(child);
  return child;
}

/** What a link was told, in order. */
class Told {
  readonly lines: [connection: string, number: number, line: string][] = [];
  readonly events: string[] = [];
  opened(connection: string): void {
    this.events.push(`opened ${connection}`);
  }
  closed(connection: string, reason: string): void {
    this.events.push(`closed ${connection}: ${reason}`);
  }
  ended(reason: string, replaced: boolean): void {
    this.events.push(`ended ${String(replaced)}: ${reason}`);
  }
  receivedLines(connection: string, first: number, lines: readonly Buffer[]): void {
    lines.forEach((line, index) => this.lines.push([connection, first + index, line.toString("latin1")]));
  }
}

function eventsOf(told: Told): LinkEvents {
  return {
    dialled: (connection, { localPort, remotePort }) =>
      told.events.push(`dialled ${connection} ${localPort} ${remotePort}`),
    opened: (connection) => told.opened(connection),
    closed: (connection, reason) => told.closed(connection, reason),
    ended: (reason, replaced) => told.ended(reason, replaced),
    lines: (connection, first, lines) => told.receivedLines(connection, first, lines),
  };
}

async function attach(told = new Told(), graceMs = 30_000) {
  for (let attempt = 0; ; attempt++) {
    try {
      const opened = await HolderLink.open({ path: path(), token, graceMs, quit: "bye", events: eventsOf(told) });
      links.push(opened.link);
      return { ...opened, told };
    } catch (error) {
      if (attempt > 200 || !/ENOENT|ECONNREFUSED/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const options = (more: Partial<OpenOptions> = {}): OpenOptions => ({
  host: "127.0.0.1",
  port: server.port,
  tls: false,
  ca: undefined,
  serverName: undefined,
  insecure: false,
  fingerprints: [],
  localAddress: undefined,
  clientCertificate: undefined,
  connectTimeoutMs: 5_000,
  pingAfterMs: 60_000,
  pingTimeoutMs: 30_000,
  ...more,
});

async function until(what: string, condition: () => boolean, milliseconds = 20_000): Promise<void> {
  const deadline = Date.now() + patiently(milliseconds);
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function opened() {
  startHolder();
  const attached = await attach();
  attached.link.send({ type: "open", connection: "c1", options: options(), state: [["base", "b"]] });
  await server.until("the connection", () => server.sockets.length === 1);
  await until("opened", () => attached.told.events.includes("opened c1"));
  return { ...attached, socket: server.sockets[0]! };
}

describe("the holder", () => {
  it("numbers lines, gives them again until they are acknowledged, and keeps the state", async () => {
    const { link, told, socket } = await opened();
    socket.write("one\r\ntwo\nthr");
    socket.write("ee\r\n\r\n\xff\xfe\r\n", "latin1");
    await until("four lines", () => told.lines.length === 4);
    expect(told.lines).toEqual([
      ["c1", 1, "one"],
      ["c1", 2, "two"],
      ["c1", 3, "three"],
      ["c1", 4, "\xff\xfe"],
    ]);
    link.acknowledge("c1", 2, [
      ["a", "1"],
      ["b", "2"],
      ["a", undefined],
    ]);
    await link.end();
    socket.write("while away\r\n");
    const again = await attach();
    expect(again.welcome.held).toEqual([
      {
        type: "held",
        connection: "c1",
        open: true,
        state: [
          ["base", "b"],
          ["b", "2"],
        ],
      },
    ]);
    again.link.send({ type: "attach", connection: "c1" });
    await until("the rest", () => again.told.lines.length === 3);
    expect(again.told.lines).toEqual([
      ["c1", 3, "three"],
      ["c1", 4, "\xff\xfe"],
      ["c1", 5, "while away"],
    ]);
  });

  it("names the ends of a connection before it is open, and again to the next bridge", async () => {
    const { link, told, socket } = await opened();
    const ends = `dialled c1 ${socket.remotePort} ${server.port}`;
    expect(told.events.slice(0, 2)).toEqual([ends, "opened c1"]);
    await link.end();
    const again = await attach();
    again.link.send({ type: "attach", connection: "c1" });
    await until("the ends", () => again.told.events.includes("opened c1"));
    expect(again.told.events).toEqual([ends, "opened c1"]);
  });

  it("answers PING also while no bridge is there, and hides it", async () => {
    const { link, told, socket } = await opened();
    socket.write("PING :a b\r\n@x=y :irc.server PING token\r\n:n!u@h PRIVMSG #c :PING me\r\n");
    await server.until("both answers", () => server.received[0] === "PONG :a b\r\nPONG token\r\n");
    await link.end();
    socket.write("PING :away\r\n");
    await server.until("the third", () => server.received[0]!.endsWith("PONG :away\r\n"));
    expect(told.lines).toEqual([["c1", 1, ":n!u@h PRIVMSG #c :PING me"]]);
  });

  it("stops reading rather than dropping when nobody takes the lines, and then gives all", async () => {
    const { link, socket } = await opened();
    await link.end();
    const count = 40_000;
    const line = (number: number) => `:n!u@h PRIVMSG #c :${number} ${"x".repeat(300)}`;
    let sent = 0;
    const pump = () => {
      while (sent < count && socket.write(`${line(sent)}\r\n`)) sent++;
      if (sent < count) sent++;
    };
    socket.on("drain", pump);
    pump();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // 12 MB are more than the kernel and the holder take.
    expect(sent).toBeLessThan(count);
    const again = await attach();
    again.link.send({ type: "attach", connection: "c1" });
    let acknowledged = 0;
    while (acknowledged < count) {
      await until("more lines", () => again.told.lines.length > acknowledged, 20_000);
      // Never more than a window without an acknowledgement.
      expect(again.told.lines.length - acknowledged).toBeLessThanOrEqual(512);
      acknowledged = again.told.lines.length;
      again.link.acknowledge("c1", acknowledged, []);
    }
    expect(again.told.lines.every(([, number, text]) => text === line(number - 1))).toBe(true);
  });

  it("cuts off a server that sends no line end", async () => {
    const { told, socket } = await opened();
    socket.write("x".repeat(100_000));
    await until("the end", () => told.events.some((event) => event.startsWith("closed")));
    expect(told.events.at(-1)).toBe("closed c1: the server sent a line that is too long");
  });

  it("says why a connection cannot be opened, and that a server is silent", async () => {
    const { link, told } = await opened();
    link.send({ type: "open", connection: "c2", options: options({ port: 1 }), state: [] });
    link.send({
      type: "open",
      connection: "c3",
      options: options({ pingAfterMs: 300, pingTimeoutMs: 300 }),
      state: [],
    });
    await until("the refusal", () => told.events.some((event) => /^closed c2: .*ECONNREFUSED/.test(event)));
    await until("the silence", () => told.events.some((event) => /^closed c3: the server was silent/.test(event)));
    expect(server.received[1]).toBe("PING :trestle-holder\r\n");
  });

  it("remembers which effects were written, and what became of them", async () => {
    const { link, socket } = await opened();
    expect(await link.writeEffect("c1", "k1", "m1", Buffer.from("PRIVMSG #c :one\r\n"))).toBe("written");
    expect(await link.writeEffect("c1", "k2", "m2", Buffer.from("PRIVMSG #c :two\r\n"))).toBe("written");
    link.send({ type: "result", key: "k1", result: "fine" });
    await link.end();
    const again = await attach();
    expect(again.welcome.pending).toEqual([{ type: "pending", key: "k2", connection: "c1", meta: "m2", open: true }]);
    expect(await again.link.ask("k1")).toMatchObject({
      outcome: "written",
      connection: "c1",
      open: true,
      result: "fine",
    });
    expect(await again.link.ask("k2")).toMatchObject({ outcome: "written", result: undefined });
    expect(await again.link.ask("k3")).toMatchObject({ outcome: "unknown" });
    socket.destroy();
    again.link.send({ type: "attach", connection: "c1" });
    await until("the end", () => again.told.events.some((event) => event.startsWith("closed")));
    expect(await again.link.ask("k2")).toMatchObject({ outcome: "written", open: false });
    expect(await again.link.writeEffect("c1", "k4", "", Buffer.from("x\r\n"))).toBe("gone");
    expect(await again.link.ask("k4")).toMatchObject({ outcome: "gone" });
    again.link.send({ type: "forget", connection: "c1" });
    await again.link.end();
    expect((await attach()).welcome.held).toEqual([]);
  });

  it("drops what does not concern a puppet before anybody parses it", async () => {
    const { link, told, socket } = await opened();
    link.send({ type: "filter", connection: "c1", nick: "Älice[m]", channels: "#&", ranks: "@+" });
    await link.ask("sync");
    const kept = [
      ":bob!u@h PRIVMSG Älice[m] :to me",
      ":Älice[m]!u@h PRIVMSG #c :my echo",
      "@label=x :irc.server 404 Älice[m] #c :no",
      ":op!u@h KICK #c Älice[m] :out",
      ":Älice[m]!u@h JOIN #d",
      ":Älice[m]!u@h NICK alicia",
      ":bob!u@h NOTICE alicia :to me again",
      "@+draft/react=x;+draft/reply=1 :bob!u@h TAGMSG alicia",
      ":bob!u@h REDACT alicia 1",
      ":alicia!u@h REDACT #c 1",
      ":alicia!u@h PART #c",
      ":irc.server 433 alicia bob :in use",
      "ERROR :closing",
    ];
    const dropped = [
      ":bob!u@h PRIVMSG #c :Älice[m]",
      "@msgid=1 :bob!u@h PRIVMSG @#c :x",
      ":bob!u@h NOTICE &c :x",
      "@+typing=active :bob!u@h TAGMSG #c",
      ":bob!u@h REDACT #c 1 :spam",
      ":bob!u@h JOIN #c",
      ":bob!u@h QUIT :x",
      ":bob!u@h KICK #c eve :Älice[m]",
      ":irc.server 353 Älice[m] = #c :a b c",
      ":bob!u@h MODE #c +o eve",
      ":bob!u@h TOPIC #c :x",
      ":bob!u@h NICK bobby",
    ];
    const mixed = kept.flatMap((line, index) => [line, dropped[index] ?? dropped[0]!]);
    socket.write(`${dropped.concat(mixed).join("\r\n")}\r\nEND\r\n`);
    await until("the end", () => told.lines.some(([, , line]) => line === "END"));
    expect(told.lines.map(([, , line]) => Buffer.from(line, "latin1").toString("utf8"))).toEqual([...kept, "END"]);
  });

  it("serves one bridge: the next takes over, and the first is told", async () => {
    const { told } = await opened();
    await attach();
    await until("the message", () => told.events.some((event) => event.startsWith("ended true")));
  });

  it("is one: a second on the same path ends, and a dead one's socket is taken over", async () => {
    const first = startHolder();
    await attach();
    const second = startHolder();
    await once(second, "exit");
    expect(first.exitCode).toBeNull();
    first.kill("SIGKILL");
    await once(first, "exit");
    expect(existsSync(path())).toBe(true);
    const others = [startHolder(), startHolder(), startHolder()];
    await attach();
    await until("one that is left", () => others.filter(({ exitCode }) => exitCode === null).length === 1);
  });

  it("lets nobody in who does not know the token, and tells nobody", async () => {
    startHolder();
    await attach();
    await expect(
      HolderLink.open({ path: path(), token: "wrong", graceMs: 1, quit: "", events: eventsOf(new Told()) }),
    ).rejects.toThrow(/secret/);
    expect(statSync(path()).mode & 0o077).toBe(0);
    // A stranger in the holder's place.
    const heard: Buffer[] = [];
    const stranger = createServer((socket) => {
      socket.on("data", (chunk) => heard.push(chunk));
      socket.write(encodeToBridge({ type: "challenge", version: 1, nonce: "n", proof: "guess", instance: "i" }));
    });
    await new Promise<void>((resolve) => stranger.listen(join(directory, "stranger"), resolve));
    await expect(
      HolderLink.open({ path: join(directory, "stranger"), token, graceMs: 1, quit: "", events: eventsOf(new Told()) }),
    ).rejects.toThrow(/secret/);
    expect(Buffer.concat(heard).includes(token)).toBe(false);
    await new Promise((resolve) => stranger.close(resolve));
  });

  it("outlives garbage on its socket", async () => {
    const { told, socket } = await opened();
    for (const garbage of [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.alloc(64),
      Buffer.from([0, 0, 0, 1, 99]),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
    ]) {
      const probe = connect(path());
      probe.on("error", () => undefined).resume();
      probe.end(garbage);
      await once(probe, "close");
    }
    socket.write("still here\r\n");
    await until("the line", () => told.lines.length === 1);
  });

  it("ends when no bridge comes: clients quit, and what was not taken is left for the next", async () => {
    const holder = startHolder();
    const { link } = await attach(new Told(), 200);
    link.send({ type: "open", connection: "c1", options: options(), state: [["base", "b"]] });
    await server.until("the connection", () => server.sockets.length === 1);
    await link.ask("sync");
    server.sockets[0]!.write("one\r\ntwo\r\n");
    expect(await link.writeEffect("c1", "k1", "m1", Buffer.from("x\r\n"))).toBe("written");
    await link.end();
    await once(holder, "exit");
    expect(server.received[0]).toBe("x\r\nQUIT :bye\r\n");
    expect(existsSync(path())).toBe(false);
    startHolder();
    const next = await attach();
    expect(next.welcome.held).toEqual([{ type: "held", connection: "c1", open: false, state: [["base", "b"]] }]);
    expect(next.welcome.pending).toMatchObject([{ key: "k1", open: false }]);
    next.link.send({ type: "attach", connection: "c1" });
    await until("the lines", () => next.told.events.some((event) => event.startsWith("closed c1")));
    expect(next.told.lines).toEqual([
      ["c1", 1, "one"],
      ["c1", 2, "two"],
    ]);
    next.link.acknowledge("c1", 2, []);
    next.link.send({ type: "forget", connection: "c1" });
    await until("the spool to go", () => !existsSync(join(directory, "spool")));
  });
});

describe("the holder's files", () => {
  it("have a socket path that is short enough, and a token that only its owner reads", () => {
    const long = join(directory, "d".repeat(150));
    const paths = holderPaths(long, "irc");
    expect(Buffer.byteLength(paths.socket)).toBeLessThan(90);
    expect(holderPaths(long, "irc")).toEqual(paths);
    expect(holderPaths(long, "other").socket).not.toBe(paths.socket);
    const made = readOrMakeToken(paths);
    expect(readOrMakeToken(paths)).toBe(made);
    expect(statSync(paths.token).mode & 0o777).toBe(0o600);
  });
});
