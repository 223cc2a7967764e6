import { afterEach, describe, expect, it } from "@jest/globals";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { isSplit } from "../dist/network/channels/splits.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

let irc: IrcServer;
let bridge: RunningBridge;
const people: IrcTestClient[] = [];

afterEach(async () => {
  await bridge.end();
  for (const client of people.splice(0)) client.close();
  await irc.stop();
});

async function start(splitWait: number, onStop: "keep" | "quit" = "quit"): Promise<void> {
  irc = await IrcServer.start();
  for (const nick of ["carol", "dave", "erin"]) {
    const client = await IrcTestClient.connect({ port: irc.port, nick });
    people.push(client);
    await client.join("#room");
  }
  irc.setModes("#room", "+v", "dave");
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, { splitWait })],
    channels: ["net/#room"],
    config: { onStop },
  });
  await bridge.ready();
  await bridge.core.until("the list of names", () => bridge.core.received.some(({ kind }) => kind === "roles"));
}

const told = (): string[] =>
  bridge.core.received.slice(1).flatMap((event) => {
    if (event.kind === "membership") return event.change === "join" ? [] : [`${event.change} ${event.user.id}`];
    if (event.kind === "roles" && event.complete !== true)
      return event.changes.map(({ who, role }) => ("remote" in who ? `${who.remote.id} ${role}` : who.userId));
    return [];
  });
const joins = (): number =>
  bridge.core.membership().filter((line) => line.startsWith("join") && !line.includes("trestle")).length;
async function heard(text: string): Promise<void> {
  people[0]?.say("#room", text);
  await bridge.core.until(text, () => bridge.core.texts().includes(text));
}

describe("people who are lost in a netsplit", () => {
  it("neither leave nor come when they are back in time", async () => {
    await start(60);
    const before = joins();
    irc.netsplit(["dave", "erin"]);
    await heard("split");
    irc.netjoin();
    await heard("mended");
    // Told again, which changes nothing.
    expect(told()).toEqual(["net/dave speaker"]);
    expect(joins()).toBe(before);
  });

  it("leave, and lose their rank, when they are not", async () => {
    await start(0.5);
    irc.netsplit(["dave", "erin"]);
    await bridge.core.until("both", () => told().filter((line) => line.startsWith("leave")).length === 2);
    expect(told().sort()).toEqual(["leave net/dave", "leave net/erin", "net/dave none"]);
  });

  it("leave also where the bridge was restarted, and nobody ever came back", async () => {
    await start(4, "keep");
    irc.netsplit(["dave", "erin"]);
    await heard("split");
    const { core } = bridge;
    await bridge.close();
    expect(told()).toEqual([]);
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port, { splitWait: 0.2 })], core });
    await core.until("both", () => told().filter((line) => line.startsWith("leave")).length === 2);
    expect(told().sort()).toEqual(["leave net/dave", "leave net/erin", "net/dave none"]);
  });

  it("lose the rank that the network does not give back, in the end", async () => {
    await start(1);
    irc.netsplit(["dave"]);
    irc.sendRaw("trestle", ":dave!d@h JOIN #room");
    await bridge.core.until("the end of it", () => told().length > 0);
    expect(told()).toEqual(["net/dave none"]);
  });

  it("leave at once where the operator wants that", async () => {
    await start(0);
    irc.netsplit(["erin"]);
    await heard("split");
    expect(told()).toEqual(["leave net/erin"]);
  });
});

describe("a server that tells splits in batches", () => {
  it("need not say so in the words of each QUIT, also where the bridge was restarted in the middle", async () => {
    await start(60, "keep");
    const before = joins();
    irc.sendRaw("trestle", ":irc.example BATCH +s1 netsplit hub.example leaf.example");
    irc.sendRaw("trestle", "@batch=s1 :erin!e@h QUIT :Server went away");
    await heard("in the middle");
    const { core } = bridge;
    await bridge.close();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port, { splitWait: 60 })], core });
    irc.sendRaw("trestle", "@batch=s1 :dave!d@h QUIT :Server went away");
    irc.sendRaw("trestle", ":irc.example BATCH -s1");
    for (const nick of ["dave", "erin"]) irc.sendRaw("trestle", `:${nick}!x@h JOIN #room`);
    await heard("mended");
    expect(told()).toEqual([]);
    expect(joins()).toBe(before);
    // Behind the batch a QUIT is one again.
    irc.sendRaw("trestle", "@batch=s1 :erin!e@h QUIT :Server went away");
    await heard("gone");
    expect(told()).toEqual(["leave net/erin"]);
  });

  it("is believed when it says that they are together again: who is not back by then leaves soon", async () => {
    await start(60);
    irc.netsplit(["dave", "erin"]);
    await heard("split");
    await people[1]?.quit();
    irc.netjoin();
    await heard("mended");
    await bridge.core.until("the one who is gone", () => told().length === 2, 10_000);
    expect(told().sort()).toEqual(["leave net/dave", "net/dave none"]);
  });
});

describe("a QUIT", () => {
  it.each([
    ["irc.example.org hub.example.org", true],
    ["*.net *.split", true],
    ["a.b c.d", true],
    ["Quit: a.b c.d", false],
    ["a.b c.d e.f", false],
    ["see you. bye.", false],
    ["Ping timeout: 240 seconds", false],
    ["", false],
  ])("%p is a split: %p", (reason, expected) => {
    expect(isSplit(reason)).toBe(expected);
  });

  it("of any length is looked at in no time", () => {
    expect(isSplit(`${"a.".repeat(500_000)}b c.d`)).toBe(false);
  });
});
