import { type Author, type ChannelLink, type Network, RemoteMessageId, UserId } from "@trestle/core";
import type { Logger } from "@trestle/core";
import type { NetworkConfig } from "../config.js";
import type { HeldFrame, OpenOptions } from "../holder/frames.js";
import type { HolderClient } from "../holder-client/holder-client.js";
import type { Welcome } from "../holder-client/link.js";
import { Connection, type ConnectionContext, type ConnectionOwner, type LineScope } from "../session/connection.js";
import { FloodControl, Priority } from "../session/flood-control.js";
import { Intake } from "../session/intake.js";
import { NICK_INVALID } from "../session/numerics.js";
import { BASE_KEY, type ConnectionState, decodeState, type Role } from "../session/state.js";
import { type CaseMapping, caseMappingOf, fold } from "../wire/casemapping.js";
import { LineDecoder } from "../wire/encoding.js";
import { Isupport } from "../wire/isupport.js";
import type { IrcMessage } from "../wire/message.js";
import { isServer, parseSource } from "../wire/source.js";
import { CtcpAnswers } from "./ctcp.js";
import { placeOf, queryIdOf, remoteUserIdOf } from "./ids.js";
import { incomingText } from "./incoming-text.js";
import { Listener, timeOf } from "./listener.js";
import { Members } from "./members.js";
import { NickMaker } from "./nick-maker.js";
import { OwnNicks } from "./own-nicks.js";
import type { Puppet } from "./puppet.js";
import { Seat } from "./seat.js";

/** A channel that could not be joined is tried again after so long. */
const REJOIN_MS = 30_000;
const KICKED_REJOIN_MS = 5_000;

export interface IrcNetworkContext {
  readonly config: NetworkConfig;
  readonly ca: string | undefined;
  readonly core: Network;
  readonly holder: HolderClient;
  readonly log: Logger;
  readonly quitMessage: string;
  /** The spelling rules the network had when it was last seen. */
  readonly caseMapping: CaseMapping;
  /** Where lines for a connection are brought to. */
  readonly connections: Map<string, Connection>;
}

/** One IRC network: the bot, the puppets, and the channels that are linked. */
export class IrcNetwork {
  readonly config: NetworkConfig;
  readonly bot: Seat;
  readonly members = new Members();
  readonly puppets = new Map<UserId, Puppet>();
  readonly #links = new Set<string>();
  readonly #ownNicks: OwnNicks;
  readonly #listener: Listener;
  readonly #ctcp = new CtcpAnswers();
  readonly #connects: FloodControl;
  readonly #intake: Intake;
  readonly #decoder: LineDecoder;
  readonly #botNicks: NickMaker;
  readonly #timers = new Set<NodeJS.Timeout>();
  #caseMapping: CaseMapping;
  #isupport = new Isupport();
  #stopped = false;

