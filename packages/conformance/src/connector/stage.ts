import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Homeserver, type JsonObject, type TestClient } from "@trestle/testkit";
import type { NetworkFake, NetworkSetting } from "../network/network-fake.js";
import { Gate } from "./gate.js";
import type { BridgeLife } from "./life.js";
import { LocalLife } from "./local-life.js";
import { seenOnMatrix, type SeenOnMatrix } from "./matrix-view.js";
import { ProcessLife } from "./process-life.js";
import { connectorOf, nameOf, type Subject } from "./subject.js";
import { until, type Patience } from "../waiting.js";

export interface StageOptions {
  /** How long something that must come is waited for, in milliseconds. */
  readonly patienceMs: number;
  /** Settings of `delivery` that replace the suite's. */
  readonly delivery: Readonly<Record<string, unknown>>;
  readonly roomVersion?: "11" | "12";
}

const serverName = "conformance.test";
const botName = `@bridgebot:${serverName}`;
/** Pauses a hundredth as long as the real ones; what is old is never dropped. */
const quickDelivery = { retryMin: 10, retryMax: 250, stopTimeout: 5_000, handlerTimeout: 15_000 };

/** The network's stand-in, a homeserver, and the real core with the connector between them, over real sockets. */
export class Stage {
  #unique = 0;
  readonly #word = Math.random().toString(36).slice(2, 6).padEnd(4, "x");

  private constructor(
    readonly fake: NetworkFake,
    readonly setting: NetworkSetting,
    readonly homeserver: Homeserver,
    readonly alice: TestClient,
    readonly rooms: readonly [string, string],
    readonly life: BridgeLife,
    readonly options: StageOptions,
    /** To the bridge, and from it to the homeserver. */
    private readonly ways: { readonly inward: Gate; readonly outward: Gate },
    private readonly directory: string,
  ) {}

  /** Everything is up; the bridge is not started yet. */
  static async open(subject: Subject, fake: NetworkFake, options: StageOptions): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-conf-"));
    const setting = await fake.start();
    const inward = await Gate.openShut();
    const registration = registrationOf(inward.port);
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    const homeserver = await Homeserver.start({
      serverName,
      registrations: [registration],
      retry: { firstMs: 5, maxMs: 100 },
      expectDeviations: true,
      ...(options.roomVersion && { defaultRoomVersion: options.roomVersion }),
    });
    const alice = homeserver.createClient("alice");
    const rooms = [await makeRoom(alice, options), await makeRoom(alice, options)] as const;
    const links = setting.channels.map((channel, place) => ({ channel, room: rooms[place] ?? "" }));
    const outward = await Gate.open(portOf(homeserver));
    const life = lifeOf(subject, fake, {
      directory,
      inward,
      homeserverPort: outward.port,
      writeConfig: async (places) => {
        const path = join(directory, "trestle.yaml");
        const config = configOf({ ...places, links, subject, network: setting.config, options });
        await writeFile(path, JSON.stringify(config));
        return path;
      },
    });
    return new Stage(fake, setting, homeserver, alice, rooms, life, options, { inward, outward }, directory);
  }

  /** Ends everything, whatever state it is in. */
  async close(): Promise<void> {
    const { inward, outward } = this.ways;
    const parts = [inward, outward].map((gate) => () => gate.close());
    const ends = [() => this.life.end(), ...parts, () => this.homeserver.stop(), () => this.fake.stop()];
    const errors: unknown[] = [];
    for (const end of ends) await end().catch((error: unknown) => errors.push(error));
    await rm(this.directory, { recursive: true, force: true });
    if (errors.length > 0) throw errors[0];
  }

  get bot(): string {
    return botName;
  }

  room(place: 0 | 1 = 0): string {
    return this.rooms[place];
  }

  channel(place: 0 | 1 = 0): string {
    return this.setting.channels[place];
  }

  person(index = 0): string {
    return this.fake.people[index % this.fake.people.length] ?? this.fake.people[0];
  }

  /** A word that occurs nowhere else; no mark is part of another. */
  mark(prefix = "m"): string {
    this.#unique += 1;
    return `${prefix}${this.#word}${String(this.#unique).padStart(4, "0")}z`;
  }

  marks(count: number, prefix?: string): string[] {
    return Array.from({ length: count }, () => this.mark(prefix));
  }

  /** Alice says something. A client repeats under the same transaction id what was not answered. */
  async tell(text: string, place: 0 | 1 = 0, extra: JsonObject = {}): Promise<string> {
    const transaction = this.alice.nextTransactionId();
    const content = { msgtype: "m.text", body: text, "m.mentions": {}, ...extra };
    const send = (): Promise<string> => this.alice.send(this.room(place), "m.room.message", content, transaction);
    return send().catch(send);
  }

  /**
   * The bridge does not reach the homeserver until the returned function is called. The homeserver keeps its port: given
   * up, another program might take it meanwhile.
   */
  cutOffHomeserver(): () => void {
    this.ways.outward.shut();
    return () => this.ways.outward.lead(portOf(this.homeserver));
  }

  /** A person of the network says something. */
  say(text: string, place: 0 | 1 = 0, person = this.person()): Promise<string> {
    return this.fake.say(this.channel(place), person, text);
  }

  /** What people in the room saw people of the network do. */
  onMatrix(place: 0 | 1 = 0): SeenOnMatrix[] {
    return seenOnMatrix(this.homeserver.room(this.room(place)).timeline(), isGhost);
  }

  /** What people in the room saw the bridge's bot do. */
  byBot(place: 0 | 1 = 0): SeenOnMatrix[] {
    return seenOnMatrix(this.homeserver.room(this.room(place)).timeline(), (sender) => sender === botName);
  }

  textsOnMatrix(place: 0 | 1 = 0): string[] {
    return this.onMatrix(place).flatMap(({ kind, text }) => (kind === "message" || kind === "edit" ? [text] : []));
  }

  /** Waits for what must come, as long as the options say. */
  until<Value>(probe: Patience<Value>): Promise<Value | undefined> {
    return until(this.options.patienceMs, probe);
  }

  isGhost(sender: string): boolean {
    return isGhost(sender);
  }
}

