import { afterEach, describe, expect, it, jest } from "@jest/globals";
import v8 from "node:v8";
import vm from "node:vm";
import { ChannelId } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import type { Puppet } from "../dist/network/connections/puppet.js";
import { Puppets } from "../dist/network/connections/puppets.js";
import { Connection } from "../dist/session/connection.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const MOST = 3;

v8.setFlagsFromString("--expose-gc");
const collectGarbage = vm.runInNewContext("gc") as () => void;

/** Counts what a method of the bridge has made and is still in memory. */
class Made {
  readonly #refs = new Set<WeakRef<object>>();
  readonly #known = new WeakSet<object>();

  note(result: object): void {
    if (this.#known.has(result)) return;
    this.#known.add(result);
    this.#refs.add(new WeakRef(result));
  }

  get everMade(): number {
    return this.#refs.size;
  }

  get alive(): number {
    return [...this.#refs].filter((ref) => ref.deref() !== undefined).length;
  }
}

let irc: IrcServer;
let bridge: RunningBridge;
afterEach(async () => {
  jest.restoreAllMocks();
  await bridge.end();
  await irc.stop();
});

describe("a puppet that was disconnected", () => {
  it("leaves nothing behind", async () => {
    const [puppets, connections] = [new Made(), new Made()];
    const opened = jest.spyOn(Connection, "open");
    const made = jest.spyOn(Puppets.prototype, "of");
    /** Lets go of what the spies remember. */
    const note = (): void => {
      for (const { value } of opened.mock.results) connections.note(value as Connection);
      for (const { value } of made.mock.results) puppets.note(value as Puppet);
      opened.mockClear();
      made.mockClear();
    };
    irc = await IrcServer.start();
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { maxPuppets: MOST })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    const speak = async (from: number, to: number): Promise<void> => {
      for (let person = from; person < to; person++)
        await bridge.say({
          channel: room,
          text: `I am ${person}`,
          name: `p${person}`,
          user: `@p${person}:example.org`,
        });
      note();
    };
    /** What is there, and how many timers run; asked again while it is more than `most`: what ends takes its time. */
    const settled = async (most: Readonly<Record<string, number>>): Promise<Record<string, number>> => {
      for (let time = 0; ; time++) {
        await new Promise((resolve) => setImmediate(resolve));
        collectGarbage();
        const now = {
          puppets: puppets.alive,
          connections: connections.alive,
          statuses: [...bridge.core.statuses.values()].filter(({ state }) => state !== "closed").length,
          timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
        };
        if (time === 100 || Object.entries(now).every(([name, count]) => count <= (most[name] ?? 0))) return now;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await speak(0, MOST);
    // The bot has a connection as well, and each channel a status.
    const connected = { puppets: MOST, connections: MOST + 1, statuses: MOST + 2 };
    const few = await settled({ ...connected, timers: Number.POSITIVE_INFINITY });
    expect(few).toMatchObject(connected);
    await speak(MOST, 8 * MOST);
    await speak(0, 4 * MOST);
    expect([puppets.everMade, connections.everMade]).toEqual([12 * MOST, 12 * MOST + 1]);
    const many = await settled(few);
    expect(many).toMatchObject(connected);
    expect(many["timers"]).toBeLessThanOrEqual(few["timers"] ?? 0);
  });
});
