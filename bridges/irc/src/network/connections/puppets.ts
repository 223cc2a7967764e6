import { type Author, UserId } from "@trestle/core";
import type { NetworkConfig } from "../../config.js";
import type { StateChange } from "../../holder/frames.js";
import type { Connection, ConnectionOwner, Ending } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import { NICK_INVALID } from "../../session/numerics.js";
import type { Role } from "../../session/state.js";
import type { Isupport } from "../../wire/isupport.js";
import { sendCommands } from "./commands.js";
import { regainNick, regainSeenFree, watchNick } from "../nicks/nick-regain.js";
import type { ChosenNicks } from "../nicks/chosen-nicks.js";
import { settleTrial } from "../nicks/nick-command.js";
import { NickMaker } from "../nicks/nick-maker.js";
import { RENAMES, Renames } from "../nicks/renames.js";
import type { Puppet, PuppetEars } from "./puppet.js";
import type { Accounts } from "../accounts/accounts.js";
import { HomeserverQuota } from "./homeserver-quota.js";
import { Seat, type SeatOptions } from "./seat.js";

const LONGEST_TIMER_MS = 3_600_000;

export interface PuppetsOptions {
  readonly config: NetworkConfig;
  readonly ears: PuppetEars;
  readonly accounts: Accounts;
  readonly chosenNicks: ChosenNicks;
  readonly isupport: () => Isupport;
  readonly seat: (connection: string) => Omit<SeatOptions, "open" | "priority" | "comingBack">;
  readonly open: (role: Role, nicks: NickMaker, owner: ConnectionOwner) => Connection;
  readonly claiming: ConnectionOwner["claiming"];
  readonly refused: NonNullable<ConnectionOwner["refused"]>;
  readonly ready: (connection: Connection) => void;
  readonly ended: (connection: Connection, ending: Ending) => void;
  /** A puppet is gone. */
  readonly removed: (puppet: Puppet) => void;
  /** The network does not take the user's account any more. */
  readonly rejected: (user: UserId, reason: string) => void;
}

/** The clients of the Matrix users of one network, made when their people first speak. */
export class Puppets {
  readonly #puppets = new Map<UserId, Puppet>();
  /** Changes of their people's names. */
  readonly renames = new Renames(RENAMES);
  /** Runs until the one that is next could have been silent for too long. */
  #retiring: NodeJS.Timeout | undefined;
  #closed = false;

  readonly #quota: HomeserverQuota;

  constructor(private readonly options: PuppetsOptions) {
    this.#quota = new HomeserverQuota(options.config.maxPuppetsOf);
  }

