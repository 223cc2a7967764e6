import { type NetworkEvent, type Ranked, RemoteMessageId, type RemoteUser } from "@trestle/core";
import type { Connection, LineScope } from "../../session/connection.js";
import { withoutCodes } from "../../wire/formatting-codes.js";
import { accountTagOf, type IrcMessage } from "../../wire/message.js";
import type { Source } from "../../wire/source.js";
import { accountOf, channelIdOf, personIdOf } from "../ids.js";
import type { Caused } from "./incoming-events.js";
import type { Members } from "../channels/members.js";
import type { OwnNicks } from "../nicks/own-nicks.js";
import type { Splits } from "../channels/splits.js";

/** A line that the bot heard. */
export interface Heard {
  readonly connection: Connection;
  readonly message: IrcMessage;
  readonly scope: LineScope;
  readonly source: Source;
  /** Whether the sender is one of our own clients. */
  readonly own: boolean;
  readonly at: number | undefined;
}

export interface TellingOptions {
  readonly network: string;
  readonly members: Members;
  readonly ownNicks: OwnNicks;
  readonly splits: Splits;
  /** Whether somebody on Matrix wants to hear of the channel. */
  readonly isLinked: (channel: string) => boolean;
  /** The Matrix user whose client has a nick. */
  readonly matrixUserOf: (folded: string) => string | undefined;
}

/** Their `account` tag may be of before or of after. */
const IDENTITY_CHANGES: ReadonlySet<string> = new Set(["NICK", "ACCOUNT"]);

/** Says to the core what was heard: under which ids, and of whom. */
export class Telling {
  constructor(readonly options: TellingOptions) {}

  caused({ at, scope }: Heard, channel: string, id = scope.id): Caused {
    return {
      id: RemoteMessageId(id),
      channel: channelIdOf(this.options.network, channel),
      ...(at === undefined ? {} : { at }),
    };
  }

  /** By their account, where the network tells it, so that a change of nick makes nobody else of them. */
  userOf({ connection, message, source }: Heard, nick: string): RemoteUser {
    const folded = connection.view.fold(nick);
    const tagged = nick === source.nick && !IDENTITY_CHANGES.has(message.verb) ? accountTagOf(message) : undefined;
    const account = tagged === undefined ? this.options.members.accountOf(folded) : connection.view.fold(tagged);
    return { id: personIdOf(this.options.network, folded, account), name: nick };
  }

  /** Who has a nick: a person of the network, or the client of a Matrix user; `undefined` for the bot and clients of nobody. */
  rankedOf(heard: Heard, nick: string): Ranked | undefined {
    const { view } = heard.connection;
    const folded = view.fold(nick);
    if (view.isOwn(nick)) return undefined;
    const userId = this.options.matrixUserOf(folded);
    if (userId !== undefined) return { userId };
    return this.options.ownNicks.isOwn(folded, { nick }) ? undefined : { remote: this.userOf(heard, nick) };
  }

  /** Whether nobody who counts as `user` is in a channel any more: an account may be there under several nicks. */
  isGone(user: RemoteUser, channel: string): boolean {
    const account = accountOf(user.id);
    return account === undefined || this.options.members.nicksOf(account, channel).length === 0;
  }

  membership(
    heard: Heard,
    channel: string,
    change: "join" | "leave" | "kick",
    user: RemoteUser,
    more: { readonly by?: RemoteUser; readonly reason?: string } = {},
    distinction = "",
  ): void {
    if (!this.options.isLinked(channel)) return;
    if (change === "join" && this.options.splits.back(user, channel, heard.scope.changes)) return;
    const id = distinction === "" ? heard.scope.id : `${heard.scope.id}:${distinction}`;
    const { by, reason } = more;
    this.emit(heard, {
      kind: "membership",
      ...this.caused(heard, channel, id),
      user,
      change,
      ...(by ? { by } : {}),
      ...(reason === undefined || reason === "" ? {} : { reason: withoutCodes(reason) }),
    });
  }

  /** The letters of the ranks that a person has in a channel, under all their nicks. */
  ranksOf(user: RemoteUser, channel: string, fold: (nick: string) => string): string {
    const { members } = this.options;
    const account = accountOf(user.id);
    const nicks = account === undefined ? [user.name ?? ""] : members.nicksOf(account, channel);
    return nicks.map((nick) => members.ranksOf(fold(nick), channel)).join("");
  }

  emit({ scope }: Heard, event: NetworkEvent): void {
    scope.events.push(event);
  }
}
