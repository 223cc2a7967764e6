import { type RemoteUser } from "@trestle/core";
import type { StateChange } from "../../holder/frames.js";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import type { ChannelRanks } from "./channel-ranks.js";
import type { Expulsions } from "./expulsions.js";
import type { Heard, Telling } from "../inward/heard.js";
import type { History } from "../inward/history.js";
import type { Members } from "./members.js";
import { pairOf, SplitBatches } from "./split-batches.js";
import { isSplit } from "./splits.js";
import { type NameList, LISTING_KEY, NameLists } from "./name-lists.js";

export interface ComingsOptions {
  readonly telling: Telling;
  readonly ranks: ChannelRanks;
  readonly expulsions: Expulsions;
  readonly history: History;
  /** One of our own clients was seen to leave the network. */
  readonly ownQuitSeen: (nick: string) => void;
  /** The client of a Matrix user was seen to come into a channel. */
  readonly ownJoinSeen: (nick: string, channel: string) => void;
  /** A nick is nobody's any more. */
  readonly nickFreed: (nick: string) => void;
  /** The bot was kicked. */
  readonly kicked: (channel: string, by: string, reason: string) => void;
  /** The bot was made to leave: `REMOVE` of an operator, `SAPART`. */
  readonly removed: (channel: string, reason: string) => void;
}

/** Who comes into the channels, goes, and is called otherwise. */
export class Comings {
  readonly #names = new NameLists();
  readonly #batches = new SplitBatches();

  constructor(private readonly options: ComingsOptions) {}

  /** Takes a line; whether it was one of those. */
  take(heard: Heard): boolean {
    switch (heard.message.verb) {
      case "JOIN":
        this.#join(heard);
        return true;
      case "PART":
        this.#part(heard);
        return true;
      case "KICK":
        this.#kick(heard);
        return true;
      case "QUIT":
        this.#quit(heard);
        return true;
      case "NICK":
        this.#nick(heard);
        return true;
      case "ACCOUNT":
        this.#signedIn(heard, heard.message.params[0] ?? "*");
        return true;
      case "CHGHOST":
        this.#moved(heard);
        return true;
      default:
        return this.#list(heard);
    }
  }

  /** A new connection has to list everybody anew. */
  reset(): void {
    this.#names.reset();
    this.#batches.reset();
  }

  /** Goes on where the process before ended. */
  resume(connection: Connection, state: readonly StateChange[]): void {
    for (const channel of this.#names.restore(connection, state)) this.#members.listing(channel);
    this.#batches.restore(state);
  }

  /** A batch begins or ends: it may say that servers lost each other, or are together again. */
  batch({ message, scope }: Heard): void {
    const mended = this.#batches.take(message, scope.changes);
    if (mended !== undefined) this.#telling.options.splits.mended(mended, scope.changes);
  }

  /** One of our own clients is shown under another address. */
  #moved({ connection, message, source, own }: Heard): void {
    const [user = "", host = ""] = message.params;
    if (own) this.#telling.options.ownNicks.address(connection.view.fold(source.nick), `${user}@${host}`);
  }

