import type { AccountOptions } from "./accounts.js";
import type { Capability, StsPolicy } from "./capabilities/catalogue.js";
import { announceCapability, switchCapability } from "./capabilities/negotiation.js";
import type { Client } from "./client.js";
import { closeClient, forgetClient } from "./closing.js";
import { kickMember } from "./commands/kick.js";
import { leave } from "./commands/part.js";
import { changeModes } from "./commands/modes.js";
import { takeNick } from "./commands/nick.js";
import { killClient } from "./commands/operator.js";
import { setTopic } from "./commands/topic.js";
import { admit, sweep } from "./connection.js";
import type { JoinRefusal, NickRefusal, Verdict } from "./faults/faults.js";
import * as netsplits from "./faults/netsplit.js";
import type { FloodRules } from "./limits.js";
import { fromBytes, toBytes } from "./line.js";
import { Listeners } from "./listeners.js";
import { Network } from "./network.js";
import { Observers, type WaitOptions } from "./observers.js";
import { type IrcServerOptions, type Settings, settingsFrom } from "./options.js";
import type { LoggedMessage, LoggedRedaction } from "./records.js";
import { setAccount } from "./sasl/sign-in.js";

/** A channel as a test sees it, also when nobody is in it, and across outages of the server. */
export interface ChannelView {
  /** Every PRIVMSG, NOTICE and TAGMSG delivered in the channel, in order. */
  readonly log: readonly LoggedMessage[];
  /** Every message there that was taken back with REDACT, in order. */
  readonly redactions: readonly LoggedRedaction[];
  /** Nicks, in the order of their joins. */
  readonly members: readonly string[];
  /** Empty where none is set. */
  readonly topic: string;
  /** `+nt` and parameters; empty where the channel does not exist. */
  readonly modes: string;
}

const SPLIT_SERVERS = ["hub.testkit.example", "leaf.testkit.example"] as const;

/**
 * An IRC server on the loopback interface, with faults that can be switched while it runs. Nicks and channels are given
 * to its methods as text. A method that names a nick throws where nobody has it.
 */
export class IrcServer {
  readonly #settings: Settings;
  readonly #network: Network;
  readonly #observers = new Observers();
  readonly #listeners: Listeners;
  #flood: FloodRules | undefined;
  #cancelSweep: (() => void) | undefined;

  private constructor(options: IrcServerOptions) {
    this.#settings = settingsFrom(options);
    this.#flood = this.#settings.flood;
    this.#network = new Network(this.#settings, options, () => this.#observers.changed());
    const { host, tls } = this.#settings;
    this.#listeners = new Listeners(
      {
        host,
        tls,
        both: options.tlsPort !== undefined,
        accept: (socket, secure) => admit(this.#network, socket, secure, () => this.#flood),
      },
      options.port ?? 0,
      options.tlsPort ?? 0,
    );
  }

  /** Makes a server and listens. */
  static async start(options: IrcServerOptions = {}): Promise<IrcServer> {
    const server = new IrcServer(options);
    await server.start();
    return server;
  }

  /** Listens again after `stop`, on the same ports, with no clients and no channels. */
  async start(): Promise<void> {
    if (this.listening) return;
    await this.#listeners.open();
    this.#advertiseTlsPort();
    this.#sweepLater();
  }

  /** Breaks every connection off and stops listening: an outage, or the end. What was logged and its history stay. */
  async stop(): Promise<void> {
    if (!this.listening) return;
    this.#cancelSweep?.();
    for (const client of [...this.#network.clients]) {
      client.wire.destroy();
      client.registered = false;
      forgetClient(this.#network, client, "Server stopped");
    }
    this.#network.channels.clear();
    await this.#listeners.close();
  }

  #sweepLater(): void {
    const { pingAfterMs, registrationTimeoutMs, clock } = this.#settings;
    const every = Math.max(10, Math.min(5_000, pingAfterMs / 2, registrationTimeoutMs / 2));
    this.#cancelSweep = clock.after(every, () => {
      sweep(this.#network);
      this.#sweepLater();
    });
  }