  get all(): readonly Puppet[] {
    return [...this.#puppets.values()];
  }

  get(user: UserId): Puppet | undefined {
    return this.#puppets.get(user);
  }

  /** The puppet of a Matrix user, made where there is none; `undefined` where their homeserver has as many as it may. */
  of(author: Pick<Author, "userId" | "name">): Puppet | undefined {
    const existing = this.#puppets.get(author.userId);
    if (existing) return existing;
    const room = this.#quota.roomFor(author.userId, this.#puppets.values(), performance.now());
    if (room === "full") return undefined;
    if (room !== "free") this.remove(room.makesRoom, "Making room for somebody who speaks");
    this.#makeRoom();
    return this.#make(author.userId, author.name);
  }

  /** The same for somebody who has said nothing: `undefined` where nobody's place is free. */
  ofReader(reader: Pick<Author, "userId" | "name">): Puppet | undefined {
    const existing = this.#puppets.get(reader.userId);
    if (existing) return existing;
    if (!this.hasPlace) return undefined;
    if (this.#quota.roomFor(reader.userId, this.#puppets.values(), performance.now()) !== "free") return undefined;
    const puppet = this.#make(reader.userId, reader.name);
    // So they are the first to make room for whoever speaks.
    puppet.spokeAt = Number.NEGATIVE_INFINITY;
    return puppet;
  }

  /** Whether there may be one more. */
  get hasPlace(): boolean {
    return this.#puppets.size < this.options.config.maxPuppets;
  }

  /** Whether a Matrix user has a puppet, or would get one now. */
  mayHave(user: UserId): boolean {
    if (this.#puppets.has(user)) return true;
    return this.#quota.roomFor(user, this.#puppets.values(), performance.now()) !== "full";
  }

  /** The puppet of a connection of the process before. */
  recall(role: Role): Puppet | undefined {
    if (!this.options.config.puppets || role.user === undefined) return undefined;
    const user = UserId(role.user);
    // Somebody signed in or out meanwhile: it is somebody else's connection now.
    if (role.account !== this.options.accounts.of(user)?.credentials.account) return undefined;
    return this.#puppets.get(user) ?? this.#make(user, role.name ?? role.user);
  }

  close(): void {
    this.#closed = true;
    this.renames.close();
    clearTimeout(this.#retiring);
  }

  /** Goes on with what is kept of a puppet's connection of the process before. */
  resume(connection: Connection, state: readonly StateChange[]): void {
    this.options.ears.resume(connection, state);
  }

  /** The nick a Matrix user has, or would ask for; `fresh`: would ask for now that they want another one. */
  nickOf(author: Pick<Author, "userId" | "name">, fresh?: "fresh"): string {
    const puppet = this.#puppets.get(author.userId);
    if (puppet && fresh) {
      puppet.nicks.restart();
      return puppet.nicks.first();
    }
    return puppet?.seat.connection?.view.nick ?? this.#nickMaker(author.userId, author.name).first();
  }

  /** Somebody gave up a nick that a puppet may want. */
  nickFreed(folded: string): void {
    for (const { seat, nicks } of this.#puppets.values())
      if (seat.connection) regainSeenFree(seat.connection, folded, nicks.first());
  }

  /** The server was looked for in vain. */
  serverIsAway(): void {
    for (const { seat } of this.#puppets.values()) seat.serverIsAway();
  }

  /** The server is there: nobody has to wait for that any longer. */
  serverIsBack(): void {
    for (const { seat } of this.#puppets.values()) seat.serverIsBack();
  }

  remove(puppet: Puppet, reason: string): void {
    this.#puppets.delete(puppet.user);
    puppet.seat.stop(reason);
    this.options.removed(puppet);
  }

  /** A puppet without channels and conversations has nothing left to do. */
  removeUnneeded(puppet: Puppet, reason: string): void {
    if (puppet.seat.channels.size === 0 && puppet.queries.size === 0) this.remove(puppet, reason);
  }

  /** The channel is no longer linked. */
  leave(channel: string, reason: string): void {
    for (const puppet of this.all) {
      puppet.seat.channels.delete(channel);
      puppet.seat.connection?.part(channel, reason);
      // Who was shown there without a word is not to stay behind.
      if (puppet.rooms.delete(channel)) this.removeUnneeded(puppet, reason);
    }
  }

  /** The user signed in or out: their puppet connects anew, into the channels in which it was. */
  renew(user: UserId, reason: string): void {
    const before = this.#puppets.get(user);
    if (!before) return;
    this.remove(before, reason);
    const puppet = this.#make(user, before.name);
    puppet.spokeAt = before.spokeAt;
    for (const nick of before.queries) puppet.queries.add(nick);
    for (const [channel, rooms] of before.rooms) puppet.rooms.set(channel, rooms);
    for (const [folded, name] of before.seat.channels) puppet.seat.channels.set(folded, name);
    puppet.seat.connect();
  }

  ownerOf(puppet: Puppet): ConnectionOwner {
    const { claiming, refused, ears } = this.options;
    return {
      claiming,
      refused,
      // Whoever does not get the nick they ask for keeps the one they have.
      nextNick: (_refused, numeric) => (puppet.nickTrial ? undefined : puppet.nicks.next(NICK_INVALID.has(numeric))),
      answered: () => this.serverIsBack(),
      ready: (connection) => {
        this.options.ready(connection);
        // What is said in channels reaches the bridge through the bot.
        const { deafMode, nick } = connection.view;
        if (deafMode !== undefined) connection.send(Priority.control, "MODE", [nick, `+${deafMode}`]);
        sendCommands(connection, this.options.config.commands.puppets);
        puppet.nicks.restart();
        watchNick(connection, puppet.nicks.first());
        ears.ready(puppet, connection);
        puppet.seat.isReady();
        for (const name of puppet.seat.channels.values()) void connection.join(name);
      },
      line: (connection, message, scope) => {
        settleTrial(puppet, connection, message, scope.own);
        ears.line(puppet, connection, message, scope);
        regainNick(connection, message, scope.own, puppet.nicks.first());
      },
      ended: (connection, ending) => {
        this.options.ended(connection, ending);
        if (ending.rejected && puppet.seat.current === connection) this.#rejected(puppet, ending.reason);
        puppet.seat.ended(connection, ending);
      },
    };
  }

  #make(user: UserId, name: string): Puppet {
    const nicks = this.#nickMaker(user, name);
    const { config, seat, open } = this.options;
    const puppet: Puppet = {
      user,
      seat: new Seat({
        ...seat(`${config.name}/${user}`),
        priority: Priority.query,
        comingBack: Priority.channel,
        open: () => open(this.#roleOf(puppet), nicks, this.ownerOf(puppet)),
      }),
      nicks,
      name,
      queries: new Set(),
      rooms: new Map(),
      spokeAt: performance.now(),
    };
    this.#puppets.set(user, puppet);
    this.#watchSilence();
    return puppet;
  }

  #roleOf({ user, name }: Puppet): Role {
    const account = this.options.accounts.of(user)?.credentials.account;
    const { name: network } = this.options.config;
    return { network, kind: "puppet", user, name, ...(account === undefined ? {} : { account }) };
  }

  /** Who waits for the puppet hears why; the next one has no account. */
  #rejected(puppet: Puppet, reason: string): void {
    puppet.rejected = reason;
    this.options.rejected(puppet.user, reason);
    this.remove(puppet, reason);
  }

  #nickMaker(user: UserId, name: string): NickMaker {
    const { config, isupport, chosenNicks } = this.options;
    const chosen = () => (config.chosenNicks ? chosenNicks.of(user) : undefined);
    return new NickMaker(config.puppetNick, user, name, () => isupport().nickLength, chosen);
  }

  #watchSilence(): void {
    const { idle } = this.options.config;
    if (idle === undefined || this.#closed || this.#retiring !== undefined || this.#puppets.size === 0) return;
    // Who is shown without having said anything stays so when they have.
    const retiring = this.all.filter(({ rooms }) => rooms.size === 0);
    const next = Math.min(performance.now(), ...retiring.map(({ spokeAt }) => spokeAt)) + idle * 1000;
    const wait = Math.min(Math.max(next - performance.now(), idle * 250), LONGEST_TIMER_MS);
    this.#retiring = setTimeout(() => {
      this.#retiring = undefined;
      const since = performance.now() - idle * 1000;
      for (const puppet of this.all) {
        // Who is not connected yet, or waits for what became of a message, is not done.
        const isDone = puppet.seat.connection?.outgoing.deliveries.keys.length === 0;
        if (isDone && puppet.rooms.size === 0 && puppet.spokeAt <= since) this.remove(puppet, "Silent for a while");
      }
      this.#watchSilence();
    }, wait);
  }

  /** Lets the puppet go that has been silent for longest, where there are too many. */
  #makeRoom(): void {
    while (this.#puppets.size >= this.options.config.maxPuppets) {
      const oldest = this.all.reduce((a, b) => (a.spokeAt <= b.spokeAt ? a : b));
      this.remove(oldest, "Making room for somebody who speaks");
    }
  }
}
