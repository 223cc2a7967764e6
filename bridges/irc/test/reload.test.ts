import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Homeserver, IrcServer, IrcTestClient, type TestClient } from "@trestle/testkit";
import { Bridge } from "../../../test/support/bridge.js";
import { freePort, until } from "../../../test/support/bounded.js";
import { endHolder, holderEnded, holderPid } from "./support/holder-process.js";
import { networkOn } from "./support/running-bridge.js";

// Processes start, and people talk all the while.
jest.setTimeout(120_000);

const serverName = "reload.test";
type Name = "one" | "two";

/** A bridge with a network of its own, and two people who talk through it. */
interface Side {
  readonly name: Name;
  readonly irc: IrcServer;
  readonly carol: IrcTestClient;
  readonly room: string;
  readonly registration: Readonly<Record<string, unknown>>;
}

let homeserver: Homeserver;
let alice: TestClient;
let bridge: Bridge;
let sides: Side[];

async function openSide(name: Name, listen: number): Promise<Side> {
  const registration = {
    id: name,
    url: `http://127.0.0.1:${listen}`,
    as_token: `as-token-of-the-bridge-${name}`,
    hs_token: `hs-token-of-the-bridge-${name}`,
    sender_localpart: `${name}bot`,
    rate_limited: false,
    namespaces: { users: [{ exclusive: true, regex: `^@${name}_.*:reload\\.test$` }], aliases: [], rooms: [] },
  };
  homeserver.addAppService(registration);
  const bot = `@${name}bot:${serverName}`;
  const room = await alice.createRoom({
    invite: [bot],
    power_level_content_override: { users: { [alice.userId]: 100, [bot]: 100 } },
  });
  const irc = await IrcServer.start();
  const carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
  await carol.join("#room");
  return { name, irc, carol, room, registration };
}

