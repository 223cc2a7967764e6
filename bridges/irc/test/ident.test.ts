import { connect, type Socket } from "node:net";
import { userInfo } from "node:os";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import fc from "fast-check";
import { pino } from "pino";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer } from "../../../test/support/servers/index.js";
import { startInspircd } from "../../../test/support/servers/inspircd.js";
import { type IdentClient, IdentServer } from "../dist/ident/ident-server.js";
import { parseQuery } from "../dist/ident/query.js";
import { RawServer } from "./support/raw-server.js";
import { freePort, patiently } from "../../../test/support/bounded.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

const ends = { localAddress: "127.0.0.1", localPort: 40_001, remoteAddress: "127.0.0.1", remotePort: 6667 };

/** Asks, and gives all that is answered until the other side closes; the empty string where it closes without a word. */
async function ask(port: number, question: string, from = "127.0.0.1"): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1", localAddress: from });
  let heard = "";
  return await new Promise((resolve) => {
    socket.on("data", (chunk) => (heard += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(heard));
    socket.on("connect", () => socket.write(question));
  });
}

let server: IdentServer | undefined;

async function serve(clients: () => readonly IdentClient[]): Promise<number> {
  server = new IdentServer({ address: "127.0.0.1", port: 0, clients, log: pino({ level: "silent" }) });
  await server.start();
  return server.port;
}

afterEach(async () => {
  await server?.close();
  server = undefined;
});

describe("the ident server", () => {
  it("says whose a connection is, to the server at its other end alone", async () => {
    const port = await serve(() => [{ username: "alice", ends, ended: false }]);
    expect(await ask(port, "40001, 6667\r\n")).toBe("40001, 6667 : USERID : UNIX : alice\r\n");
    expect(await ask(port, "40001,6667\n")).toBe("40001, 6667 : USERID : UNIX : alice\r\n");
    expect(await ask(port, "40001, 6668\r\n")).toBe("40001, 6668 : ERROR : NO-USER\r\n");
    expect(await ask(port, "40002, 6667\r\n")).toBe("40002, 6667 : ERROR : NO-USER\r\n");
    expect(await ask(port, "40001, 6667\r\n", "127.0.0.2")).toBe("");
  });

  it("says nothing of a connection that has ended", async () => {
    const client = { username: "alice", ends, ended: false };
    const port = await serve(() => [client, { username: "bob", ends: { ...ends, localPort: 1 }, ended: false }]);
    client.ended = true;
    expect(await ask(port, "40001, 6667\r\n")).toBe("40001, 6667 : ERROR : NO-USER\r\n");
  });

  it("waits for a connection that is being opened, and takes IPv4 as such", async () => {
    const client: { username: string; ends: IdentClient["ends"]; ended: boolean } = {
      username: "alice",
      ends: undefined,
      ended: false,
    };
    let looked = 0;
    const port = await serve(() => {
      looked++;
      return [client];
    });
    const answer = ask(port, "40001, 6667\r\n");
    const deadline = Date.now() + patiently(10_000);
    while (looked < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    client.ends = { ...ends, localAddress: "::ffff:127.0.0.1", remoteAddress: "::ffff:127.0.0.1" };
    server?.changed();
    expect(await answer).toBe("40001, 6667 : USERID : UNIX : alice\r\n");
  });

  it("survives garbage", async () => {
    const port = await serve(() => [{ username: "alice", ends, ended: false }]);
    expect(await ask(port, "GET / HTTP/1.1\r\n\r\n")).toBe("0, 0 : ERROR : INVALID-PORT\r\n");
    expect(await ask(port, "0, 6667\r\n")).toBe("0, 0 : ERROR : INVALID-PORT\r\n");
    expect(await ask(port, "40001, 65536\r\n")).toBe("0, 0 : ERROR : INVALID-PORT\r\n");
    expect(await ask(port, "x".repeat(5_000))).toBe("");
    expect(await ask(port, `${"\0".repeat(2_000)}\r\n`)).toBe("");
    expect(await ask(port, "40001, 6667\r\n")).toMatch(/alice/);
  });

  it("understands a question in any spacing, and nothing else", () => {
    const gap = fc.stringMatching(/^[ \t]{0,3}$/);
    const portNumber = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(portNumber, portNumber, gap, gap, gap, gap, (here, there, a, b, c, d) => {
        expect(parseQuery(`${a}${here}${b},${c}${there}${d}`)).toEqual({ here, there });
      }),
      { seed: 1413 },
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const query = parseQuery(text);
        if (query) expect(text.replace(/[ \t]/g, "").replace(/\b0+(?=\d)/g, "")).toBe(`${query.here},${query.there}`);
      }),
      { seed: 1413 },
    );
  });
});

