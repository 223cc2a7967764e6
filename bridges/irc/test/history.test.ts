import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { DurableProcess } from "./support/durable-process.js";
import { plain } from "./support/fake-core.js";
import { endHolder, holderEnded } from "./support/holder-process.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently, until } from "../../../test/support/bounded.js";

jest.setTimeout(60_000);

let irc: IrcServer;
let carol: IrcTestClient;
let bridge: RunningBridge | undefined;
let child: DurableProcess | undefined;

type ServerOptions = NonNullable<Parameters<typeof IrcServer.start>[0]>;

afterEach(async () => {
  await bridge?.end();
  await child?.stop();
  await child?.remove();
  [bridge, child] = [undefined, undefined];
  carol.close();
  await irc.stop();
});

async function serve(server: ServerOptions = {}): Promise<void> {
  irc = await IrcServer.start(server);
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol", caps: ["message-tags"] });
  await carol.join("#room");
}
async function start(core?: RunningBridge["core"]): Promise<RunningBridge> {
  core?.statuses.clear();
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    ...(core ? { core } : { channels: ["net/#room"] }),
    config: { onStop: "quit" },
  });
  return bridge.ready();
}
/** The bridge and the holder end; what is said until the next start nobody hears. */
async function absence(running: RunningBridge): Promise<void> {
  await running.close();
  await holderEnded(running.core.dataDirectory);
  await irc.waitFor(() => !irc.nicks.includes("trestle"));
}
const lines = (name: string, count: number) => Array.from({ length: count }, (_, number) => `${name} ${number}`);
async function say(texts: readonly string[]): Promise<void> {
  for (const text of texts) carol.say("#room", text);
  await carol.sync();
}
const room = ChannelId("net/#room");

