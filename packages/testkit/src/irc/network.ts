import { randomBytes } from "node:crypto";
import type { Channel } from "./channel.js";
import type { Client, Stamp } from "./client.js";
import { formatLine, formatTags } from "./line.js";
import { foldName } from "./names.js";
import { CAPABILITIES, type Capability, type IrcServerOptions, type Settings } from "./options.js";
import type { LoggedMessage } from "./records.js";
import { Records } from "./records.js";

/** What becomes of a message: delivered, swallowed, or refused with 404. */
export type Verdict = "deliver" | "drop" | "refuse";

/** How the server misbehaves now. */
export interface Faults {
  lagMs: number;
  /** Text of the ERROR that everyone gets who registers. */
  refusal: string | undefined;
  /** Folded nicks that nobody may take. */
  readonly heldNicks: Set<string>;
  /** Folded channels that forward (470), with where to. */
  readonly forwards: Map<string, string>;
  verdict: (message: LoggedMessage) => Verdict;
}

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
  readonly enabled: Set<Capability>;
  readonly faults: Faults = {
    lagMs: 0,
    refusal: undefined,
    heldNicks: new Set(),
    forwards: new Map(),
    verdict: () => "deliver",
  };
  readonly startedAt = Date.now();
  withMsgid: boolean;
  #ids = 0;
  readonly #idPrefix = randomBytes(6).toString("base64url");

  constructor(
    readonly settings: Settings,
    options: IrcServerOptions,
    /** Called whenever something may have changed that a test waits for. */
    readonly changed: () => void,
  ) {
    this.records = new Records(settings.remember);
    this.withMsgid = options.msgid ?? true;
    const off = new Set<Capability>(options.without ?? []);
    if (settings.accounts.size === 0) off.add("sasl");
    this.enabled = new Set(CAPABILITIES.filter((capability) => !off.has(capability)));
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
      at: Date.now(),
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

  /** A line without tags, cut as it is relayed. */
  body(source: string | undefined, command: string, params: readonly string[], trailing = true): string {
    return formatLine({ source, command, params, trailing }).slice(0, this.settings.limits.line - 2);
  }

  /** Sends a line of `source` to several. */
  relay(source: string, command: string, params: readonly string[], options: RelayOptions): void {
    const body = this.body(source, command, params, TEXTS.has(command));
    const stamp = options.stamp ?? { at: Date.now() };
    for (const client of options.to) this.send(client, body, stamp);
  }

  /** Sends a numeric or another line of the server; `text` is the part behind the colon. */
  reply(client: Client, command: string, params: readonly string[], text?: string): void {
    const all = text === undefined ? params : [...params, text];
    const body = this.body(this.settings.name, command, [client.shownNick, ...all], text !== undefined);
    this.send(client, body, { at: Date.now() });
  }

  /** A line of the server that does not name the client first. */
  say(client: Client, command: string, params: readonly string[], stamp: Stamp = { at: Date.now() }): void {
    this.send(client, this.body(this.settings.name, command, params), stamp);
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

function tagsFor(client: Client, stamp: Stamp, label: string | undefined): Map<string, string> {
  const tags = new Map<string, string>();
  if (label !== undefined) tags.set("label", label);
  if (stamp.batch !== undefined && (client.has("batch") || client.has("labeled-response")))
    tags.set("batch", stamp.batch);
  if (client.has("server-time")) tags.set("time", new Date(stamp.at).toISOString());
  if (client.has("account-tag") && stamp.account !== undefined) tags.set("account", stamp.account);
  if (client.has("message-tags")) {
    if (stamp.msgid !== undefined) tags.set("msgid", stamp.msgid);
    if (stamp.bot === true) tags.set("bot", "");
    for (const [key, value] of stamp.clientTags ?? []) tags.set(key, value);
  }
  return tags;
}