beforeEach(async () => {
  homeserver = await Homeserver.start({ serverName });
  alice = homeserver.createClient("alice");
  const ports = { listen: await freePort(), operations: await freePort(), media: await freePort() };
  sides = [await openSide("one", ports.listen), await openSide("two", ports.listen)];
  bridge = await Bridge.prepare({
    serverName,
    homeserverUrl: homeserver.url,
    ports,
    network: {},
    settings: {
      bridges: sides.map(({ name, irc, room }) => ({
        name,
        connector: "irc",
        registration: `${name}.yaml`,
        links: [{ room, channel: "#room" }],
        network: { networks: [networkOn(irc.port)] },
      })),
    },
  });
  for (const { name, registration } of sides)
    await writeFile(join(bridge.directory, `${name}.yaml`), JSON.stringify(registration));
  await bridge.start();
  for (const { carol, room, name } of sides) {
    await carol.waitForLine(/^:trestle!\S+ JOIN/, { timeoutMs: 20_000 });
    await alice.sendText(room, "hello");
    await carol.waitForLine(/PRIVMSG #room :hello/);
    carol.say("#room", "hello to you");
    await until(20_000, `the first word on ${name}`, () => heardOnMatrix(room).includes("hello to you") || undefined);
  }
});
afterEach(async () => {
  await bridge.shutdown();
  for (const { name, irc, carol } of sides) {
    const data = join(bridge.directory, "data", name);
    if (holderPid(data) !== undefined) endHolder(data, "SIGTERM");
    await holderEnded(data);
    carol.close();
    await irc.stop();
  }
  await bridge.stop();
  await homeserver.stop();
});

function heardOnMatrix(room: string): string[] {
  const messages = homeserver.room(room).messages();
  const ghosts = messages.filter(({ sender }) => typeof sender === "string" && /^@(one|two)_/.test(sender));
  return ghosts.map(({ content }) => String((content as { body?: unknown }).body));
}

const heardOnIrc = ({ carol }: Side): string[] =>
  carol.lines.flatMap((line) => / PRIVMSG #room :(.*)$/.exec(line)?.[1] ?? []);

/** Changes a setting of a bridge's IRC network. */
async function set(name: Name, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await bridge.configure((written) => ({
    ...written,
    bridges: (written["bridges"] as { name: string; network: { networks: [object] } }[]).map((each) =>
      each.name === name ? { ...each, network: { networks: [{ ...each.network.networks[0], ...settings }] } } : each,
    ),
  }));
}

function inForce(times: number): Promise<true> {
  return until(
    30_000,
    "the configuration to be in force",
    () => (bridge.output.split("The configuration is in force").length > times ? true : undefined),
    () => bridge.output.slice(-4_000),
  );
}

describe("settings of an IRC bridge that change while people talk", () => {
  it("take effect; nobody quits, nothing is lost, and the other bridge knows nothing of it", async () => {
    const [one] = sides as [Side, Side];
    const connections = sides.map(({ irc }) => irc.connections);
    const talk = { over: false };
    const said = new Map(sides.map((side) => [side, { onMatrix: ["hello"], onIrc: ["hello to you"] }]));
    const talking = [...said].flatMap(([side, { onMatrix, onIrc }]) => [
      (async () => {
        for (let count = 0; !talk.over; count++) {
          await alice.sendText(side.room, `matrix ${count}`);
          onMatrix.push(`matrix ${count}`);
          await until(
            60_000,
            "what was said on Matrix",
            () => onMatrix.length - heardOnIrc(side).length < 10 || undefined,
          );
        }
      })(),
      (async () => {
        for (let count = 0; !talk.over; count++) {
          side.carol.say("#room", `irc ${count}`);
          onIrc.push(`irc ${count}`);
          await until(
            60_000,
            "what was said on IRC",
            () => onIrc.length - heardOnMatrix(side.room).length < 10 || undefined,
          );
        }
      })(),
    ]);
    try {
      for (let round = 1; round <= 4; round++) {
        await set("one", { maxLines: 2 + round });
        bridge.signal("SIGHUP");
        await inForce(round);
      }
    } finally {
      talk.over = true;
    }
    await Promise.all(talking);
    for (const [side, { onMatrix, onIrc }] of said) {
      await until(60_000, "everything on IRC", () => heardOnIrc(side).length >= onMatrix.length || undefined);
      await until(60_000, "everything on Matrix", () => heardOnMatrix(side.room).length >= onIrc.length || undefined);
    }
    for (const [side, { onMatrix, onIrc }] of said) {
      expect(heardOnIrc(side)).toEqual(onMatrix);
      expect(heardOnMatrix(side.room)).toEqual(onIrc);
      expect(side.carol.lines.filter((line) => / (QUIT|PART|NICK) /.test(line))).toEqual([]);
    }
    expect(sides.map(({ irc }) => irc.connections)).toEqual(connections);
    expect(bridge.output).toContain('"changed":["bridges[0].network.networks[0].maxLines"]');

    // Eight lines were too many, and are not any more.
    await set("one", { maxLines: 8 });
    bridge.signal("SIGHUP");
    await inForce(5);
    const since = one.carol.mark();
    await alice.sendText(one.room, "a\nb\nc\nd\ne\nf\ng\nh");
    await one.carol.waitForLine(/PRIVMSG #room :h$/, { since });
  });

  it("lead to another server where they name one", async () => {
    const [one] = sides as [Side, Side];
    const other = await IrcServer.start();
    const dave = await IrcTestClient.connect({ port: other.port, nick: "dave" });
    try {
      await dave.join("#room");
      // What is said until the last moment on the old one is not lost.
      one.carol.say("#room", "last words");
      await set("one", { port: other.port });
      bridge.signal("SIGHUP");
      await inForce(1);
      await dave.waitForLine(/^:trestle!\S+ JOIN/, { timeoutMs: 20_000 });
      await alice.sendText(one.room, "on the other server");
      await dave.waitForLine(/PRIVMSG #room :on the other server/, { timeoutMs: 20_000 });
      expect(heardOnMatrix(one.room)).toEqual(["hello to you", "last words"]);
      expect(one.irc.nicks).toEqual(["carol"]);
    } finally {
      dave.close();
      await other.stop();
    }
  });

  it("rename the puppets where they say how puppets are called", async () => {
    const [one, two] = sides as [Side, Side];
    expect(one.irc.nicks).toContain("alice[m]");
    await set("one", { puppetNick: "{name}|matrix" });
    bridge.signal("SIGHUP");
    await inForce(1);
    await one.carol.waitForLine(/^:alice\[m\]!\S+ QUIT/, { timeoutMs: 20_000 });
    await alice.sendText(one.room, "it is still me");
    await one.carol.waitForLine(/^:alice\|matrix!\S+ PRIVMSG #room :it is still me/, { timeoutMs: 20_000 });
    // The bot, which is called as before, stays; and so do all on the other network.
    for (const { carol } of [one, two])
      expect(carol.lines.filter((line) => /^:trestle!\S+ QUIT/.test(line))).toEqual([]);
    expect(two.irc.nicks).toContain("alice[m]");
  });
});
