import { type ChannelLink, type NetworkEvent, UserId } from "@trestle/core";
import type { NetworkConfig } from "../config.js";
import type { HeldFrame, StateChange } from "../holder/frames.js";
import type { Welcome } from "../holder-client/link.js";
import { Connection, type ConnectionOwner, type Ending } from "../session/connection.js";
import type { Verdict } from "../session/deliveries.js";
import { FloodControl, Priority } from "../session/flood-control.js";
import { isFlooded } from "../session/error-texts.js";
import { Intake } from "../session/intake.js";
import { NICK_INVALID } from "../session/numerics.js";
import { Pace } from "../session/pace.js";
import type { Credentials } from "../session/sasl/credentials.js";
import { type ConnectionState, type Role, stateOf } from "../session/state.js";
import { LineDecoder } from "../wire/encoding.js";
import type { Isupport } from "../wire/isupport.js";
import { parseSource } from "../wire/source.js";
import { OwnAccounts } from "./accounts/own-accounts.js";
import { BotChannels, UNLINKED } from "./channels/bot-channels.js";
import { ChannelKeys } from "./channels/channel-keys.js";
import { ConnectionContexts } from "./connections/connection-contexts.js";
import type { IrcNetworkContext } from "./irc-network-context.js";
import { Consents } from "./channels/consents.js";
import { History } from "./inward/history.js";
import { followForward } from "./channels/forwards.js";
import { CtcpAnswers } from "./inward/ctcp.js";
import { accountOf, placeOf } from "./ids.js";
import { NetworkRules } from "./network-rules.js";
import type { Listener } from "./inward/listener.js";
import { makeSplits, makeListener } from "./inward/make-listener.js";
import { Members } from "./channels/members.js";
import { regainNick, watchNick } from "./nicks/nick-regain.js";
import { Momentary } from "./presence/momentary.js";
import { NickMaker } from "./nicks/nick-maker.js";
import { Orphans } from "./connections/orphans.js";
import { ChosenNicks } from "./nicks/chosen-nicks.js";
import { OwnNicks } from "./nicks/own-nicks.js";
import { PuppetEars } from "./connections/puppet.js";
import { Puppets } from "./connections/puppets.js";
import { Readers } from "./connections/readers.js";
import { RankWishes } from "./channels/rank-wishes.js";
import { RelayMessages } from "./outward/relay-messages.js";
import { RelayNames } from "./outward/relay-names.js";
import { introduceBot } from "./connections/commands.js";
import { Seat, type SeatOptions } from "./connections/seat.js";
import type { Splits } from "./channels/splits.js";
import { Servers } from "./connections/servers.js";
import { SentBy } from "./inward/sent-by.js";