const room = ChannelId("net/#room");

describe("with a bridge", () => {
  it("answers for puppets that the holder connects, and for those of the bridge before", async () => {
    const raw = await RawServer.start();
    const port = await freePort();
    const network = networkOn(raw.port, { puppetUsername: "{localpart}", username: "thebot" });
    const config = { ident: { port, address: "127.0.0.1" }, grace: 20 };
    let bridge = await RunningBridge.start({ networks: [network], channels: [room], config });
    await raw.until("the bot", () => /USER thebot /.test(raw.received[0] ?? ""));
    const bot = raw.sockets[0];
    bot?.write(":irc.test 001 trestle :Welcome trestle!b@h\r\n:irc.test 422 trestle :No motd\r\n");
    const question = `${bot?.remotePort}, ${raw.port}\r\n`;
    expect(await ask(port, question)).toMatch(/USERID : UNIX : thebot/);
    await raw.until("the channel", () => /JOIN #room/.test(raw.received[0] ?? ""));
    bot?.write(":trestle!b@h JOIN #room\r\n:irc.test 366 trestle #room :End\r\n");
    await bridge.ready();
    const said = bridge.say(
      { channel: room, text: "hello", user: "@alice.x:example.org", name: "Alice" },
      { attempts: 1 },
    );
    await raw.until("the puppet", () => /USER alice\.x /.test(raw.received[1] ?? ""));
    expect(await ask(port, `${raw.sockets[1]?.remotePort}, ${raw.port}\r\n`)).toMatch(/USERID : UNIX : alice\.x/);
    const { core } = bridge;
    await bridge.close();
    await said;
    bridge = await RunningBridge.start({ networks: [network], core, config: { ...config, onStop: "quit" } });
    // The holder names what it has as soon as the bridge has reached it; until then nobody is known.
    let answer = "";
    for (const deadline = Date.now() + patiently(10_000); answer === "" && Date.now() < deadline;)
      answer = await ask(port, question);
    expect(answer).toMatch(/USERID : UNIX : thebot/);
    await bridge.end();
    await raw.stop();
  }, 40_000);

  it("tells the operator where it cannot listen", async () => {
    const raw = await RawServer.start();
    const config = { ident: { port: raw.port, address: "127.0.0.1" } };
    await expect(RunningBridge.start({ networks: [networkOn(1)], config })).rejects.toThrow(
      /ident server cannot listen at 127.0.0.1.*EADDRINUSE/,
    );
    await raw.stop();
  });
});

const inspircd = await realServer("inspircd");
// Servers ask at port 113 and nowhere else; an address of its own keeps that apart from everything else here.
const address = `127.113.${process.pid % 250}.${1 + (Number(process.env["JEST_WORKER_ID"] ?? 1) % 200)}`;
const mayListen = userInfo().uid === 0 && process.platform === "linux";
if (!mayListen) process.stderr.write("skipped: the ident test with InspIRCd needs root, to listen on port 113\n");

inspircd.describe("InspIRCd that asks for idents", (install) => {
  (mayListen ? it : it.skip)(
    "shows puppets under their own user names, without a ~",
    async () => {
      const irc = await startInspircd(install, { ident: true });
      const person = await IrcPerson.connect({ port: irc.port, nick: "carol" });
      await person.join("#room");
      const bridge = await RunningBridge.start({
        networks: [networkOn(irc.port, { localAddress: address, puppetUsername: "{localpart}", username: "thebot" })],
        channels: [room],
        config: { onStop: "quit", ident: { address } },
      });
      await bridge.ready();
      await bridge.say({ channel: room, text: "hello", name: "Alice" });
      const said = await person.waitForLine("the message", ({ command }) => command === "PRIVMSG");
      expect(said.params[1]).toBe("hello");
      person.send("WHO #room");
      const listed = await person.waitForLine(
        "alice in the list",
        ({ command, params }) => command === "352" && params[5] === "Alice[m]",
      );
      expect(listed.params[2]).toBe("alice");
      await bridge.end();
      await person.quit();
      await irc.stop();
    },
    60_000,
  );
});
