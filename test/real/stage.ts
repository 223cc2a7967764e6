import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SpecProxy, specValidator, type SpecDeviation, type SpecExchange, type SpecValidator } from "@trestle/testkit";
import { freePort, until } from "../support/bounded.js";
import { Bridge } from "../support/bridge.js";
import { IrcPerson } from "../support/irc-person.js";
import { Person } from "../support/person.js";
import { asRecord, asText } from "../support/seen-event.js";
import type { LaunchedServer } from "../support/servers/launched-server.js";
import { Synapse } from "../support/servers/synapse.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";

export const SERVER_NAME = "trestle.test";
export const BOT = `@ircbot:${SERVER_NAME}`;
export const BOT_NICK = "trestle";

/** A person's nick as the bridge's puppets have it. */
export const puppetOf = (name: string): string => `${name}[m]`;

/** A real homeserver and a real IRC server with the bridge between them; all Matrix traffic of the bridge is held against the specification. */
export class Stage {
  readonly #people: Person[] = [];
  readonly #ircPeople: IrcPerson[] = [];

  private constructor(
    readonly synapse: Synapse,
    readonly irc: LaunchedServer,
    readonly bridge: Bridge,
    /** What Synapse handed to the bridge. */
    readonly delivered: Delivered,
    /** The requests of the bridge to Synapse. */
    readonly outward: SpecProxy,
    /** The requests of Synapse to the bridge. */
    readonly inward: SpecProxy,
  ) {}

  /** Takes over the IRC server, also its end. Resolves when the bridge says that it is ready. */
  static async build(install: SynapseInstall, irc: LaunchedServer): Promise<Stage> {
    const ends: (() => Promise<void>)[] = [() => irc.stop()];
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
      const bridge = await Bridge.prepare({
        serverName: SERVER_NAME,
        homeserverUrl: outward.url,
        ports: { listen, operations, media },
        network: networkOf(irc),
      });
      ends.push(() => bridge.stop());
      const registration = await bridge.generateRegistration(inward.url);
      const synapse = await Synapse.start(install, {
        serverName: SERVER_NAME,
        port: homeserver,
        registrations: [registration],
      });
      ends.push(() => synapse.stop());
      await bridge.start();
      return new Stage(synapse, irc, bridge, delivered, outward, inward);
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

  async ircPerson(nick: string, ...channels: readonly string[]): Promise<IrcPerson> {
    const person = await IrcPerson.connect({ port: this.irc.port, nick });
    this.#ircPeople.push(person);
    for (const channel of channels) await person.join(channel);
    return person;
  }

  /** Makes a room and links it as a person does: by inviting the bot and by a command. Resolves to the room's id. */
  async linkedRoom(person: Person, channel: string, options: { readonly botPower?: number } = {}): Promise<string> {
    const power = { users: { [person.userId]: 100, [BOT]: options.botPower ?? 0 } };
    const room = await person.createRoom({ name: channel, invite: [BOT], powerLevels: power });
    await person.waitFor(
      "the bot in the room",
      (event) =>
        event.roomId === room &&
        event.type === "m.room.member" &&
        event.stateKey === BOT &&
        event.content["membership"] === "join",
    );
    await person.sendText(room, `!irc link ${channel}`);
    await person.waitForMessage(
      room,
      "the answer to the command",
      ({ sender, body }) => sender === BOT && body.includes("now linked"),
    );
    return room;
  }

  /** Waits until a room is linked; resolves to the channel's name. */
  async linkOf(room: string): Promise<string> {
    return until(30_000, `a link of ${room}`, async () => {
      const { code, output } = await this.bridge.command("list", "--json");
      if (code !== 0) throw new Error(`trestle list ended with ${code}:\n${output}`);
      const links: unknown = JSON.parse(output);
      const link = Array.isArray(links) ? links.map(asRecord).find((each) => each["room"] === room) : undefined;
      return link === undefined ? undefined : asText(link["channelName"]);
    });
  }

  /** How the bridge deviated from the specification, in its requests and its answers. */
  get deviations(): readonly SpecDeviation[] {
    return [...this.outward.deviations, ...this.inward.deviations];
  }

  async close(): Promise<void> {
    await this.#keepLogs();
    for (const person of this.#people) person.stop();
    const ends = [
      ...this.#ircPeople.map((person) => person.quit()),
      this.bridge.stop(),
      this.synapse.stop(),
      this.irc.stop(),
      this.outward.close(),
      this.inward.close(),
    ];
    const failed = (await Promise.allSettled(ends)).filter((end) => end.status === "rejected");
    if (failed.length > 0)
      throw new AggregateError(
        failed.map(({ reason }: PromiseRejectedResult): unknown => reason),
        "The servers of a test did not end in good order.",
      );
  }

  /** For whoever looks into a failure: `TRESTLE_TEST_LOGS` names a directory for what the programs printed. */
  async #keepLogs(): Promise<void> {
    const directory = process.env["TRESTLE_TEST_LOGS"];
    if (directory === undefined || directory === "") return;
    const logs = { bridge: this.bridge.output, synapse: this.synapse.output, irc: this.irc.output };
    await mkdir(directory, { recursive: true });
    await Promise.all(
      Object.entries(logs).map(([name, text]) =>
        writeFile(join(directory, `${this.irc.program.name}-${name}.log`), text),
      ),
    );
  }
}

function networkOf(irc: LaunchedServer): Readonly<Record<string, unknown>> {
  const network = {
    name: "test",
    host: irc.host,
    port: irc.port,
    tls: false,
    nick: BOT_NICK,
    // The servers of the tests slow nobody down.
    flood: { burst: 1_000, linesPerSecond: 10_000 },
    connects: { burst: 100, perSecond: 100 },
    reconnect: { min: 0.1, max: 1 },
  };
  return { grace: 15, onStop: "quit", networks: [network] };
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