  #advertiseTlsPort(): void {
    const { sts } = this.#network;
    if (sts !== undefined && sts.port === undefined && this.tlsPort > 0)
      this.#network.sts = { ...sts, port: this.tlsPort };
  }

  get listening(): boolean {
    return this.#listeners.listening;
  }

  get port(): number {
    return this.#listeners.port;
  }

  /** The port that speaks TLS, `port` or another; 0 where there is none. */
  get tlsPort(): number {
    return this.#listeners.tlsPort;
  }

  get host(): string {
    return this.#settings.host;
  }

  /** The nicks of all registered clients. */
  get nicks(): readonly string[] {
    return [...this.#network.clients].filter((client) => client.registered).map((client) => client.shownNick);
  }

  /** How many connections there are, registered or not. */
  get connections(): number {
    return this.#network.clients.size;
  }

  channel(name: string): ChannelView {
    const bytes = toBytes(name);
    const channel = this.#network.findChannel(bytes);
    return {
      log: this.#network.records.messagesTo(this.#network.fold(bytes)),
      redactions: this.#network.records.redactionsIn(this.#network.fold(bytes)),
      members: [...(channel?.members.keys() ?? [])].map((client) => client.shownNick),
      topic: fromBytes(channel?.topic?.text ?? ""),
      modes: fromBytes(channel?.allModes.join(" ") ?? ""),
    };
  }

  /** Every message to a nick, in order. */
  messagesTo(nick: string): readonly LoggedMessage[] {
    return this.#network.records.messagesTo(this.#network.fold(nick));
  }

  /** The raw lines of every connection that ever had this nick, without CR LF, passwords included. */
  linesFrom(nick: string): readonly string[] {
    return this.#network.records.linesFrom(this.#network.fold(nick));
  }

  /** `nick!user@host`, as the others see it now. */
  maskOf(nick: string): string {
    return this.#client(nick).mask;
  }

  /**
   * Resolves to the first value of `predicate` that is not `undefined`, `null` or `false`; it is looked at after every
   * change. Rejects after `timeoutMs` (5000, times `TRESTLE_PATIENCE`), or with what the predicate throws.
   */
  waitFor<T>(predicate: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#observers.wait(predicate, options);
  }

  /** With a reason: ERROR and a close. Without: the connection breaks off. */
  disconnect(nick: string, reason?: string): void {
    const client = this.#client(nick);
    if (reason !== undefined) {
      closeClient(this.#network, client, toBytes(reason));
      return;
    }
    client.wire.destroy();
    forgetClient(this.#network, client, "Connection reset by peer");
  }

  /** Closes a client as the flood rules do. */
  floodKill(nick: string, reason: "Excess Flood" | "RecvQ exceeded" = "Excess Flood"): void {
    closeClient(this.#network, this.#client(nick), reason);
  }

  /** Every line out is late by so many milliseconds, in order; 0 ends it. */
  lag(ms: number): void {
    this.#network.faults.lagMs = ms;
  }

  /** Lines leave in pieces of so many bytes, as a bad network delivers them; 0 ends it. */
  inPieces(bytes: number): void {
    this.#network.faults.pieceBytes = bytes;
  }

  /** New connections are accepted and never answered, as those of a server that hangs; `false` ends it for later ones. */
  acceptMutely(on: boolean): void {
    this.#network.faults.mute = on;
  }

  /** The client's connection is half open from now on: it stays, and nothing comes or goes. */
  vanish(nick: string): void {
    this.#client(nick).wire.vanish();
  }

  /** Writes the beginning of a line to a client and closes in the middle of it. */
  closeInMidLine(nick: string, beginning: string): void {
    const client = this.#client(nick);
    client.wire.closeInMidLine(toBytes(beginning));
    forgetClient(this.#network, client, "Connection reset by peer");
  }

  /** An operator kills a client: KILL and ERROR to it, a quit to the others. */
  kill(nick: string, reason: string, by = this.#settings.name): void {
    killClient(this.#network, this.#client(nick), by, toBytes(reason), by);
  }

  /** Reads nothing more from a client, so that its send buffer fills. */
  pauseReading(nick: string): void {
    this.#client(nick).wire.pause();
  }

  resumeReading(nick: string): void {
    this.#client(nick).wire.resume();
  }

  /** Everyone who registers gets `ERROR :Closing link: (…) [text]` and is closed; `undefined` ends it. */
  refuseRegistration(text: string | undefined): void {
    this.#network.faults.refusal = text === undefined ? undefined : toBytes(text);
  }

  /** Nobody can take this nick, for the reason that the numeric gives; one who has it keeps it. */
  holdNick(nick: string, numeric: NickRefusal = "433"): void {
    this.#network.faults.heldNicks.set(this.#network.fold(nick), numeric);
  }

  releaseNick(nick: string): void {
    this.#network.faults.heldNicks.delete(this.#network.fold(nick));
  }

  /** Nobody can join this channel, for the reason that the numeric gives; `undefined` ends it. */
  closeChannel(channel: string, numeric: JoinRefusal | undefined): void {
    const { closedChannels } = this.#network.faults;
    const folded = this.#network.fold(toBytes(channel));
    if (numeric === undefined) closedChannels.delete(folded);
    else closedChannels.set(folded, numeric);
  }

  /** Who joins `from` gets 470 and is in `to`; `undefined` ends it. */
  forwardJoins(from: string, to: string | undefined): void {
    const { forwards } = this.#network.faults;
    if (to === undefined) forwards.delete(this.#network.fold(toBytes(from)));
    else forwards.set(this.#network.fold(toBytes(from)), toBytes(to));
  }

  /** Decides of every message what becomes of it; `undefined` delivers all. */
  judgeMessages(verdict: ((message: LoggedMessage) => Verdict) | undefined): void {
    this.#network.faults.verdict = verdict ?? (() => "deliver");
  }

  /** Those who move and those who stay see one another quit, and hear nothing of one another until `netjoin`. */
  netsplit(nicks: readonly string[]): void {
    netsplits.split(
      this.#network,
      nicks.map((nick) => this.#client(nick)),
      SPLIT_SERVERS,
    );
    this.#network.changed();
  }

  netjoin(): void {
    netsplits.join(this.#network, SPLIT_SERVERS);
    this.#network.changed();
  }

  /** Switches a capability for everyone, with CAP NEW and CAP DEL. */
  setCapability(name: Capability, on: boolean): void {
    switchCapability(this.#network, name, on);
  }

  /** Another STS policy for everyone, with CAP NEW; `undefined` stops offering it, without a word as the specification demands. */
  setSts(policy: StsPolicy | undefined): void {
    this.#network.sts = policy;
    this.#advertiseTlsPort();
    if (policy === undefined) {
      this.#network.enabled.delete("sts");
      return;
    }
    this.#network.enabled.add("sts");
    announceCapability(this.#network, "sts");
  }

  /** Makes an account, or changes one. Nobody is signed out. */
  addAccount(name: string, options: string | AccountOptions): void {
    const first = this.#network.accounts.size === 0;
    this.#network.accounts.add(name, typeof options === "string" ? { password: options } : options);
    if (first) switchCapability(this.#network, "sasl", true);
  }

  /** Whether NickServ is there; without it its nick is free, as in a netsplit of services. */
  setServices(on: boolean): void {
    this.#network.services = on;
  }

  /** Whether SASL begins and then hears nothing more from its backend. */
  stallSasl(on: boolean): void {
    this.#network.faults.saslStalls = on;
  }

  /** Whether the server's signature in SCRAM is false, as that of one who does not know the password. */
  forgeScram(on: boolean): void {
    this.#network.faults.forgedScram = on;
  }

  /** Whether messages carry `msgid`. */
  setMsgid(on: boolean): void {
    this.#network.withMsgid = on;
  }

  /** The flood rules from now on; `undefined` for none. */
  setFlood(rules: Partial<FloodRules> | undefined): void {
    this.#flood = rules === undefined ? undefined : settingsFrom({ flood: rules }).flood;
  }

  /** Signs a client in, or out with `undefined`. */
  setAccount(nick: string, account: string | undefined): void {
    setAccount(this.#network, this.#client(nick), account === undefined ? undefined : toBytes(account));
  }

  /** Gives a client another user and host: CHGHOST, and 396 for itself. */
  changeHost(nick: string, user: string, host: string): void {
    const client = this.#client(nick);
    this.#network.notify(client, "chghost", "CHGHOST", [user, host], { self: true });
    client.user = user;
    client.host = host;
    this.#network.reply(client, "396", [host], "is now your displayed host");
  }

  /** Renames a client as services do. Throws where the new nick is taken. */
  renameClient(nick: string, to: string): void {
    const client = this.#client(nick);
    const holder = this.#network.findClient(to);
    if (holder !== undefined && holder !== client) throw new Error(`${to} is taken: rename somebody to a free nick.`);
    takeNick(this.#network, client, to);
    this.#network.changed();
  }

  /** The server itself sets modes (`"+o-v", "alice", "bob"`). */
  setModes(channel: string, modes: string, ...params: readonly string[]): void {
    changeModes(this.#network, this.#channel(channel), undefined, modes, params.map(toBytes));
    this.#network.changed();
  }

  /** The server itself sets the topic; the empty text removes it. */
  setTopic(channel: string, text: string): void {
    setTopic(this.#network, this.#channel(channel), undefined, toBytes(text));
    this.#network.changed();
  }

  /** The server itself kicks. */
  kick(channel: string, nick: string, reason: string): void {
    kickMember(this.#network, this.#settings.name, this.#channel(channel), this.#client(nick), toBytes(reason));
    this.#network.changed();
  }

  /** Somebody is made to leave: `REMOVE`, `SAPART`. */
  remove(channel: string, nick: string, reason: string): void {
    leave(this.#network, this.#client(nick), this.#channel(channel), toBytes(reason));
    this.#network.changed();
  }

  /** Sends any line to a client, as it is: for what no server should send. */
  sendRaw(nick: string, line: string): void {
    this.#client(nick).wire.write(toBytes(line));
  }

  #client(nick: string): Client {
    const client = this.#network.findClient(nick);
    if (client === undefined)
      throw new Error(`Nobody has the nick ${nick}; there are: ${this.nicks.join(", ") || "none"}.`);
    return client;
  }

  #channel(name: string): NonNullable<ReturnType<Network["findChannel"]>> {
    const channel = this.#network.findChannel(toBytes(name));
    if (channel === undefined) throw new Error(`There is no channel ${name}: somebody must join it first.`);
    return channel;
  }
}
