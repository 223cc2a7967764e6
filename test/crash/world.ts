import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { inRepository } from "../tools/paths.js";
import { waitWhileBusy } from "../tools/progress.js";
import { BridgeProcess } from "./bridge-process.js";
import { freePort } from "../tools/free-port.js";
import { botNick, ircBridge, serverName, writeConfig, writeRegistration } from "./config-files.js";
import { IrcClient } from "./irc-client.js";
import { startIrcServer, type ChannelLine, type IrcServer, type IrcServerName } from "./irc-server.js";
import type { Place } from "./load.js";
import { MatrixPerson, MatrixServer, Timeline } from "./matrix-client.js";
import type { Scenario } from "./scenarios.js";
import { ServerProcess } from "./server-process.js";

const places = 4;
const matrixPeople = 3;
const ircPeople = 3;

/** The two servers, the people on both sides, and the bridge between them, each in a process of its own. */
export class World {
  readonly complaints: string[] = [];
  readonly lines = new Map<number, ChannelLine[]>();
  readonly timelines = new Map<number, Timeline>();
  /** Set by the one who makes the load; resolves, for `true`, when what was said on IRC has arrived. */
  pauseIrc: (paused: boolean) => Promise<void> = () => Promise.resolve();

  private constructor(
    readonly directory: string,
    readonly homeserver: ServerProcess,
    readonly irc: IrcServer,
    readonly bridge: BridgeProcess,
    readonly matrix: MatrixServer,
    readonly people: readonly MatrixPerson[],
    readonly ircClients: readonly IrcClient[],
    readonly places: readonly Place[],
    private readonly operationsPort: number,
  ) {}

  static async open(directory: string, scenario: Scenario, seed: number, server: IrcServerName): Promise<World> {
    const listen = await freePort();
    const registration = writeRegistration(directory, listen, "irc");
    const channels = Array.from({ length: places }, (_, place) => `#place${place}`);
    const irc = await startIrcServer(server, channels, scenario.without ?? [], directory);
    const homeserver = await ServerProcess.start(
      inRepository("packages/testkit/dist/homeserver/main.js"),
      [JSON.stringify({ serverName, seed, registrations: [registration.content] })],
      join(directory, "homeserver.log"),
    );
    const matrix = new MatrixServer(`http://127.0.0.1:${homeserver.port}`);
    const people: MatrixPerson[] = [];
    for (let person = 0; person < matrixPeople; person++) people.push(await matrix.register(`person${person}`));
    const clients = Array.from(
      { length: ircPeople },
      (_, person) => new IrcClient(irc.port, `speaker${person}`, channels),
    );
    const made: Place[] = [];
    for (const [number, channel] of channels.entries())
      made.push({
        number,
        room: await makeRoom(people, registration.bot, channel),
        channel,
        matrixPeople: people,
        ircPeople: clients,
      });
    const ports = { homeserver: homeserver.port, listen, operations: await freePort() };
    const bridge = new BridgeProcess({
      config: writeConfig(directory, ports, ircBridge(registration.path, irc.bridgePort, made)),
      log: join(directory, "bridge.log"),
      env: scenario.env ?? {},
    });
    const world = new World(directory, homeserver, irc, bridge, matrix, people, clients, made, ports.operations);
    const [reader] = people;
    if (!reader) throw new Error("There is nobody on Matrix");
    for (const { number, room } of made) {
      world.lines.set(number, []);
      world.timelines.set(number, new Timeline(reader, room));
    }
    await Promise.all(clients.map((client) => client.whenPresent()));
    return world;
  }

  /** Writes a line to the log of the run. */
  note(text: string): void {
    appendFileSync(join(this.directory, "run.log"), `${new Date().toISOString()} ${text}\n`);
  }

  /** Something went wrong that is not about a message. */
  complain(text: string): void {
    this.note(text);
    this.complaints.push(text);
  }

  /** Resolves when the bot is in every channel. */
  async whenBridged(idleMs: number): Promise<void> {
    const isBridged = async (): Promise<boolean> => {
      for (const { channel } of this.places) if (!(await this.members(channel)).includes(botNick)) return false;
      return true;
    };
    await waitWhileBusy("the bridge to enter every channel", () => this.bridge.pid, isBridged, { idleMs });
  }

  /** Resolves when the bridge answers on its operations port, or does nothing for `idleMs` without being there. */
  async whenUp(idleMs: number): Promise<void> {
    const live = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${this.operationsPort}/live`).catch(() => undefined))?.ok === true;
    await waitWhileBusy("the bridge to be up", () => this.bridge.pid, live, { idleMs, everyMs: 20 }).catch(
      (error: unknown) => this.note(String(error)),
    );
  }

  async members(channel: string): Promise<readonly string[]> {
    return (await this.irc.channel(channel, 0)).members;
  }

  /** Reads what is new in rooms and channels; resolves to how much that was. */
  async read(): Promise<number> {
    let fresh = 0;
    for (const { number, channel } of this.places) {
      const known = this.lines.get(number) ?? [];
      const { log } = await this.irc.channel(channel, known.length);
      known.push(...log);
      fresh += log.length + ((await this.timelines.get(number)?.read()) ?? 0);
    }
    return fresh;
  }

  /** Nobody on IRC speaks while `work` goes on, nor until the bridge is back in every channel. */
  async withoutIrcSpeakers(work: () => Promise<void>): Promise<void> {
    await this.pauseIrc(true);
    try {
      await work();
      await Promise.all(this.ircClients.map((client) => client.whenPresent()));
      await this.whenBridged(20_000);
    } finally {
      await this.pauseIrc(false);
    }
  }

  /** The homeserver closes every connection, forgets the transactions of clients, and numbers its own from 1 again. */
  async restartHomeserver(): Promise<void> {
    await this.homeserver.control("POST", "restart", { forgetTransactions: true });
  }

  /** A share of the bridge's requests is answered with an error. */
  async homeserverAnswers(answer: Readonly<Record<string, unknown>>, probability: number): Promise<void> {
    await this.homeserver.control("POST", "faults/answer", {
      ...answer,
      filter: { fromAppService: true, probability },
    });
  }

  /** A share of the bridge's requests is acted upon, but the connection breaks off before the answer. */
  async homeserverDropsAfter(probability: number): Promise<void> {
    await this.homeserver.control("POST", "faults/drop", {
      when: "after",
      filter: { fromAppService: true, probability },
    });
  }

  async clearHomeserver(): Promise<void> {
    await this.homeserver.control("POST", "faults/clear");
  }

  /** Where requests and answers did not follow the specification. */
  async deviations(): Promise<readonly unknown[]> {
    return z.array(z.unknown()).parse(await this.homeserver.control("POST", "deviations"));
  }

  async close(): Promise<void> {
    await this.bridge.kill();
    for (const client of this.ircClients) client.close();
    await this.matrix.close();
    await this.homeserver.stop();
    await this.irc.stop();
  }
}

async function makeRoom(people: readonly MatrixPerson[], bot: string, name: string): Promise<string> {
  const [first, ...others] = people;
  if (!first) throw new Error("There is nobody on Matrix");
  const room = await first.createRoom(name, bot);
  for (const person of others) await person.join(room);
  return room;
}