  #list(heard: Heard): boolean {
    const list = this.#names.take(heard.connection, heard.message);
    if (list) this.#listed(heard, list);
    return list !== undefined;
  }

  get #telling(): Telling {
    return this.options.telling;
  }

  get #members(): Members {
    return this.#telling.options.members;
  }

  #join(heard: Heard): void {
    const { connection, message, source, own, scope } = heard;
    const channel = connection.view.fold(message.params[0] ?? "");
    const folded = connection.view.fold(source.nick);
    if (scope.own) {
      this.#names.begin(connection, message.params[0] ?? "", scope.changes);
      this.#members.listing(channel);
      this.options.history.joined(heard, message.params[0] ?? "");
      connection.send(Priority.control, "MODE", [message.params[0] ?? ""]);
      return;
    }
    // extended-join: the account, or "*" for none.
    const account = message.params[1] === "*" ? undefined : message.params[1];
    const wasThere = this.#isThere(channel, account, connection);
    const { members, ownNicks } = this.#telling.options;
    const isNew = members.join(folded, source.nick, channel, scope.changes, account && connection.view.fold(account));
    if (own) {
      ownNicks.address(folded, `${source.user ?? ""}@${source.host ?? ""}`);
      this.options.ownJoinSeen(folded, channel);
    } else if (isNew && !wasThere)
      this.#telling.membership(heard, channel, "join", this.#telling.userOf(heard, source.nick));
  }

  #part(heard: Heard): void {
    const { connection, message, source, own, scope } = heard;
    const [target = "", reason] = message.params;
    const channel = connection.view.fold(target);
    if (scope.own) {
      // A channel that the bot leaves by itself is not in its view any more.
      if (connection.view.channels.has(channel)) this.options.removed(channel, reason ?? "");
      return;
    }
    const user = this.#telling.userOf(heard, source.nick);
    const ranks = this.#members.ranksOf(connection.view.fold(source.nick), channel);
    this.#members.leave(connection.view.fold(source.nick), channel, scope.changes);
    if (!own) this.options.ranks.ended(heard, channel, user, ranks);
    if (!own && this.#telling.isGone(user, channel))
      this.#telling.membership(heard, channel, "leave", user, reason === undefined ? {} : { reason });
  }

  #kick(heard: Heard): void {
    const { connection, message, source, own, scope } = heard;
    const [target = "", nick = "", reason] = message.params;
    const channel = connection.view.fold(target);
    if (connection.view.isOwn(nick)) {
      this.options.kicked(channel, source.nick, reason ?? "");
      return;
    }
    const folded = connection.view.fold(nick);
    const user = this.#telling.userOf(heard, nick);
    const ranks = this.#members.ranksOf(folded, channel);
    this.#members.leave(folded, channel, scope.changes);
    if (this.#telling.options.ownNicks.isOwn(folded, { nick })) {
      // What our own clients do was decided on Matrix.
      const matrixUser = own ? undefined : this.#telling.options.matrixUserOf(folded);
      if (matrixUser !== undefined) this.options.expulsions.kicked(heard, channel, matrixUser, reason);
      return;
    }
    this.options.ranks.ended(heard, channel, user, ranks);
    if (own || !this.#telling.isGone(user, channel)) return;
    this.#telling.membership(heard, channel, "kick", user, {
      by: this.#telling.userOf(heard, source.nick),
      ...(reason === undefined || reason === source.nick ? {} : { reason }),
    });
  }

  #quit(heard: Heard): void {
    const { connection, message, source, own, scope } = heard;
    const folded = connection.view.fold(source.nick);
    const user = this.#telling.userOf(heard, source.nick);
    const ranks = this.#members.channelsOf(folded).map((each) => [each, this.#members.ranksOf(folded, each)] as const);
    const channels = this.#members.quit(folded, scope.changes);
    this.options.nickFreed(folded);
    if (own) {
      this.#telling.options.ownNicks.left(folded, scope.changes);
      this.options.ownQuitSeen(folded);
      return;
    }
    const reason = message.params[0];
    const servers =
      this.#batches.splitOf(message) ??
      (reason !== undefined && isSplit(reason) ? pairOf(reason.split(" ")) : undefined);
    const waits = (channel: string, letters: string): boolean =>
      servers !== undefined &&
      this.#telling.isGone(user, channel) &&
      this.#telling.options.splits.lost(
        scope.id,
        channel,
        user,
        { reason: reason ?? "", servers, ranks: letters },
        scope.changes,
      );
    const told = new Set(ranks.filter(([channel, letters]) => !waits(channel, letters)).map(([channel]) => channel));
    for (const [channel, letters] of ranks)
      if (told.has(channel)) this.options.ranks.ended(heard, channel, user, letters);
    for (const channel of channels.filter((each) => told.has(each) && this.#telling.isGone(user, each)))
      this.#telling.membership(heard, channel, "leave", user, reason === undefined ? {} : { reason });
  }

  #nick(heard: Heard): void {
    const { connection, message, source, own, scope } = heard;
    const nick = message.params[0] ?? "";
    const [from, to] = [connection.view.fold(source.nick), connection.view.fold(nick)];
    const before = this.#telling.userOf(heard, source.nick);
    const channels = this.#members.rename(from, to, nick, scope.changes);
    if (from !== to) this.options.nickFreed(from);
    if (own) {
      if (from !== to) this.#telling.options.ownNicks.left(from, scope.changes);
      return;
    }
    const after = { ...this.#telling.userOf(heard, nick), name: nick };
    if (before.id === after.id) {
      const channel = channels.find((each) => this.#telling.options.isLinked(each));
      if (channel !== undefined)
        this.#telling.emit(heard, { kind: "profile", ...this.#telling.caused(heard, channel), user: after });
      return;
    }
    this.#becomes(heard, channels, [before, `is now known as ${nick}`], after);
  }

  /** Somebody signed in to an account, or out of it (`*`): they are known by it from now on. IRCv3 account-notify. */
  #signedIn(heard: Heard, account: string): void {
    const { connection, source, scope, own } = heard;
    const folded = connection.view.fold(source.nick);
    const { members } = this.#telling.options;
    const before = this.#telling.userOf(heard, source.nick);
    const channels = members.channelsOf(folded);
    const wanted = account === "*" ? undefined : connection.view.fold(account);
    const wereThere = wanted === undefined ? [] : channels.filter((each) => members.nicksOf(wanted, each).length > 0);
    members.signedIn(folded, wanted, scope.changes);
    const after = this.#telling.userOf(heard, source.nick);
    if (own || before.id === after.id) return;
    const reason = wanted === undefined ? "signed out" : `signed in as ${account}`;
    this.#becomes(heard, channels, [before, reason], after, wereThere);
  }

  /** Somebody counts as another person from now on. */
  #becomes(
    heard: Heard,
    channels: readonly string[],
    [before, reason]: readonly [RemoteUser, string],
    after: RemoteUser,
    wereThere: readonly string[] = [],
  ): void {
    for (const channel of channels) {
      const ranks = this.#members.ranksOf(heard.connection.view.fold(after.name ?? ""), channel);
      this.options.ranks.ended(heard, channel, before, ranks);
      if (this.#telling.isGone(before, channel))
        this.#telling.membership(heard, channel, "leave", before, { reason }, "from");
      if (!wereThere.includes(channel)) this.#telling.membership(heard, channel, "join", after, {}, "to");
      this.options.ranks.began(heard, channel, after);
    }
  }

  /** A list has come. Who came meanwhile is told, and kept, when the accounts are known: it is asked for again otherwise. */
  #listed(heard: Heard, list: NameList): void {
    const { channel, people, fresh } = list;
    if (list.named) this.#named(heard, list);
    if (!list.known) return;
    const { connection, scope } = heard;
    const { members, ownNicks } = this.#telling.options;
    for (const folded of fresh) {
      const listed = people.get(folded);
      // Who has left since, or is called otherwise, was told already.
      if (!listed || !members.channelsOf(folded).includes(channel)) continue;
      const account = listed.account && connection.view.fold(listed.account);
      const wasThere = account !== undefined && members.nicksOf(account, channel).length > 0;
      members.join(folded, listed.nick, channel, scope.changes, account);
      if (!wasThere && !ownNicks.isOwn(folded, listed))
        this.#telling.membership(heard, channel, "join", this.#telling.userOf(heard, listed.nick), {}, folded);
    }
    this.options.ranks.tellAll(heard, list);
    members.listed(channel);
    scope.changes.push([LISTING_KEY + channel, undefined]);
  }

  /** Whoever is not in the list left while we were away. */
  #named(heard: Heard, list: NameList): void {
    const { channel, people, fresh } = list;
    const { connection, scope } = heard;
    const { members, ownNicks } = this.#telling.options;
    for (const [folded, nick] of members.of(channel)) {
      if (people.has(folded)) continue;
      const user = this.#telling.userOf(heard, nick);
      members.leave(folded, channel, scope.changes);
      if (!ownNicks.isOwn(folded, { nick }) && this.#telling.isGone(user, channel))
        this.#telling.membership(heard, channel, "leave", user, {}, folded);
    }
    for (const [folded, { nick }] of people) {
      if (!connection.view.isOwn(nick) && members.join(folded, nick, channel, [])) fresh.add(folded);
    }
    this.options.ranks.listed(heard, list);
  }

  /** Whether somebody under this account is in a channel already. */
  #isThere(channel: string, account: string | undefined, { view }: Connection): boolean {
    return account !== undefined && this.#members.nicksOf(view.fold(account), channel).length > 0;
  }
}
