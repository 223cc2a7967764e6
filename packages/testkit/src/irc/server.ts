import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Client } from "./client.js";
import { closeClient, forgetClient } from "./closing.js";
import { switchCapability } from "./commands/capability.js";
import { setTopic } from "./commands/channels.js";
import { kickMember } from "./commands/membership.js";
import { changeModes } from "./commands/modes.js";
import { takeNick } from "./commands/registration.js";
import { setAccount } from "./commands/sasl.js";
import { admit, sweep } from "./connection.js";
import { fromBytes, toBytes } from "./line.js";
import * as netsplits from "./netsplit.js";
import { Network, type Verdict } from "./network.js";
import { Observers, type WaitOptions } from "./observers.js";
import { type Capability, type FloodRules, type IrcServerOptions, type Settings, settingsFrom } from "./options.js";
import type { LoggedMessage } from "./records.js";

/** A channel as a test sees it, also when nobody is in it, and across outages of the server. */
export interface ChannelView {
  /** Every PRIVMSG, NOTICE and TAGMSG delivered in the channel, in order. */
  readonly log: readonly LoggedMessage[];
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
  readonly #sockets = new Set<Socket>();
  #flood: FloodRules | undefined;
  #listener: Server | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #port: number;

  private constructor(options: IrcServerOptions) {
    this.#settings = settingsFrom(options);
    this.#flood = this.#settings.flood;
    this.#network = new Network(this.#settings, options, () => this.#observers.changed());
    this.#port = options.port ?? 0;
  }

  /** Makes a server and listens. */
  static async start(options: IrcServerOptions = {}): Promise<IrcServer> {
    const server = new IrcServer(options);
    await server.start();
    return server;
  }

  /** Listens again after `stop`, on the same port, with no clients and no channels. */
  async start(): Promise<void> {
    if (this.#listener !== undefined) return;
    const { tls, host, pingAfterMs, registrationTimeoutMs } = this.#settings;
    const accept = (socket: Socket): void => admit(this.#network, socket, tls !== undefined, () => this.#flood);
    const listener = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
    listener.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(this.#port, host, () => {
        listener.off("error", reject);
        resolve();
      });
    });
    const address = listener.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    this.#listener = listener;
    const every = Math.max(10, Math.min(5_000, pingAfterMs / 2, registrationTimeoutMs / 2));
    this.#sweeper = setInterval(() => sweep(this.#network), every).unref();
  }

  /** Breaks every connection off and stops listening: an outage, or the end. What was logged stays. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    clearInterval(this.#sweeper);
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const client of [...this.#network.clients]) {
      client.wire.destroy();
      client.registered = false;
      forgetClient(this.#network, client, "Server stopped");
    }
    for (const socket of this.#sockets) socket.destroy();
    this.#network.channels.clear();
    await closed;
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  get port(): number {
    return this.#port;
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
   * change. Rejects after `timeoutMs` (5000), or with what the predicate throws.
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

  /** Nobody can take this nick (433); one who has it keeps it. */
  holdNick(nick: string): void {
    this.#network.faults.heldNicks.add(this.#network.fold(nick));
  }

  releaseNick(nick: string): void {
    this.#network.faults.heldNicks.delete(this.#network.fold(nick));
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
    const to = [...this.#network.audienceOf(client)].filter((other) => other.has("chghost"));
    this.#network.relay(client.mask, "CHGHOST", [user, host], { to });
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
