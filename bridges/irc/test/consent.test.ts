import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RoomId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { DurableProcess } from "./support/durable-process.js";
import { holderEnded } from "./support/holder-process.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently, until } from "../../../test/support/bounded.js";

let irc: IrcServer;
let bridge: RunningBridge;
let isRunning = false;
let child: DurableProcess | undefined;
const people: IrcTestClient[] = [];
const channel = ChannelId("net/#room");
const room = RoomId("!wanted:example.org");

async function person(nick: string): Promise<IrcTestClient> {
  const client = await IrcTestClient.connect({ port: irc.port, nick });
  people.push(client);
  return client;
}

async function start(more: Parameters<typeof networkOn>[1] = {}, onStop: "keep" | "quit" = "quit"): Promise<void> {
  irc = await IrcServer.start();
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, more)],
    channels: ["net/#home"],
    config: { onStop },
  });
  isRunning = true;
  await bridge.ready();
}

afterEach(async () => {
  if (isRunning) await bridge.end();
  isRunning = false;
  await child?.stop();
  await child?.remove();
  child = undefined;
  for (const client of people.splice(0)) client.close();
  await irc.stop();
});

const ask = () =>
  bridge.handlers.consent?.({
    channel,
    room,
    by: UserId("@alice:example.org"),
    signal: AbortSignal.timeout(patiently(20_000)),
  });
/** The code in the latest notice of the bot. */
async function code(): Promise<string> {
  return await irc.waitFor(() => /agree (\d{6})/.exec(irc.channel("#room").log.at(-1)?.text ?? "")?.[1]);
}

describe("linking a channel", () => {
  it("is asked of its operators, and only of them: a code that they say in the channel or to the bot", async () => {
    await start();
    const carol = await person("carol");
    await carol.join("#room");
    const dave = await person("dave");
    await dave.join("#room");
    expect(await ask()).toBe("asked");
    const said = await code();
    const asked = irc.channel("#room").log.at(-1);
    expect(asked).toMatchObject({ from: "trestle", command: "NOTICE" });
    expect(asked?.text).toContain("@alice:example.org on Matrix asks");
    dave.say("trestle", `agree ${said}`);
    await dave.waitForLine(/NOTICE dave :Only an operator of #room/);
    carol.say("#room", "trestle: agree 000000x");
    carol.say("#room", "I agree");
    carol.say("#room", `trestle: agree ${said}`);
    await bridge.core.until("their word", () => bridge.core.consents.length > 0);
    expect(bridge.core.consents).toEqual([
      { channel, room, agreed: true, by: "carol on net", askedBy: "@alice:example.org" },
    ]);
    // It counts once.
    carol.say("trestle", `agree ${said}`);
    await carol.sync();
    expect(bridge.core.consents).toHaveLength(1);
  });

  it("can be refused, in private as well, and the bot is gone then", async () => {
    await start();
    const carol = await person("carol");
    await carol.join("#room");
    await ask();
    carol.say("trestle", `refuse ${await code()}`);
    await bridge.core.until("their word", () => bridge.core.consents.length > 0);
    expect(bridge.core.consents).toMatchObject([{ agreed: false }]);
    await irc.waitFor(() => !irc.channel("#room").members.includes("trestle"));
  });

  it("needs nobody's consent where nobody is, or where the operator of the bridge wants that", async () => {
    await start();
    expect(await ask()).toBe("given");
    await bridge.end();
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { consent: false })],
      channels: [],
      config: { onStop: "quit" },
    });
    const carol = await person("carol");
    await carol.join("#room");
    expect(await ask()).toBe("given");
  });

  it("is asked for in words where the bot cannot come in, and not again and again", async () => {
    await start();
    const carol = await person("carol");
    await carol.join("#room");
    irc.setModes("#room", "+i");
    await expect(ask()).rejects.toThrow(/cannot come into #room/);
    irc.setModes("#room", "-i");
    expect([await ask(), await ask()]).toEqual(["asked", "asked"]);
    await expect(ask()).rejects.toThrow(/asked too often/);
  });
});

describe("a question to a channel, over restarts", () => {
  const questions = () => irc.channel("#room").log.filter(({ text }) => /agree \d{6}/.test(text));
  const again = async (onStop: "keep" | "quit", forgets = false): Promise<void> => {
    const { core } = bridge;
    await bridge.close();
    if (forgets) await holderEnded(core.dataDirectory);
    core.statuses.clear();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core, config: { onStop } });
    await bridge.ready();
  };

  it.each([
    ["whose connections were kept", false],
    ["whose connections were closed", true],
  ])("is still open in a bridge %s: asked once, answered once", async (_name, forgets) => {
    await start({}, forgets ? "quit" : "keep");
    const carol = await person("carol");
    await carol.join("#room");
    expect(await ask()).toBe("asked");
    const said = await code();
    await again("quit", forgets);
    await irc.waitFor(() => irc.channel("#room").members.includes("trestle"));
    // The core asks again where it does not know the answer.
    expect(await ask()).toBe("asked");
    expect(questions()).toHaveLength(1);
    carol.say("#room", `agree ${said}`);
    await bridge.core.until("their word", () => bridge.core.consents.length > 0);
    carol.say("#room", `agree ${said}`);
    await carol.sync();
    expect(bridge.core.consents).toEqual([
      { channel, room, agreed: true, by: "carol on net", askedBy: "@alice:example.org" },
    ]);
    await bridge.core.until("the end of it", () => !isStored());
  });

  const isStored = () => [...bridge.core.stored.keys()].some((key) => key.startsWith("consent:"));

  it("ends with its hour, whether the bridge runs or not; what is no question is thrown away", async () => {
    await start({}, "keep");
    const carol = await person("carol");
    await carol.join("#room");
    await ask();
    const [key = "", stored = "{}"] = [...bridge.core.stored].find(([each]) => each.startsWith("consent:")) ?? [];
    const open = JSON.parse(stored) as { code: string; until: number };
    for (const [channelName, value] of [
      ["#room", JSON.stringify({ ...open, until: Date.now() - 1 })],
      ["#later", JSON.stringify({ ...open, until: open.until + 86_400_000 })],
      ["#broken", "{"],
    ] as const)
      bridge.core.stored.set(key.replace("#room", channelName), value);
    await again("quit");
    await bridge.core.until("that they are gone", () => !isStored());
    await irc.waitFor(() => !irc.channel("#room").members.includes("trestle"));
    carol.say("#room", `agree ${open.code}`);
    carol.raw(`PRIVMSG trestle :agree ${open.code}`);
    await carol.sync();
    expect(bridge.core.consents).toEqual([]);
  });

  it("survives a bridge that is killed, again and again", async () => {
    irc = await IrcServer.start();
    const carol = await person("carol");
    await carol.join("#room");
    const killed = (child = new DurableProcess(
      { networks: [networkOn(irc.port)], grace: 20, onStop: "quit" },
      [],
      [],
      [channel],
    ));
    const asked = (times: number) => settled(() => killed.read("asked").length >= times);
    for (let times = 1; times <= 3; times++) {
      killed.start();
      await asked(times);
      await killed.kill();
    }
    expect(questions()).toHaveLength(1);
    killed.start();
    carol.say("#room", `agree ${await code()}`);
    await settled(() => killed.read("consented").length > 0);
    expect(killed.read("consented")).toMatchObject([{ channel, agreed: true, askedBy: "@alice:example.org" }]);
  });
});

/** Waits for what is in files. */
async function settled(holds: () => boolean): Promise<void> {
  await until(20_000, String(holds), () => holds() || undefined);
}