function portOf(homeserver: Homeserver): number {
  return Number(new URL(homeserver.url).port);
}

function isGhost(sender: string): boolean {
  return sender.startsWith("@ghost_") && sender.endsWith(`:${serverName}`);
}

function lifeOf(
  subject: Subject,
  fake: NetworkFake,
  options: ConstructorParameters<typeof ProcessLife>[0],
): BridgeLife {
  const connector = connectorOf(subject);
  return connector ? new LocalLife(connector, options, () => fake.crashed?.()) : new ProcessLife(options);
}

async function makeRoom(alice: TestClient, { roomVersion }: StageOptions): Promise<string> {
  const users = { [botName]: 100, ...(roomVersion !== "12" && { [alice.userId]: 100 }) };
  return alice.createRoom({ invite: [botName], power_level_content_override: { users } });
}

function registrationOf(port: number): JsonObject {
  return {
    id: "conformance",
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token-of-the-conformance-suite",
    hs_token: "hs-token-of-the-conformance-suite",
    sender_localpart: "bridgebot",
    rate_limited: false,
    receive_ephemeral: true,
    "de.sorunome.msc2409.push_ephemeral": true,
    namespaces: {
      users: [{ exclusive: true, regex: `^@ghost_.*:${serverName.replaceAll(".", "\\.")}$` }],
      aliases: [],
      rooms: [],
    },
  };
}

interface Places {
  readonly listen: number;
  readonly homeserverUrl: string;
  readonly data: string;
  readonly links: readonly { readonly channel: string; readonly room: string }[];
  readonly subject: Subject;
  readonly network: unknown;
  readonly options: StageOptions;
}

function configOf({ listen, homeserverUrl, data, links, subject, network, options }: Places): object {
  return {
    homeserver: { url: homeserverUrl, name: serverName },
    listen: { port: listen },
    operations: { port: 0 },
    // The fake network, with the files that people show, is on this machine.
    media: { port: 0, publicUrl: "http://media.conformance.test", allowPrivate: ["127.0.0.1"] },
    dataDirectory: data,
    encryptionKey: "a key of the conformance suite, long enough",
    permissions: { "*": "user" },
    delivery: { ...quickDelivery, ...options.delivery },
    log: { level: "warn", format: "json" },
    bridges: [{ name: "bridge", connector: nameOf(subject), registration: "registration.yaml", links, network }],
  };
}
