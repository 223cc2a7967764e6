import { randomBytes } from "node:crypto";
import { Accounts } from "./accounts.js";
import { CAPABILITIES, type Capability, type StsPolicy } from "./capabilities/catalogue.js";
import { tagsFor } from "./capabilities/tags.js";
import type { Channel } from "./channel.js";
import type { Client, Stamp } from "./client.js";
import { type Faults, noFaults } from "./faults/faults.js";
import { History } from "./history.js";
import { formatLine, formatTags } from "./line.js";
import { channelModes, type ChannelModes } from "./modes/letters.js";
import { foldName } from "./names.js";
import type { IrcServerOptions, Settings } from "./options.js";
import { Records } from "./records.js";
import type { SaslMechanism } from "./sasl/mechanisms.js";
import { WhoWas } from "./whowas.js";

export interface RelayOptions {
  readonly to: Iterable<Client>;
  readonly stamp?: Stamp;
}

/** Everything the server knows, and how a line reaches the clients it is for. */
export class Network {
  readonly clients = new Set<Client>();
  readonly byNick = new Map<string, Client>();
  readonly channels = new Map<string, Channel>();
  readonly records: Records;
  readonly history: History;
  readonly whowas = new WhoWas();
  readonly accounts: Accounts;
  readonly enabled: Set<Capability>;
  readonly modes: ChannelModes;
  readonly faults: Faults = noFaults();
  readonly startedAt: number;
  withMsgid: boolean;
  services: boolean;
  sts: StsPolicy | undefined;
  #ids = 0;
  /** Letters and digits alone: it begins message ids and references of batches. */
  readonly #idPrefix = randomBytes(6).toString("hex");

  constructor(
    readonly settings: Settings,
    options: IrcServerOptions,
    /** Called whenever something may have changed that a test waits for. */
    readonly changed: () => void,
  ) {
    this.startedAt = settings.clock.now();
    this.records = new Records(settings.remember);
    this.history = new History(settings.limits.history);
    this.accounts = new Accounts(options.accounts ?? {});
    this.modes = channelModes(settings);
    this.withMsgid = options.msgid ?? true;
    this.services = options.services ?? false;
    this.sts = options.sts;
    const off = new Set<Capability>(options.without ?? []);
    if (this.accounts.size === 0 && !this.services) off.add("sasl");
    if (this.sts === undefined) off.add("sts");
    this.enabled = new Set(CAPABILITIES.filter((capability) => !off.has(capability)));
  }

  now(): number {
    return this.settings.clock.now();
  }

  /** The SASL mechanisms on offer: those that some account can use. */
  mechanisms(): SaslMechanism[] {
    const { somePassword, someFingerprint } = this.accounts;
    return this.settings.saslMechanisms.filter((name) =>
      name === "EXTERNAL" ? someFingerprint : somePassword || this.services,
    );
  }

  fold(name: string): string {
    return foldName(name, this.settings.caseMapping);
  }

  /** The client of that nick whom `seenBy` can see. */
  findClient(nick: string, seenBy?: Client): Client | undefined {
    const client = this.byNick.get(this.fold(nick));
    if (client?.registered !== true) return undefined;
    return seenBy === undefined || seenBy.side === client.side ? client : undefined;
  }

  findChannel(name: string): Channel | undefined {
    return this.channels.get(this.fold(name));
  }

  nextId(prefix = ""): string {
    this.#ids += 1;
    return `${prefix}${this.#idPrefix}${this.#ids.toString(36)}`;
  }

  stampOf(client: Client, clientTags?: ReadonlyMap<string, string>): Stamp {
    return {
      at: this.now(),
      msgid: this.withMsgid ? this.nextId() : undefined,
      account: client.account,
      bot: client.modes.has("B"),
      ...(clientTags === undefined ? {} : { clientTags }),
    };
  }

  /** Those on the same side of a split who share a channel with `client`, and itself. */
  audienceOf(client: Client): Set<Client> {
    const audience = new Set<Client>([client]);
    for (const channel of client.channels) for (const member of this.reachable(channel, client)) audience.add(member);
    return audience;
  }

