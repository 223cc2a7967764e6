import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Connector, createLogger, loadConfig, type RunningTrestle, startTrestle } from "@trestle/core";
import { Homeserver, patience, type TestClient } from "@trestle/testkit";
import { findFreePort } from "../playground/free-port.js";
import type { StandIn } from "./stand-in.js";

/** How a bridge is tested. */
export interface TestBridgeOptions {
  /** How long something that must come is waited for, in milliseconds; 10 000, times `TRESTLE_PATIENCE`, where absent. */
  readonly patienceMs?: number;
  /** Writes Trestle's log to standard error. */
  readonly log?: boolean;
}

const SERVER_NAME = "bridge.test";
const BOT = "bridgebot";
const PREFIX = "ghost_";

/** A connector with everything around it, in this process: its network's stand-in, the real core, and a homeserver. */
export class TestBridge {
  #trestle: RunningTrestle | undefined;

  private constructor(
    private readonly connector: Connector,
    private readonly standIn: StandIn,
    private readonly directory: string,
    private readonly options: TestBridgeOptions,
    /** The first channel of the stand-in, linked to the room. */
    readonly channel: string,
    readonly homeserver: Homeserver,
    /** A person on Matrix. */
    readonly alice: TestClient,
    readonly room: string,
  ) {}

  /** Resolves when the room and the first channel of the stand-in are linked. */
  static async start(connector: Connector, standIn: StandIn, options: TestBridgeOptions = {}): Promise<TestBridge> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-test-bridge-"));
    const { config, channels } = await standIn.start();
    const port = await findFreePort();
    const registration = registrationOf(port);
    const homeserver = await Homeserver.start({
      serverName: SERVER_NAME,
      registrations: [registration],
      retry: { firstMs: 20, maxMs: 200 },
    });
    const alice = homeserver.createClient("alice");
    const bot = `@${BOT}:${SERVER_NAME}`;
    const room = await alice.createRoom({
      invite: [bot],
      power_level_content_override: { users: { [alice.userId]: 100, [bot]: 100 } },
    });
    const [channel] = channels;
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    const settings = configOf({ homeserverUrl: homeserver.url, port, room, channel, config });
    await writeFile(join(directory, "trestle.yaml"), JSON.stringify(settings));
    const bridge = new TestBridge(connector, standIn, directory, options, channel, homeserver, alice, room);
    try {
      await bridge.restart();
      return bridge;
    } catch (error) {
      await bridge.close();
      throw error;
    }
  }

  /** Stops Trestle in good order; the homeserver and the network go on. */
  async stop(): Promise<void> {
    const trestle = this.#trestle;
    this.#trestle = undefined;
    await trestle?.close();
  }

  /** Starts Trestle again on the same database. */
  async restart(): Promise<void> {
    await this.stop();
    const loaded = await loadConfig(join(this.directory, "trestle.yaml"));
    const log = createLogger({ ...loaded.config.log, level: this.options.log === true ? "debug" : "silent" });
    this.#trestle = await startTrestle(loaded, { log, connectors: { tested: this.connector } });
    await this.#trestle.greeted;
  }

  /** Alice says something; resolves to the event id. */
  async sayOnMatrix(text: string): Promise<string> {
    return this.alice.send(this.room, "m.room.message", { msgtype: "m.text", body: text, "m.mentions": {} });
  }

  /** The stand-in's first person says something; resolves to the network's id. */
  async sayOnNetwork(text: string): Promise<string> {
    return this.standIn.say(this.channel, this.standIn.people[0], text);
  }

  /** What people of the network said in the room, in order. */
  textsOnMatrix(): string[] {
    return this.homeserver
      .room(this.room)
      .messages()
      .filter(({ sender }) => typeof sender === "string" && sender.startsWith(`@${PREFIX}`))
      .map(({ content }) => (isRecord(content) && typeof content["body"] === "string" ? content["body"] : ""));
  }

  /** What the bridge said in the channel, in order. */
  textsOnNetwork(): string[] {
    return this.standIn.seen(this.channel).flatMap(({ text }) => (text === undefined ? [] : [text]));
  }

  /** Resolves when the room shows a message of the network. */
  async seenOnMatrix(text: string): Promise<void> {
    await this.#wait(`the room to show "${text}"`, () => this.textsOnMatrix(), text);
  }

  /** Resolves when the channel shows a message of the bridge. */
  async seenOnNetwork(text: string): Promise<void> {
    await this.#wait(`the channel to show "${text}"`, () => this.textsOnNetwork(), text);
  }

  /** Stops everything and removes its files. Rejects where Trestle asked something of the homeserver that the specification forbids. */
  async close(): Promise<void> {
    await this.stop();
    await this.standIn.stop();
    await this.homeserver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #wait(what: string, texts: () => string[], text: string): Promise<void> {
    const { patienceMs: bound = 10_000 * patience } = this.options;
    const deadline = Date.now() + bound;
    while (!texts().includes(text)) {
      if (Date.now() > deadline) {
        const queue = (await this.#trestle?.services.queue.list({ limit: 5 })) ?? [];
        const waiting = queue.map(
          ({ source, state, error }) => `  ${state} ${source}${error === undefined ? "" : `: ${error}`}`,
        );
        throw new Error(
          `Waited ${bound} ms in vain for ${what}. There is: ${JSON.stringify(texts().slice(-5))}. In the journal:\n${waiting.join("\n") || "  nothing"}`,
        );
      }
      await delay(20);
    }
  }
}

function registrationOf(port: number): Record<string, unknown> {
  return {
    id: "test",
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token-of-the-test-bridge",
    hs_token: "hs-token-of-the-test-bridge",
    sender_localpart: BOT,
    rate_limited: false,
    receive_ephemeral: true,
    namespaces: { users: [{ exclusive: true, regex: `^@${PREFIX}.*:bridge\\.test$` }], aliases: [], rooms: [] },
  };
}

interface Settings {
  readonly homeserverUrl: string;
  readonly port: number;
  readonly room: string;
  readonly channel: string;
  readonly config: unknown;
}

function configOf({ homeserverUrl, port, room, channel, config }: Settings): object {
  return {
    homeserver: { url: homeserverUrl, name: SERVER_NAME },
    listen: { port },
    operations: { port: 0 },
    media: { port: 0 },
    dataDirectory: "data",
    // Pauses a hundredth as long as the real ones.
    delivery: { retryMin: 10, retryMax: 200, stopTimeout: 5_000 },
    bridges: [
      {
        name: "tested",
        connector: "tested",
        registration: "registration.yaml",
        links: [{ room, channel }],
        network: config,
      },
    ],
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