describe("what was said while the bridge was not there", () => {
  it.each([
    ["by msgid", true, 3],
    // A page holds all that is said here in one moment.
    ["by time, where the server gives no msgid", false, 15],
  ])("is asked for at its start, %s: in order, once, before what is said now", async (_name, msgid, chathistory) => {
    await serve({ msgid, limits: { chathistory } });
    const { core } = await start();
    // The same words again are another message.
    const before = [...lines("before", 2), "again", "again"];
    await say(before);
    await core.until("what was said before", () => core.texts().length === before.length);
    await absence(bridge!);
    const missed = [...lines("missed", 7), "again", "again"];
    await say(missed);
    const later = start(core);
    // It speaks all the while: before the bot is there, while pages come, and after.
    const now = lines("now", 40);
    for (const text of now) await say([text]);
    await later;
    await core.until("all of it", () => core.texts().includes("now 39"));
    expect(core.texts()).toEqual([...before, ...missed, ...now]);
    await absence(bridge!);
    await start(core);
    await say(["the end"]);
    await core.until("the end", () => core.texts().includes("the end"));
    expect(core.texts()).toEqual([...before, ...missed, ...now, "the end"]);
  });

  it("is asked for by time where the server has forgotten the last message", async () => {
    await serve();
    const { core } = await start();
    await say(["before"]);
    await core.until("what was said before", () => core.texts().length === 1);
    await absence(bridge!);
    const key = "heard:net/#room";
    const mark = JSON.parse(core.stored.get(key) ?? "{}") as object;
    core.stored.set(key, JSON.stringify({ ...mark, id: "forgotten" }));
    await say(["missed"]);
    await start(core);
    await say(["now"]);
    await core.until("all of it", () => core.texts().includes("now"));
    expect(core.texts()).toEqual(["before", "missed", "now"]);
  });

  it("is not asked for in a channel that was never heard, nor what our own people said", async () => {
    await serve();
    await say(["long ago"]);
    const { core } = await start();
    expect(irc.linesFrom("trestle").some((line) => line.startsWith("CHATHISTORY"))).toBe(false);
    await say(["before"]);
    await core.until("what was said before", () => core.texts().length === 1);
    const stored = core.stored.get("heard:net/#room");
    await bridge!.say({ channel: room, text: "from Matrix", name: "Alice" });
    await absence(bridge!);
    // As after a kill: what Alice said was not noted.
    core.stored.set("heard:net/#room", stored ?? [...core.stored].find(([key]) => key.startsWith("heard:"))?.[1] ?? "");
    await say(["missed"]);
    await start(core);
    await say(["now"]);
    await core.until("all of it", () => core.texts().includes("now"));
    expect(core.texts()).toEqual(["before", "missed", "now"]);
  });

  it("is left out where it is too much, up to the return of the bot", async () => {
    await serve({ limits: { chathistory: 2 } });
    const { core } = await start();
    await say(["before"]);
    await core.until("what was said before", () => core.texts().length === 1);
    await absence(bridge!);
    const missed = lines("missed", 60);
    await say(missed);
    await start(core);
    const now = lines("now", 20);
    await say(now);
    await core.until("all of it", () => core.texts().includes("now 19"));
    const heard = core.texts();
    expect(heard.slice(0, 41)).toEqual(["before", ...missed.slice(0, 40)]);
    expect(heard.filter((text) => text.startsWith("now"))).toEqual(now);
    expect(new Set(heard).size).toBe(heard.length);
  });

  it("is told where the server does not answer", async () => {
    await serve();
    const { core } = await start();
    await say(["before"]);
    await core.until("what was said before", () => core.texts().length === 1);
    await absence(bridge!);
    irc.setCapability("draft/chathistory", false);
    await start(core);
    await say(["now"]);
    await core.until("what is said now", () => core.texts().includes("now"));
    expect(core.texts()).toEqual(["before", "now"]);
  });

  it("is also what a bridge heard that ended, with its holder, before the disk took it", async () => {
    await serve();
    const { core } = await start();
    await say(["before"]);
    await core.until("what was said before", () => core.texts().length === 1);
    let isRefused = false;
    core.beforeReceive = () => {
      isRefused = true;
      return Promise.reject(new Error("the disk is full"));
    };
    await say(["missed"]);
    await core.until("the disk to refuse it", () => isRefused);
    // The holder has it, and would give it again.
    endHolder(core.dataDirectory, "SIGKILL");
    await absence(bridge!);
    core.beforeReceive = () => Promise.resolve();
    await start(core);
    await say(["now"]);
    await core.until("all of it", () => core.texts().includes("now"));
    expect(core.texts()).toEqual(["before", "missed", "now"]);
  });

  it("comes where a bridge has asked for it and ends before the answer: the next does not take that for its own", async () => {
    await serve({ limits: { chathistory: 5 } });
    const { core } = await start();
    await say(["before"]);
    await core.until("what was said before", () => core.texts().length === 1);
    await absence(bridge!);
    const missed = lines("missed", 23);
    await say(missed);
    core.statuses.clear();
    irc.lag(500);
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core, config: { onStop: "keep" } });
    const isAsked = (): boolean => irc.linesFrom("trestle").some((line) => line.startsWith("CHATHISTORY"));
    await irc.waitFor(isAsked, { timeoutMs: patiently(20_000) });
    await bridge.close();
    irc.lag(0);
    await start(core);
    await say(["now"]);
    await settled(() => core.texts(), [...missed, "now"]);
    expect(core.texts()).toEqual(["before", ...missed, "now"]);
  });

  it("comes although bridge and holder are killed, again and again, in the middle of it", async () => {
    await serve({ limits: { chathistory: 10 } });
    const killed = (child = new DurableProcess(
      { networks: [networkOn(irc.port)], grace: 20, onStop: "quit" },
      [room],
      [],
    ));
    const heard = (): string[] =>
      killed.read("received").flatMap((event) => {
        const { kind, content } = event as { kind: string; content?: { body: Parameters<typeof plain>[0] } };
        return kind === "message" && content ? [plain(content.body)] : [];
      });
    killed.start();
    await irc.waitFor(() => irc.channel("#room").members.includes("trestle"), { timeoutMs: patiently(20_000) });
    const expected: string[] = [];
    for (let round = 0; round < 2; round++) {
      const [live, missed, after] = ["live", "missed", "after"].map((name) => lines(`${name} ${round}`, 12));
      await say(live!);
      await settled(heard, [live!.at(-1)!]);
      endHolder(killed.directory, "SIGKILL");
      await killed.kill();
      await irc.waitFor(() => !irc.nicks.includes("trestle"));
      await say(missed!);
      killed.start();
      await irc.waitFor(() => irc.channel("#room").members.includes("trestle"), { timeoutMs: patiently(20_000) });
      // In the middle of the catching up; the holder stays this time.
      await killed.kill();
      await say(after!);
      killed.start();
      expected.push(...live!, ...missed!, ...after!);
      await settled(heard, expected);
    }
    expect(heard()).toEqual(expected);
  });
});

/** Waits until all that is expected is in files. */
async function settled(heard: () => readonly string[], expected: readonly string[]): Promise<void> {
  const missing = (): string[] => expected.filter((text) => !heard().includes(text));
  await until(
    20_000,
    "what was said",
    () => missing().length === 0 || undefined,
    () => `It lacks ${JSON.stringify(missing())} of ${JSON.stringify(heard())}`,
  );
}
