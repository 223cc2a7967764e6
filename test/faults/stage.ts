import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createLogger,
  loadConfig,
  startTrestle,
  type Clock,
  type Connector,
  type Logger,
  type RunningTrestle,
} from "@trestle/core";
import { Homeserver, type HomeserverOptions, type TestClient } from "@trestle/testkit";
import { freePort } from "../support/bounded.js";
import { FakeNetwork, type FakeNetworkOptions } from "../support/fake-connector.js";

export interface StageOptions {
  readonly places?: number;
  readonly homeserver?: HomeserverOptions;
  readonly network?: FakeNetworkOptions;
  /** Settings of `delivery`. */
  readonly delivery?: Readonly<Record<string, unknown>>;
  /** Settings of the bridge. */
  readonly bridge?: Readonly<Record<string, unknown>>;
  /** Settings of the whole configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Registrations of other application services. */
  readonly registrations?: readonly unknown[];
  /** Settings of `homeserver`. */
  readonly homeserverConfig?: Readonly<Record<string, unknown>>;
  /** Keys of the registration. */
  readonly registration?: Readonly<Record<string, unknown>>;
  /** Where the database lies; otherwise a directory that is removed at the end. */
  readonly dataDirectory?: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Stands where the fake network would. */
  readonly connector?: Connector;
  /** Further connectors, by name. */
  readonly connectors?: Readonly<Record<string, Connector>>;
  /** The channel of each place. */
  readonly channelOf?: (place: number) => string;
}

/** What arrived on one side of one place. */
export interface Account {
  readonly place: number;
  readonly direction: "to the network" | "to Matrix";
  readonly said: readonly string[];
  readonly heard: readonly string[];
}

const serverName = "faults.test";

/** A homeserver, a fake network, and Trestle between them with shortened pauses, all in this process. */
export class Stage {
  readonly #saidOnMatrix = new Map<number, string[]>();
  readonly #saidOnNetwork = new Map<number, string[]>();
  #trestle: RunningTrestle | undefined;
  #count = 0;

  private constructor(
    readonly homeserver: Homeserver,
    readonly network: FakeNetwork,
    readonly alice: TestClient,
    readonly rooms: readonly string[],
    readonly directory: string,
    private readonly options: StageOptions,
  ) {}