  /** The members of a channel on the side of `source`. */
  reachable(channel: Channel, source: Client): Client[] {
    return [...channel.members.keys()].filter((member) => member.side === source.side);
  }

  /**
   * Tells what changed of a client to those with `capability` who share a channel with it, or who monitor it with
   * `extended-monitor`.
   */
  notify(
    client: Client,
    capability: Capability,
    command: string,
    params: readonly string[],
    { self }: { readonly self: boolean },
  ): void {
    const audience = this.audienceOf(client);
    const folded = this.fold(client.shownNick);
    for (const other of this.clients) {
      if (other.has("extended-monitor") && other.monitored.has(folded) && other.side === client.side)
        audience.add(other);
    }
    const to = [...audience].filter((other) => other.has(capability) && (self || other !== client));
    this.relay(client.mask, command, params, { to, stamp: this.stampOf(client) });
  }

  /** A line without tags, cut as it is relayed. */
  body(source: string | undefined, command: string, params: readonly string[], trailing = true): string {
    return formatLine({ source, command, params, trailing }).slice(0, this.settings.limits.line - 2);
  }

  /** Sends a line of `source` to several. */
  relay(source: string, command: string, params: readonly string[], options: RelayOptions): void {
    const body = this.body(source, command, params, TEXTS.has(command));
    const stamp = options.stamp ?? { at: this.now() };
    for (const client of options.to) this.send(client, body, stamp);
  }

  /** What happened in a channel: told to those who are there, and kept for `draft/event-playback`. */
  relayEvent(
    channel: Channel,
    source: string,
    command: string,
    params: readonly string[],
    options: RelayOptions,
  ): void {
    this.relay(source, command, params, options);
    this.keepEvent(channel, source, command, params, options.stamp);
  }

  keepEvent(channel: Channel, source: string, command: string, params: readonly string[], stamp?: Stamp): void {
    const body = this.body(source, command, params, TEXTS.has(command));
    this.history.add(this.fold(channel.name), {
      kind: "event",
      body,
      stamp: { ...(stamp ?? { at: this.now() }), batch: undefined, msgid: stamp?.msgid ?? this.nextId() },
    });
  }

  /** Sends a numeric or another line of the server; `text` is the part behind the colon. */
  reply(client: Client, command: string, params: readonly string[], text?: string): void {
    const all = text === undefined ? params : [...params, text];
    const body = this.body(this.settings.name, command, [client.shownNick, ...all], text !== undefined);
    this.send(client, body, { at: this.now() });
  }

  /** IRCv3 standard replies: FAIL, WARN or NOTE, a command or `*`, a code, and what it is about. */
  standard(
    client: Client,
    type: "FAIL" | "WARN" | "NOTE",
    [command, code, ...context]: readonly [command: string, code: string, ...context: string[]],
    text: string,
  ): void {
    this.send(client, this.body(this.settings.name, type, [command, code, ...context, text]), { at: this.now() });
  }

  /** A line of the server that does not name the client first. */
  say(client: Client, command: string, params: readonly string[], stamp: Stamp = { at: this.now() }): void {
    this.send(client, this.body(this.settings.name, command, params, command !== "BATCH"), stamp);
  }

  /** While a labelled command is handled, what it causes for its sender is collected. */
  send(client: Client, body: string, stamp: Stamp): void {
    if (client.response === undefined) this.write(client, body, stamp);
    else client.response.lines.push({ body, stamp });
  }

  write(client: Client, body: string, stamp: Stamp, label?: string): void {
    const tags = tagsFor(client, stamp, label);
    client.wire.write(tags.size === 0 ? body : `@${formatTags(tags)} ${body}`);
  }
}

/** Commands whose last parameter is written with a colon always. */
const TEXTS = new Set(["PRIVMSG", "NOTICE", "TOPIC", "PART", "QUIT", "KICK", "AWAY", "SETNAME"]);
