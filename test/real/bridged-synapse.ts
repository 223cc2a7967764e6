import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SpecProxy, specValidator, type SpecDeviation, type SpecExchange, type SpecValidator } from "@trestle/testkit";
import { freePort } from "../support/bounded.js";
import { Bridge, type BridgeOptions } from "../support/bridge.js";
import { Person } from "../support/person.js";
import { asRecord, asText } from "../support/seen-event.js";
import { Synapse } from "../support/servers/synapse.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";

export const SERVER_NAME = "trestle.test";

export interface BridgedOptions extends Pick<BridgeOptions, "connector" | "network" | "settings"> {
  /** Whether the bridge may speak for users of the homeserver who signed in. */
  readonly doublePuppets?: boolean;
}

/** A real homeserver and the bridge as an operator starts it; all that they say to each other is held against the specification. */
export class BridgedSynapse {
  readonly #people: Person[] = [];

  private constructor(
    readonly synapse: Synapse,
    readonly bridge: Bridge,
    /** What Synapse handed to the bridge. */
    readonly delivered: Delivered,
    /** The requests of the bridge to Synapse. */
    readonly outward: SpecProxy,
    /** The requests of Synapse to the bridge. */
    readonly inward: SpecProxy,
  ) {}

  /** Resolves when the bridge says that it is ready. */
  static async build(install: SynapseInstall, options: BridgedOptions): Promise<BridgedSynapse> {
    const ends: (() => Promise<void>)[] = [];
    try {
      const [listen, operations, media, homeserver] = await Promise.all([
        freePort(),
        freePort(),
        freePort(),
        freePort(),
      ]);
      const outward = await SpecProxy.start({
        target: `http://127.0.0.1:${homeserver}`,
        api: "client-server",
        peer: "bridge",
        sides: ["request"],
      });
      ends.push(() => outward.close());
      const delivered = new Delivered();
      const inward = await SpecProxy.start({
        target: `http://127.0.0.1:${listen}`,
        api: "application-service",
        peer: "Synapse",
        sides: ["response"],
        validator: delivered,
      });
      ends.push(() => inward.close());
      const { doublePuppets = false, ...given } = options;
      const bridge = await Bridge.prepare({
        serverName: SERVER_NAME,
        homeserverUrl: outward.url,
        ports: { listen, operations, media },
        ...given,
      });
      ends.push(() => bridge.stop());
      const registrations = [await bridge.generateRegistration(inward.url)];
      if (doublePuppets) registrations.push(await bridge.generateDoublePuppet());
      const synapse = await Synapse.start(install, { serverName: SERVER_NAME, port: homeserver, registrations });
      ends.push(() => synapse.stop());
      await bridge.start();
      return new BridgedSynapse(synapse, bridge, delivered, outward, inward);
    } catch (error) {
      await Promise.allSettled(ends.reverse().map((end) => end()));
      throw error;
    }
  }

  async person(localpart: string): Promise<Person> {
    const person = await Person.register(this.synapse.url, localpart);
    this.#people.push(person);
    return person;
  }

  /** Makes a room and links it as a person does: by inviting the bot and by a command. Resolves to the room's id. */
  async linkedRoom(
    person: Person,
    wanted: { readonly name: string; readonly bot: string; readonly botPower: number; readonly command: string },
  ): Promise<string> {
    const { name, bot, botPower, command } = wanted;
    const powerLevels = { users: { [person.userId]: 100, [bot]: botPower } };
    const room = await person.createRoom({ name, invite: [bot], powerLevels });
    await joined(person, room, bot);
    await person.sendText(room, command);
    await person.waitForMessage(
      room,
      "the answer to the command",
      ({ sender, body }) => sender === bot && body.includes("now linked"),
    );
    return room;
  }

  /** How the bridge deviated from the specification, in its requests and its answers. */
  get deviations(): readonly SpecDeviation[] {
    return [...this.outward.deviations, ...this.inward.deviations];
  }

  /**
   * How many of the events with these ids Synapse never handed to the bridge. It keeps events that it has still to hand
   * to an application service in memory and has by then noted them as handed over: those it forgets when it is killed.
   */
  neverHandedOver(ids: readonly string[]): number {
    return ids.filter((id) => !this.delivered.has(id)).length;
  }

  /** The places of the events that Synapse handed over after a later one, or never. */
  handedOverLate(ids: readonly string[]): readonly number[] {
    const order = new Map(this.delivered.events.map((id, place) => [id, place]));
    const placeOf = (index: number): number => order.get(ids[index] ?? "") ?? Number.POSITIVE_INFINITY;
    return ids.flatMap((_, index) => (placeOf(index) > placeOf(index + 1) ? [index] : []));
  }

  /** For whoever looks into a failure: `TRESTLE_TEST_LOGS` names a directory for what the programs printed. */
  async keepLogs(name: string, others: Readonly<Record<string, string>> = {}): Promise<void> {
    const directory = process.env["TRESTLE_TEST_LOGS"];
    if (directory === undefined || directory === "") return;
    const logs = { bridge: this.bridge.output, synapse: this.synapse.output, ...others };
    await mkdir(directory, { recursive: true });
    await Promise.all(
      Object.entries(logs).map(([program, text]) => writeFile(join(directory, `${name}-${program}.log`), text)),
    );
  }

  /** Ends all of it, and the network on the other side with `others`. */
  async close(...others: readonly Promise<unknown>[]): Promise<void> {
    for (const person of this.#people) person.stop();
    const ends = [...others, this.bridge.stop(), this.synapse.stop(), this.outward.close(), this.inward.close()];
    const failed = (await Promise.allSettled(ends)).filter((end) => end.status === "rejected");
    if (failed.length > 0)
      throw new AggregateError(
        failed.map(({ reason }: PromiseRejectedResult): unknown => reason),
        "The servers of a test did not end in good order.",
      );
  }
}

/** Waits until `person` sees that somebody is in a room. */
export async function joined(person: Person, room: string, userId: string): Promise<void> {
  await person.waitFor(
    `${userId} in the room`,
    (event) =>
      event.roomId === room &&
      event.type === "m.room.member" &&
      event.stateKey === userId &&
      event.content["membership"] === "join",
  );
}

/** Holds the transactions of a homeserver against the specification, and remembers what was in them. */
export class Delivered implements SpecValidator {
  readonly #specification = specValidator();
  readonly #events = new Set<string>();
  readonly #transactions: string[] = [];

  /** The ids of the transactions that were answered, in order. */
  get transactions(): readonly string[] {
    return this.#transactions;
  }

  /** The ids of the events, in the order in which each came for the first time. */
  get events(): readonly string[] {
    return [...this.#events];
  }

  has(eventId: string): boolean {
    return this.#events.has(eventId);
  }

  compileAll(): string[] {
    return this.#specification?.compileAll() ?? [];
  }

  check(exchange: SpecExchange): SpecDeviation[] {
    const id = /\/transactions\/([^/]+)$/.exec(exchange.path)?.[1];
    if (id !== undefined) {
      this.#transactions.push(id);
      const events = asRecord(JSON.parse(exchange.requestBody.toString()))["events"];
      for (const event of Array.isArray(events) ? events : []) this.#events.add(asText(asRecord(event)["event_id"]));
    }
    return this.#specification?.check(exchange) ?? [];
  }
}
