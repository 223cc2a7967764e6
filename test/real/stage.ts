import { until } from "../support/bounded.js";
import { IrcPerson } from "../support/irc-person.js";
import type { Person } from "../support/person.js";
import { asRecord, asText } from "../support/seen-event.js";
import type { LaunchedServer } from "../support/servers/launched-server.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";
import { BridgedSynapse, SERVER_NAME } from "./bridged-synapse.js";

export const BOT = `@ircbot:${SERVER_NAME}`;
export const BOT_NICK = "trestle";

/** A person's nick as the bridge's puppets have it. */
export const puppetOf = (name: string): string => `${name}[m]`;

/** A real homeserver and a real IRC server with the bridge between them. */
export class Stage {
  readonly #ircPeople: IrcPerson[] = [];

  private constructor(
    readonly matrix: BridgedSynapse,
    readonly irc: LaunchedServer,
  ) {}

  /** Takes over the IRC server, also its end. Resolves when the bridge says that it is ready. */
  static async build(install: SynapseInstall, irc: LaunchedServer): Promise<Stage> {
    try {
      return new Stage(await BridgedSynapse.build(install, { connector: "irc", network: networkOf(irc) }), irc);
    } catch (error) {
      await irc.stop();
      throw error;
    }
  }

  get synapse() {
    return this.matrix.synapse;
  }

  get bridge() {
    return this.matrix.bridge;
  }

  get delivered() {
    return this.matrix.delivered;
  }

  async person(localpart: string): Promise<Person> {
    return this.matrix.person(localpart);
  }

  async ircPerson(nick: string, ...channels: readonly string[]): Promise<IrcPerson> {
    const person = await IrcPerson.connect({ port: this.irc.port, nick });
    this.#ircPeople.push(person);
    for (const channel of channels) await person.join(channel);
    return person;
  }

  /** Makes a room and links it as a person does: by inviting the bot and by a command. Resolves to the room's id. */
  async linkedRoom(person: Person, channel: string, options: { readonly botPower?: number } = {}): Promise<string> {
    const { botPower = 0 } = options;
    return this.matrix.linkedRoom(person, { name: channel, bot: BOT, botPower, command: `!irc link ${channel}` });
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

  async close(): Promise<void> {
    await this.matrix.keepLogs(this.irc.program.name, { irc: this.irc.output });
    await this.matrix.close(...this.#ircPeople.map((person) => person.quit()), this.irc.stop());
  }
}

function networkOf(irc: LaunchedServer): Readonly<Record<string, unknown>> {
  const network = {
    name: "test",
    host: irc.host,
    port: irc.port,
    tls: false,
    nick: BOT_NICK,
    // What people are asked is tried elsewhere.
    consent: false,
    // The servers of the tests slow nobody down.
    flood: { burst: 1_000, linesPerSecond: 10_000 },
    connects: { burst: 100, perSecond: 100 },
    reconnect: { min: 0.1, max: 1 },
  };
  return { grace: 15, onStop: "quit", networks: [network] };
}