/** One IRC network: the bot, the puppets, and the channels that are linked. */
export class IrcNetwork {
  readonly config: NetworkConfig;
  readonly bot: Seat;
  readonly channels: BotChannels;
  readonly members = new Members();
  readonly keys: ChannelKeys;
  readonly wishes: RankWishes;
  readonly chosenNicks: ChosenNicks;
  readonly puppets: Puppets;
  readonly readers: Readers;
  readonly accounts: OwnAccounts;
  readonly servers: Servers;
  readonly sentBy = new SentBy();
  readonly history: History;
  readonly consents: Consents;
  readonly relays = new RelayMessages(this);
  readonly relayNames = new RelayNames(this);
  readonly momentary: Momentary;
  readonly #ownNicks: OwnNicks;
  readonly #listener: Listener;
  readonly #splits: Splits;
  readonly #orphans = new Orphans();
  readonly #connects: FloodControl;
  readonly #intake: Intake;
  readonly #pace: Pace;
  readonly #contexts: ConnectionContexts;
  readonly #botNicks: NickMaker;
  readonly #rules: NetworkRules;
  readonly #told = {
    tell: (events: readonly NetworkEvent[]): void => this.#intake.tell(events),
    told: (): Promise<boolean> => this.#intake.idle(),
  };

  constructor(private readonly context: IrcNetworkContext) {
    const { config, core, holder } = context;
    const ctcp = new CtcpAnswers();
    this.config = config;
    this.momentary = new Momentary(this, core);
    this.#rules = new NetworkRules(config.name, core, context.caseMapping);
    this.#pace = new Pace(config.flood);
    this.servers = new Servers({ config, storage: core.storage, log: core.log });
    this.#connects = new FloodControl({ burst: config.connects.burst, linesPerSecond: config.connects.perSecond });
    this.#intake = new Intake({
      receive: (events) => core.receiveAll(events),
      acknowledge: (connection, line, changes) => holder.acknowledge(connection, line, changes),
      log: core.log,
    });
    const stored = { network: config.name, storage: core.storage, log: core.log };
    this.keys = new ChannelKeys(stored);
    this.wishes = new RankWishes(stored);
    this.chosenNicks = new ChosenNicks(stored);
    this.history = new History({ ...stored, ...this.#told });
    this.consents = new Consents(this, core);
    const { servers, keys } = this;
    const [pace, intake, decoder] = [this.#pace, this.#intake, new LineDecoder(config.encoding)];
    const userLength = () => this.isupport.userLength;
    this.#contexts = new ConnectionContexts({ ...context, servers, keys, pace, intake, decoder, userLength });
    const store = (changes: readonly StateChange[]): void =>
      this.bot.current && holder.state(this.bot.current.id, changes);
    this.#ownNicks = new OwnNicks((nick) => this.fold(nick), store);
    this.#botNicks = new NickMaker("{name}", core.bridge.bot, config.nick, () => this.isupport.nickLength);
    this.bot = this.#botSeat();
    this.channels = new BotChannels({
      network: config.name,
      core,
      bot: () => this.bot.connection,
      forwarded: (from, to) =>
        followForward(core, config.name, from, this.fold(to), (event) => this.#told.tell([event])),
      asked: () => this.consents.open,
      outageNoticeMs: config.outageNotice * 1000,
      ...this.#told,
    });
    this.accounts = new OwnAccounts({
      network: config.name,
      core,
      puppets: () => this.puppets,
      open: (role, nick, credentials, owner) => this.#opened(role, nick, credentials, owner),
      forget: (connection) => void context.connections.delete(connection.id),
    });
    this.puppets = this.#makePuppets(ctcp);
    this.readers = new Readers(this, core, this.#told.tell);
    this.#splits = makeSplits(this, core, store);
    this.#listener = makeListener(this, {
      splits: this.#splits,
      core,
      ctcp,
      ownNicks: this.#ownNicks,
      orphans: this.#orphans,
      botNick: () => this.#botNicks.first(),
      clients: () => [...context.connections.values()].filter(({ role }) => role.network === config.name),
    });
  }

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { keys, wishes, chosenNicks, consents, history, channels } = this;
    const parts = [keys, wishes, chosenNicks, this.#listener, consents, history, channels];
    await Promise.all(parts.map((each) => each.load()));
  }

  get name(): string {
    return this.config.name;
  }

  get isupport(): Isupport {
    return this.#rules.isupport;
  }

  get speaksByPuppets(): boolean {
    return this.config.puppets && this.config.maxPuppets > 0;
  }

  fold(text: string): string {
    return this.#rules.fold(text);
  }

  /** The nick of somebody by their folded nick or `$account`; `undefined` where nobody is known. */
  nickOf(person: string): string | undefined {
    const account = accountOf(person);
    return account === undefined
      ? this.members.nickOf(person)
      : this.members.nickOfAccount(account, (nick) => this.fold(nick));
  }

  /** Takes over what the holder has of this network, and opens what is missing. */
  welcome(held: readonly HeldFrame[], pending: Welcome["pending"], links: readonly ChannelLink[]): void {
    for (const link of links) {
      const place = placeOf(link.channel);
      if (place?.kind === "channel" && place.network === this.name) this.channels.expect(place.channel);
    }
    // Puppets that an outage of the holder has thrown out; those of the process before come back when they speak.
    const before = this.puppets.all;
    const taken: Connection[] = [];
    for (const frame of held) {
      const state = stateOf(frame.state);
      const connection = state?.phase === "ready" ? this.#resume(frame, state, pending) : undefined;
      if (connection) taken.push(connection);
      else {
        this.context.holder.close(frame.connection, "QUIT");
        this.context.holder.forget(frame.connection);
      }
    }
    for (const connection of taken) connection.attach();
    this.bot.connect();
    for (const { seat } of before) seat.connect();
    if (this.bot.connection) this.channels.occupy(this.bot.connection);
    this.readers.begin(links);
  }

  /** The session with the holder is over: every connection is gone, or will be named again. */
  lost(): void {
    this.#orphans.end("the connection holder ended");
    this.channels.lost("the connection holder ended");
    this.readers.lost();
    for (const seat of this.#seats()) seat.lost();
  }

  /** Lets go of everything; the holder keeps the connections. */
  detach(): void {
    this.#end();
    for (const seat of this.#seats()) seat.detach();
  }

  /** Closes every connection. */
  quit(): void {
    this.#end();
    for (const seat of this.#seats()) seat.stop(this.context.quitMessage);
  }

  link(link: ChannelLink, channel: string): void {
    this.channels.link(channel);
    this.readers.link(link);
  }

  unlink(channel: string): void {
    this.channels.unlink(channel);
    this.keys.set(channel, undefined);
    this.wishes.forget(channel);
    this.history.forget(channel);
    this.readers.unlink(channel);
    const changes = this.members.forget(channel);
    if (this.bot.current) this.context.holder.state(this.bot.current.id, changes);
    this.puppets.leave(channel, UNLINKED);
  }

  #end(): void {
    this.#orphans.end("the bridge stops");
    this.#intake.stop();
    this.#connects.close();
    const { puppets, readers, momentary, consents, channels } = this;
    for (const each of [puppets, readers, this.#ownNicks, this.#splits, momentary, consents, channels]) each.close();
  }

  #seats(): Seat[] {
    return [this.bot, ...this.puppets.all.map(({ seat }) => seat)];
  }

  #makePuppets(ctcp: CtcpAnswers): Puppets {
    return new Puppets({
      config: this.config,
      accounts: this.accounts.known,
      chosenNicks: this.chosenNicks,
      ears: new PuppetEars(this, ctcp, (connection, from) => this.#ownNicks.release(from, connection.id)),
      isupport: () => this.isupport,
      seat: (connection) => ({ ...this.#seatOptions(connection), isLookedFor: () => this.bot.isLooking }),
      open: (role, nicks, owner) => this.#open(role, nicks, owner),
      claiming: (connection, nick) => this.#ownNicks.claim(nick, connection),
      refused: (connection, nick) => this.#ownNicks.refused(nick, connection),
      ready: (connection) => {
        this.#learn(connection);
        this.momentary.away.ready(connection);
        this.readers.ready(connection);
      },
      ended: (connection, ending) => {
        this.#ended(connection, ending);
        this.readers.ended(connection, ending);
        this.#settleLater(connection, ending.reason);
      },
      removed: (puppet) => this.readers.removed(puppet),
      rejected: (user, reason) => this.accounts.rejected(user, reason),
    });
  }

  readonly #botOwner: ConnectionOwner = {
    claiming: (connection, nick) => this.#ownNicks.claim(nick, connection),
    refused: (connection, nick) => this.#ownNicks.refused(nick, connection),
    nextNick: (_refused, numeric) => this.#botNicks.next(NICK_INVALID.has(numeric)),
    // Before it has let the bot in: the others have to be let in as well.
    answered: () => this.puppets.serverIsBack(),
    ready: (connection) => {
      this.#learn(connection);
      this.#botNicks.restart();
      watchNick(connection, this.#botNicks.first());
      this.#listener.reset();
      this.context.holder.state(connection.id, this.#listener.snapshot());
      introduceBot(connection, this.config.commands.bot);
      this.bot.isReady();
      this.readers.botIsReady();
      this.channels.occupy(connection);
    },
    line: (connection, message, scope) => {
      this.#listener.line(connection, message, scope);
      regainNick(connection, message, scope.own, this.#botNicks.first());
      if (message.verb === "NICK" && scope.own) this.#ownNicks.release(parseSource(message.source).nick, connection.id);
    },
    ended: (connection, ending) => {
      this.#ended(connection, ending);
      connection.outgoing.deliveries.end(ending.reason);
      this.channels.lost(ending.reason);
      this.bot.ended(connection, ending);
      if (!ending.reached) this.puppets.serverIsAway();
      if (!this.bot.connection) this.#orphans.end(ending.reason);
    },
  };

  #ended(connection: Connection, { wasReady, reason }: Ending): void {
    if (isFlooded(reason)) this.#pace.flooded();
    if (!wasReady) this.servers.failed(connection.server);
    this.context.connections.delete(connection.id);
    this.#ownNicks.releaseAll(connection.id);
  }

  /** What a puppet has sent may still be seen by the bot. */
  #settleLater(connection: Connection, reason: string): void {
    const { deliveries } = connection.outgoing;
    if (deliveries.keys.length === 0) return;
    if (this.bot.connection) this.#orphans.take(connection.view.fold(connection.view.nick), deliveries, reason);
    else deliveries.end(reason);
  }

  /** What becomes of an effect that was given to `connection`; `undefined` where nobody waits for that any more. */
  verdictOf(connection: string, key: string): Promise<Verdict> | undefined {
    const open = this.context.connections.get(connection)?.outgoing.deliveries;
    return open?.has(key) ? open.verdictOf(key) : this.#orphans.verdictOf(key);
  }

  /** What a connection has learnt about the network holds for all. */
  #learn(connection: Connection): void {
    if (this.#rules.learn(connection.view.isupport)) this.#ownNicks.refold();
  }

  /** By its folded nick. */
  connectionOf(nick: string): Connection | undefined {
    const all = [...this.context.connections.values()];
    return all.find(({ role, view }) => role.network === this.name && view.fold(view.nick) === nick);
  }

  #open(role: Role, nicks: NickMaker, owner: ConnectionOwner): Connection {
    nicks.restart();
    return this.#opened(role, nicks.first(), this.#credentialsOf(role), owner);
  }

  #opened(role: Role, nick: string, credentials: Credentials | undefined, owner: ConnectionOwner): Connection {
    const connection = Connection.open(role, nick, this.#contexts.of(role, credentials), owner);
    this.context.connections.set(connection.id, connection);
    return connection;
  }

  /** `undefined`: nobody can go on with it. */
  #resume(frame: HeldFrame, state: ConnectionState, pending: Welcome["pending"]): Connection | undefined {
    const puppet = state.role.kind === "puppet" ? this.puppets.recall(state.role) : undefined;
    if (state.role.kind === "puppet" && !puppet) return undefined;
    const seat = puppet?.seat ?? this.bot;
    if (frame.open && seat.current) return undefined;
    if (!puppet) {
      this.members.restore(frame.state);
      this.#ownNicks.restore(frame.state);
    }
    const owner = puppet ? this.puppets.ownerOf(puppet) : this.#botOwner;
    const own = pending.filter(({ connection }) => connection === frame.connection);
    const connection = Connection.resume(frame, state, own, this.#contexts.of(state.role, undefined), owner);
    this.context.connections.set(connection.id, connection);
    this.#ownNicks.claim(connection.view.nick, connection.id);
    this.#learn(connection);
    if (puppet) this.puppets.resume(connection, frame.state);
    else this.#listener.resume(connection, frame.state, frame.open);
    if (frame.open) seat.adopt(connection);
    else for (const [folded, name] of connection.view.channels) seat.channels.set(folded, name);
    return connection;
  }

  #credentialsOf(role: Role): Credentials | undefined {
    if (role.user !== undefined) return this.accounts.known.of(UserId(role.user))?.credentials;
    return this.context.botCredentials;
  }

  #botSeat(): Seat {
    const { name } = this.config;
    return new Seat({
      ...this.#seatOptions(name),
      priority: Priority.control,
      comingBack: Priority.control,
      isLookout: true,
      open: () => this.#open({ network: name, kind: "bot" }, this.#botNicks, this.#botOwner),
    });
  }

  #seatOptions(connection: string): Omit<SeatOptions, "open" | "priority" | "comingBack"> {
    const { reconnect } = this.config;
    return {
      connects: this.#connects,
      retryMin: reconnect.min * 1000,
      retryMax: reconnect.max * 1000,
      report: (state, detail) =>
        this.context.core.report({ connection, state, ...(detail === undefined ? {} : { detail }) }),
    };
  }
}
