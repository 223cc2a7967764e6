import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import fc from "fast-check";
import { DurableProcess } from "./support/durable-process.js";
import { plain } from "./support/fake-core.js";
import { endHolder, holderPid } from "./support/holder-process.js";
import { networkOn } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(300_000);

/** Of each of the two bridges; they restart side by side, for the sake of time. */
const RESTARTS = 25;
const SAY_EVERY_MS = 8;
/** What is said for each restart at most: however slow the machine, there is an end to it. */
const SAID_EACH = 60;
const seed = 6;
/** What a line carries besides its number: everything that neither ends it nor formats it. */
const tails = fc.sample(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 120 }).filter((text) => !/\p{C}/u.test(text)),
  { numRuns: 500, seed },
);
const pauses = fc.sample(fc.integer({ min: 0, max: 60 }), { numRuns: RESTARTS, seed });

type End = "SIGKILL" | "SIGTERM";

/** A bridge in a channel of its own, which somebody fills with talk. */
class Restarted {
  readonly nick: string;
  readonly channel: string;
  readonly said: string[] = [];
  readonly bridge: DurableProcess;
  #restarts = 0;

  constructor(
    port: number,
    private readonly end: End,
  ) {
    this.nick = end.toLowerCase();
    this.channel = `#${this.nick}`;
    const network = networkOn(port, { nick: this.nick });
    this.bridge = new DurableProcess({ networks: [network], grace: 60 }, [`net/${this.channel}`], [], [], true);
  }

  get mayHearMore(): boolean {
    return this.said.length < SAID_EACH * (this.#restarts + 1);
  }

  /** The texts that reached the bridge and were kept by it, in order. */
  heard(): string[] {
    return this.bridge.read("received").flatMap((event) => {
      const { kind, content } = event as { kind: string; content?: { body: Parameters<typeof plain>[0] } };
      return kind === "message" && content ? [plain(content.body)] : [];
    });
  }

  /** Grows with what was heard. */
  #size(): number {
    const file = join(this.bridge.directory, "received");
    return existsSync(file) ? statSync(file).size : 0;
  }

  /** Ends the bridge, each time in the middle of the talk, and starts it again. */
  async restartAgainAndAgain(): Promise<void> {
    for (const pause of pauses) {
      const before = this.#size();
      // Only what is at work can be interrupted.
      await until("the bridge to hear something", () => this.#size() > before);
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (this.end === "SIGKILL") await this.bridge.kill();
      else await this.bridge.stop();
      this.bridge.start();
      this.#restarts++;
    }
  }
}

let server: IrcServer;
let person: IrcTestClient;
let restarted: Restarted[];

beforeEach(async () => {
  server = await IrcServer.start();
  person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
  restarted = [new Restarted(server.port, "SIGKILL"), new Restarted(server.port, "SIGTERM")];
  for (const { channel, bridge } of restarted) {
    await person.join(channel);
    bridge.start();
  }
});

afterEach(async () => {
  for (const { bridge } of restarted) {
    await bridge.stop();
    if (holderPid(bridge.directory) !== undefined) endHolder(bridge.directory, "SIGTERM");
  }
  person.close();
  await server.stop();
  for (const { bridge } of restarted) await bridge.remove();
});

describe(`the holder, while bridges are restarted ${2 * RESTARTS} times under traffic`, () => {
  it("loses no byte, repeats none, keeps the order, and nobody on IRC sees it", async () => {
    for (const { nick } of restarted)
      await person.waitForLine((line) => line.command === "JOIN" && line.source?.startsWith(`${nick}!`) === true, {
        timeoutMs: patiently(30_000),
      });
    const arrived = person.mark();
    // Lines come in pieces, as over a real network.
    server.inPieces(100);
    const talk = setInterval(() => {
      for (const { channel, said } of restarted.filter(({ mayHearMore }) => mayHearMore)) {
        const text = `${said.length} ${tails[said.length % tails.length]!}|`;
        said.push(text);
        person.say(channel, text);
      }
    }, SAY_EVERY_MS);
    const holders = restarted.map(({ bridge }) => holderPid(bridge.directory));
    try {
      await Promise.all(restarted.map((each) => each.restartAgainAndAgain()));
    } finally {
      clearInterval(talk);
    }
    for (const each of restarted) {
      await until("all that was said", () => each.heard().length >= each.said.length);
      expect(Buffer.from(each.heard().join("\n"))).toEqual(Buffer.from(each.said.join("\n")));
      expect(each.said.length).toBeGreaterThan(10 * RESTARTS);
    }
    await person.sync(patiently(20_000));
    expect(person.lines.slice(arrived).filter((line) => / (QUIT|PART|JOIN|NICK|ERROR) /.test(line))).toEqual([]);
    expect(restarted.map(({ bridge }) => holderPid(bridge.directory))).toEqual(holders);
  });
});

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + patiently(60_000);
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