  static async open(options: StageOptions = {}): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-faults-"));
    const port = await freePort();
    const registration = {
      id: "fake",
      url: `http://127.0.0.1:${port}`,
      as_token: "as-token-of-the-fault-tests",
      hs_token: "hs-token-of-the-fault-tests",
      sender_localpart: "fakebot",
      rate_limited: false,
      receive_ephemeral: true,
      "de.sorunome.msc2409.push_ephemeral": true,
      namespaces: { users: [{ exclusive: true, regex: "^@fake_.*:faults\\.test$" }], aliases: [], rooms: [] },
      ...options.registration,
    };
    const homeserver = await Homeserver.start({
      port: await freePort(),
      serverName,
      registrations: [registration, ...(options.registrations ?? [])],
      retry: { firstMs: 5, maxMs: 50 },
      ...options.homeserver,
    });
    const alice = homeserver.createClient("alice");
    const bot = `@fakebot:${serverName}`;
    const rooms: string[] = [];
    for (let place = 0; place < (options.places ?? 2); place++) {
      rooms.push(
        await alice.createRoom({
          invite: [bot],
          power_level_content_override: { users: { [alice.userId]: 100, [bot]: 100 } },
        }),
      );
    }
    const config = {
      homeserver: { url: homeserver.url, name: serverName, ...options.homeserverConfig },
      listen: { port },
      operations: { port: 0 },
      media: { port: 0 },
      dataDirectory: options.dataDirectory ?? "data",
      // Pauses a hundredth as long as the real ones.
      delivery: { retryMin: 5, retryMax: 100, stopTimeout: 2_000, ...options.delivery },
      ...options.config,
      bridges: [
        {
          name: "fake",
          connector: "fake",
          registration: "registration.yaml",
          links: rooms.map((room, place) => ({ room, channel: (options.channelOf ?? channelOf)(place) })),
          ...options.bridge,
        },
      ],
    };
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
    const stage = new Stage(homeserver, new FakeNetwork(options.network), alice, rooms, directory, options);
    await stage.start();
    return stage;
  }

  get configFile(): string {
    return join(this.directory, "trestle.yaml");
  }

  get trestle(): RunningTrestle {
    if (!this.#trestle) throw new Error("Trestle is not running");
    return this.#trestle;
  }

  /** Starts Trestle; resolves when it has said hello to the homeserver. */
  async start(): Promise<void> {
    await this.startUngreeted();
    await this.trestle.greeted;
  }

  async startUngreeted(): Promise<void> {
    const reread = () => loadConfig(this.configFile);
    const loaded = await reread();
    const level = process.env["TRESTLE_TEST_LOG"] === "1" ? "debug" : "silent";
    this.#trestle = await startTrestle(loaded, {
      log: this.options.log ?? createLogger({ ...loaded.config.log, level }),
      connectors: { fake: this.options.connector ?? this.network.connector, ...this.options.connectors },
      reread,
      ...(this.options.clock && { clock: this.options.clock }),
    });
  }

  /** Other settings of the whole configuration, from the next start on. */
  async configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const path = join(this.directory, "trestle.yaml");
    const before = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...before, ...settings }));
  }

  async stop(): Promise<void> {
    const trestle = this.#trestle;
    this.#trestle = undefined;
    await trestle?.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.homeserver.stop();
    // A process that held connections for the bridge may still be writing there as it ends.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  room(place = 0): string {
    const room = this.rooms[place];
    if (room === undefined) throw new Error(`There is no place ${place}`);
    return room;
  }

  /** Alice says so many things, in every place in turn; resolves when the homeserver has them. */
  async sayOnMatrix(count: number, place?: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const where = place ?? i % this.rooms.length;
      const text = `matrix ${++this.#count}`;
      await this.#sendText(this.room(where), text);
      listOf(this.#saidOnMatrix, where).push(text);
    }
  }

  /** Somebody on the network says so many things; resolves when Trestle has them on disk. */
  async sayOnNetwork(count: number, place?: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const where = place ?? i % this.rooms.length;
      const text = `network ${++this.#count}`;
      // What the disk refuses is not acknowledged to the network, which then sends it again.
      listOf(this.#saidOnNetwork, where).push(text);
      await this.network.say(channelOf(where), `person${i % 3}`, text);
    }
  }

  /** Remembers something said by other means. */
  expectOnNetwork(text: string, place = 0): void {
    listOf(this.#saidOnMatrix, place).push(text);
  }

  expectOnMatrix(text: string, place = 0): void {
    listOf(this.#saidOnNetwork, place).push(text);
  }

  /** A client repeats what was not answered; a homeserver that restarts breaks its connection off. */
  async #sendText(room: string, text: string): Promise<void> {
    const transaction = this.alice.nextTransactionId();
    const send = () =>
      this.alice.send(room, "m.room.message", { msgtype: "m.text", body: text, "m.mentions": {} }, transaction);
    await send().catch(send);
  }

  account(): Account[] {
    return this.rooms.flatMap((room, place) => [
      {
        place,
        direction: "to the network" as const,
        said: this.#saidOnMatrix.get(place) ?? [],
        heard: this.network.taken.filter(({ channel }) => channel === channelOf(place)).map(({ text }) => text),
      },
      {
        place,
        direction: "to Matrix" as const,
        said: this.#saidOnNetwork.get(place) ?? [],
        heard: this.homeserver
          .room(room)
          .messages()
          .filter(({ sender }) => typeof sender === "string" && sender.startsWith("@fake_"))
          .map(({ content }) => bodyOf(content)),
      },
    ]);
  }
}

export function channelOf(place: number): string {
  return `channel${place}`;
}

export function bodyOf(content: unknown): string {
  return typeof content === "object" && content !== null && "body" in content ? String(content.body) : "";
}

function listOf(map: Map<number, string[]>, key: number): string[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