  constructor(private readonly context: IrcNetworkContext) {
    const { config, core, log, holder } = context;
    this.config = config;
    this.#caseMapping = context.caseMapping;
    this.#decoder = new LineDecoder(config.encoding);
    this.#connects = new FloodControl({ burst: config.connects.burst, linesPerSecond: config.connects.perSecond });
    this.#intake = new Intake({
      receive: (event) => core.receive(event),
      acknowledge: (connection, line, changes) => holder.acknowledge(connection, line, changes),
      log,
    });
    this.#ownNicks = new OwnNicks((changes) => {
      const bot = this.bot.current;
      if (bot) holder.state(bot.id, changes);
    });
    this.#botNicks = new NickMaker("{name}", core.bridge.bot, config.nick, () => this.#isupport.nickLength);
    this.bot = new Seat({ ...this.#seatOptions("bot", undefined), priority: Priority.control, open: () => this.#open({ network: config.name, kind: "bot" }, this.#botNicks, this.#botOwner) });
    this.#listener = new Listener({
      network: config.name,
      members: this.members,
      ownNicks: this.#ownNicks,
      ctcp: this.#ctcp,
      isLinked: (channel) => this.#links.has(channel),
      ownMessageSeen: (nick, channel, text, id) => this.#connectionOf(nick)?.deliveries.seen(channel, text, id),
      ownQuitSeen: () => undefined,
      kicked: (channel, by, reason) => this.#botKicked(channel, by, reason),
    });
  }

  get name(): string {
    return this.config.name;
  }

  get isupport(): Isupport {
    return this.#isupport;
  }

  fold(text: string): string {
    return fold(text, this.#caseMapping);
  }

  isLinked(channel: string): boolean {
    return this.#links.has(channel);
  }

  // --- beginning and end -------------------------------------------------------------------------------------------

  /** Takes over what the holder has of this network, and opens what is missing. */
  welcome(held: readonly HeldFrame[], pending: Welcome["pending"], links: readonly ChannelLink[]): void {
    for (const link of links) {
      const place = placeOf(link.channel);
      if (place?.kind === "channel" && place.network === this.name) this.#links.add(place.channel);
    }
    const taken: Connection[] = [];
    for (const frame of held) {
      const state = stateOf(frame);
      const connection = state?.phase === "ready" ? this.#resume(frame, state, pending) : undefined;
      if (connection) taken.push(connection);
      else this.#discard(frame);
    }
    for (const connection of taken) connection.attach();
    this.bot.connect();
    for (const { seat } of this.puppets.values()) seat.connect();
    const bot = this.bot.connection;
    if (bot) this.#occupy(bot);
  }

  /** Every connection is gone, or will be named again. */
  lost(): void {
    for (const seat of this.#seats()) seat.lost();
  }

  detach(): void {
    this.#end();
    for (const seat of this.#seats()) seat.detach();
  }

  quit(): void {
    this.#end();
    for (const seat of this.#seats()) seat.stop(this.context.quitMessage);
  }

  #end(): void {
    this.#stopped = true;
    this.#intake.stop();
    this.#connects.close();
    this.#ownNicks.close();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #seats(): Seat[] {
    return [this.bot, ...[...this.puppets.values()].map(({ seat }) => seat)];
  }

  // --- channels ----------------------------------------------------------------------------------------------------

  link(channel: string): void {
    this.#links.add(channel);
    const bot = this.bot.connection;
    if (bot) void this.#joinAsBot(bot, channel);
  }

  unlink(channel: string): void {
    this.#links.delete(channel);
    for (const seat of this.#seats()) {
      seat.channels.delete(channel);
      const connection = seat.connection;
      const name = connection?.channels.get(channel);
      if (name !== undefined) connection?.send(Priority.control, "PART", [name, "The bridge to this channel was removed"]);
    }
  }

  async #joinAsBot(bot: Connection, channel: string): Promise<void> {
    const outcome = await bot.join(channel);
    if (outcome.joined || bot.ended || this.#stopped || !this.#links.has(channel)) return;
    const detail = `cannot join ${channel}: ${outcome.reason}`;
    this.context.log.warn({ network: this.name, channel }, detail);
    this.context.core.report({ connection: `${this.name}/${channel}`, state: "failed", detail });
    this.#after(REJOIN_MS, () => {
      if (bot === this.bot.connection && this.#links.has(channel)) void this.#joinAsBot(bot, channel);
    });
  }

  #botKicked(channel: string, by: string, reason: string): void {
    const detail = `the bot was kicked from ${channel} by ${by}${reason === "" ? "" : `: ${reason}`}`;
    this.context.log.warn({ network: this.name, channel }, detail);
    this.context.core.report({ connection: `${this.name}/${channel}`, state: "failed", detail });
    this.#after(KICKED_REJOIN_MS, () => {
      const bot = this.bot.connection;
      if (bot && this.#links.has(channel)) void this.#joinAsBot(bot, channel);
    });
  }

  /** Joins what is linked and leaves what no longer is. */
  #occupy(bot: Connection): void {
    for (const channel of this.#links) {
      if (!bot.channels.has(channel)) void this.#joinAsBot(bot, channel);
    }
    for (const [folded, name] of bot.channels) {
      if (!this.#links.has(folded)) bot.send(Priority.control, "PART", [name]);
    }
  }

  // --- puppets -----------------------------------------------------------------------------------------------------

  /** The puppet of a Matrix user, made where there is none. */
  puppetFor(author: Pick<Author, "userId" | "name">): Puppet {
    const existing = this.puppets.get(author.userId);
    if (existing) return existing;
    this.#makeRoom();
    return this.#makePuppet(author.userId, author.name);
  }

  removePuppet(puppet: Puppet, reason: string): void {
    this.puppets.delete(puppet.user);
    puppet.seat.stop(reason);
  }

  #makePuppet(user: UserId, name: string): Puppet {
    const nicks = new NickMaker(this.config.puppetNick, user, name, () => this.#isupport.nickLength);
    const seat: Seat = new Seat({
      ...this.#seatOptions("puppet", user),
      priority: Priority.query,
      open: () => this.#open({ network: this.name, kind: "puppet", user, name: puppet.name }, nicks, this.#puppetOwner(puppet)),
    });
    const puppet: Puppet = { user, seat, nicks, name, queries: new Set(), spokeAt: performance.now() };
    this.puppets.set(user, puppet);
    return puppet;
  }

  /** Lets the puppet go that has been silent for longest, where there are too many. */
  #makeRoom(): void {
    while (this.puppets.size >= Math.max(1, this.config.maxPuppets)) {
      const oldest = [...this.puppets.values()].reduce((a, b) => (a.spokeAt <= b.spokeAt ? a : b));
      this.removePuppet(oldest, "Making room for somebody who speaks");
    }
  }

  #puppetOwner(puppet: Puppet): ConnectionOwner {
    return {
      ...this.#nickOwner(puppet.nicks),
      ready: (connection) => {
        this.#learn(connection);
        puppet.seat.isReady();
        for (const name of puppet.seat.channels.values()) void connection.join(name);
      },
      line: (connection, message, scope) => this.#puppetLine(puppet, connection, message, scope),
      ended: (connection, ending) => this.#ended(connection, () => puppet.seat.ended(connection, ending)),
    };
  }

  /** A puppet hears what is said to it alone, and what happens to itself. */
  #puppetLine(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const source = parseSource(message.source);
    const [target = "", text = ""] = message.params;
    switch (message.verb) {
      case "NICK":
        if (scope.own) this.#ownNicks.release(connection.fold(source.nick), connection.id);
        return;
      case "JOIN":
        if (scope.own) puppet.seat.channels.set(connection.fold(target), target);
        return;
      case "KICK":
        if (connection.isOwn(message.params[1] ?? "")) puppet.seat.channels.delete(connection.fold(target));
        return;
      case "PRIVMSG":
      case "NOTICE":
        if (!scope.own && connection.isOwn(target) && !isServer(source)) this.#query(puppet, connection, message, scope, source.nick, text);
        return;
    }
  }

  #query(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope, from: string, text: string): void {
    const incoming = incomingText(message.verb, text);
    if (incoming.kind === "ctcp") {
      const answer = message.verb === "PRIVMSG" ? this.#ctcp.answer(incoming.command, incoming.argument) : undefined;
      if (answer !== undefined) connection.send(Priority.query, "NOTICE", [from, answer]);
      return;
    }
    const folded = connection.fold(from);
    // Services greet every client with notices: they open no conversation.
    if (incoming.kind === "nothing" || (message.verb === "NOTICE" && !puppet.queries.has(folded))) return;
    puppet.queries.add(folded);
    const at = timeOf(message);
    scope.events.push({
      kind: "message",
      id: RemoteMessageId(message.tags.get("msgid") ?? scope.id),
      channel: queryIdOf(this.name, folded, puppet.user),
      ...(at === undefined ? {} : { at }),
      sender: { id: remoteUserIdOf(this.name, folded), name: from },
      content: incoming.content,
      directTo: puppet.user,
    });
  }

  // --- connections -------------------------------------------------------------------------------------------------

  readonly #botOwner: ConnectionOwner = {
    claiming: (connection, nick) => this.#ownNicks.claim(this.fold(nick), connection),
    nextNick: (_refused, numeric) => this.#botNicks.next(NICK_INVALID.has(numeric)),
    ready: (connection) => {
      this.#learn(connection);
      this.#botNicks.restart();
      this.#listener.reset();
      this.context.holder.state(connection.id, this.#listener.snapshot());
      if (connection.isupport.get("BOT")) connection.send(Priority.control, "MODE", [connection.nick, `+${connection.isupport.get("BOT") ?? "B"}`]);
      this.bot.isReady();
      this.#occupy(connection);
    },
    line: (connection, message, scope) => {
      this.#listener.line(connection, message, scope);
      if (message.verb === "JOIN" && scope.own) this.#botJoined(connection.fold(message.params[0] ?? ""));
      if (message.verb === "NICK" && scope.own) this.#ownNicks.release(connection.fold(parseSource(message.source).nick), connection.id);
    },
    ended: (connection, ending) => this.#ended(connection, () => this.bot.ended(connection, ending)),
  };

  #nickOwner(nicks: NickMaker): Pick<ConnectionOwner, "claiming" | "nextNick"> {
    return {
      claiming: (connection, nick) => this.#ownNicks.claim(this.fold(nick), connection),
      nextNick: (_refused, numeric) => nicks.next(NICK_INVALID.has(numeric)),
    };
  }

  #botJoined(channel: string): void {
    this.context.core.report({ connection: `${this.name}/${channel}`, state: "connected" });
  }

  #ended(connection: Connection, then: () => void): void {
    this.context.connections.delete(connection.id);
    this.#ownNicks.releaseAll(connection.id);
    then();
  }

  /** What a connection has learnt about the network holds for all. */
  #learn(connection: Connection): void {
    this.#isupport = connection.isupport;
    const mapping = connection.isupport.caseMapping;
    if (mapping === this.#caseMapping) return;
    this.#caseMapping = mapping;
    this.context.core.storage.set(`casemapping:${this.name}`, mapping).catch((error: unknown) => {
      this.context.log.warn({ err: error }, "the spelling rules of a network could not be stored");
    });
  }

  #connectionOf(nick: string): Connection | undefined {
    return [...this.context.connections.values()].find((connection) => connection.role.network === this.name && connection.fold(connection.nick) === nick);
  }

  #open(role: Role, nicks: NickMaker, owner: ConnectionOwner): Connection {
    nicks.restart();
    const connection = Connection.open(role, nicks.first(), this.#connectionContext(), owner);
    this.context.connections.set(connection.id, connection);
    return connection;
  }

  #resume(frame: HeldFrame, state: ConnectionState, pending: Welcome["pending"]): Connection | undefined {
    const { role } = state;
    const own = pending.filter(({ connection }) => connection === frame.connection);
    if (role.kind === "bot") {
      if (frame.open && this.bot.current) return undefined;
      this.members.restore(frame.state);
      this.#ownNicks.restore(frame.state);
      const connection = Connection.resume(frame, state, own, this.#connectionContext(), this.#botOwner);
      this.#adopt(connection, frame, this.bot);
      return connection;
    }
    if (!this.config.puppets || role.user === undefined) return undefined;
    const user = UserId(role.user);
    const puppet = this.puppets.get(user) ?? this.#makePuppet(user, role.name ?? user);
    if (frame.open && puppet.seat.current) return undefined;
    const connection = Connection.resume(frame, state, own, this.#connectionContext(), this.#puppetOwner(puppet));
    this.#adopt(connection, frame, puppet.seat);
    return connection;
  }

  #adopt(connection: Connection, frame: HeldFrame, seat: Seat): void {
    this.context.connections.set(connection.id, connection);
    this.#ownNicks.claim(connection.fold(connection.nick), connection.id);
    this.#learn(connection);
    if (frame.open) seat.adopt(connection);
    else for (const [folded, name] of connection.channels) seat.channels.set(folded, name);
  }

  /** A connection that nobody can go on with. */
  #discard(frame: HeldFrame): void {
    this.context.holder.close(frame.connection, frame.open ? "QUIT" : "");
    this.context.holder.forget(frame.connection);
  }

  #connectionContext(): ConnectionContext {
    const { holder, log } = this.context;
    return { holder, config: this.config, open: this.#openOptions(), decoder: this.#decoder, intake: this.#intake, log };
  }

  #openOptions(): OpenOptions {
    const { host, port, tls, serverName, insecure, localAddress, timeouts } = this.config;
    return {
      host,
      port: port ?? (tls ? 6697 : 6667),
      tls,
      ca: this.context.ca,
      serverName,
      insecure,
      localAddress,
      connectTimeoutMs: timeouts.connect * 1000,
      pingAfterMs: timeouts.silence * 1000,
      pingTimeoutMs: timeouts.answer * 1000,
    };
  }

  #seatOptions(kind: Role["kind"], user: UserId | undefined) {
    const { reconnect } = this.config;
    const connection = kind === "bot" ? this.name : `${this.name}/${user ?? ""}`;
    return {
      connects: this.#connects,
      retryMin: reconnect.min * 1000,
      retryMax: reconnect.max * 1000,
      report: (state: "connecting" | "connected" | "waiting" | "failed" | "closed", detail?: string) =>
        this.context.core.report({ connection, state, ...(detail === undefined ? {} : { detail }) }),
    };
  }

  #after(ms: number, run: () => void): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

function stateOf(frame: HeldFrame): ConnectionState | undefined {
  const base = frame.state.find(([key]) => key === BASE_KEY)?.[1];
  return base === undefined ? undefined : decodeState(base);
}

export function storedCaseMapping(stored: string | undefined): CaseMapping {
  return caseMappingOf(stored);
}
