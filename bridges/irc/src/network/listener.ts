import { type NetworkEvent, RemoteMessageId, type RemoteUser } from "@trestle/core";
import type { StateChange } from "../holder/frames.js";
import type { Connection, LineScope } from "../session/connection.js";
import type { MentionTarget } from "@trestle/rich-text";
import { Priority } from "../session/flood-control.js";
import { traceOf } from "../session/trace.js";
import { withoutCodes } from "../wire/formatting-codes.js";
import type { IrcMessage } from "../wire/message.js";
import { modeChanges } from "../wire/mode-changes.js";
import { isServer, parseSource, type Source } from "../wire/source.js";
import type { CtcpAnswers } from "./ctcp.js";
import { accountOf, channelIdOf, personIdOf } from "./ids.js";
import { answered, type Caused, reactionEvent, redactionEvent } from "./incoming-events.js";
import { incomingText } from "./incoming-text.js";
import { withNickMentions } from "./nick-mentions.js";
import type { Members } from "./members.js";
import { LISTING_KEY, type NameList, NameLists } from "./name-lists.js";
import type { OwnNicks } from "./own-nicks.js";

export interface ListenerOptions {
  readonly network: string;
  readonly members: Members;
  readonly ownNicks: OwnNicks;
  readonly ctcp: CtcpAnswers;
  /** Whether somebody on Matrix wants to hear of the channel. */
  readonly isLinked: (channel: string) => boolean;
  /** The Matrix user whose client has a nick. */
  readonly matrixUserOf: (folded: string) => string | undefined;
  /** A message (or reaction, or redaction) of one of our own clients was seen in a channel. */
  readonly ownMessageSeen: (nick: string, channel: string, trace: string, id: string | undefined) => void;
  /** One of our own clients was seen to leave the network. */
  readonly ownQuitSeen: (nick: string) => void;
  /** A nick is nobody's any more. */
  readonly nickFreed: (nick: string) => void;
  /** A linked channel has this key now; `undefined` where it has none. */
  readonly keyChanged: (channel: string, key: string | undefined) => void;
  readonly kicked: (channel: string, by: string, reason: string) => void;
}

interface Context {
  readonly connection: Connection;
  readonly message: IrcMessage;
  readonly scope: LineScope;
  readonly source: Source;
  /** Whether the sender is one of our own clients. */
  readonly own: boolean;
  readonly at: number | undefined;
}

/** Their `account` tag may be of before or of after. */
const IDENTITY_CHANGES: ReadonlySet<string> = new Set(["NICK", "ACCOUNT"]);

/** Turns what the bot hears into events: the one place where a channel's traffic is read. */
export class Listener {
  readonly #names = new NameLists();

  constructor(private readonly options: ListenerOptions) {}

  line(connection: Connection, message: IrcMessage, scope: LineScope): void {
    const source = parseSource(message.source);
    const own = scope.own || this.options.ownNicks.isOwn(connection.view.fold(source.nick), source);
    const context: Context = { connection, message, scope, source, own, at: timeOf(message) };
    switch (message.verb) {
      case "PRIVMSG":
      case "NOTICE":
      case "TAGMSG":
      case "REDACT":
        if (own) this.#ownSeen(context);
        else this.#said(context);
        return;
      case "JOIN":
        this.#join(context);
        return;
      case "PART":
        this.#part(context);
        return;
      case "KICK":
        this.#kick(context);
        return;
      case "QUIT":
        this.#quit(context);
        return;
      case "NICK":
        this.#nick(context);
        return;
      case "TOPIC":
        this.#topic(context, message.params[0] ?? "", message.params[1] ?? "", this.#userOf(context, source.nick));
        return;
      case "332":
        this.#topic(context, message.params[1] ?? "", message.params[2] ?? "", undefined);
        return;
      case "MODE":
      case "324":
        this.#modes(context, message.params.slice(message.verb === "MODE" ? 0 : 1));
        return;
      case "ACCOUNT":
        this.#signedIn(context, message.params[0] ?? "*");
        return;
      default: {
        const list = this.#names.take(connection, message);
        if (list) this.#listed(context, list);
      }
    }
  }

  /** A new connection has to list everybody anew. */
  reset(): void {
    this.#names.reset();
  }

  /** Goes on where the process before ended. */
  resume(connection: Connection, state: readonly StateChange[]): void {
    this.#names.restore(connection, state);
  }

  #ownSeen({ connection, message, source }: Context): void {
    const trace = traceOf(message);
    if (trace === undefined) return;
    const [nick, channel] = [connection.view.fold(source.nick), connection.view.fold(message.params[0] ?? "")];
    this.options.ownMessageSeen(nick, channel, trace, message.tags.get("msgid"));
  }

  #said(context: Context): void {
    const { connection, message, source, scope } = context;
    const channel = connection.view.fold(message.params[0] ?? "");
    switch (message.verb) {
      case "TAGMSG":
      case "REDACT": {
        if (!this.options.isLinked(channel)) return;
        const caused = this.#caused(context, channel, message.tags.get("msgid") ?? scope.id);
        const sender = isServer(source) ? undefined : this.#userOf(context, source.nick);
        const event =
          message.verb === "REDACT"
            ? redactionEvent(message, caused, sender)
            : sender && reactionEvent(message, caused, sender);
        if (event) this.#emit(context, event);
        return;
      }
      default:
        this.#message(context, channel);
    }
  }

  #message(context: Context, channel: string): void {
    const { connection, message, source, scope } = context;
    const [target = "", text = ""] = message.params;
    if (isServer(source) || message.params.length < 2) return;
    const incoming = incomingText(message.verb, text);
    const isPrivate = connection.view.isOwn(target);
    if (incoming.kind === "ctcp" || isPrivate) {
      if (message.verb === "NOTICE") return;
      const { ctcp } = this.options;
      const answer = incoming.kind === "ctcp" ? ctcp.answer(incoming.command, incoming.argument) : ctcp.hint();
      if (answer !== undefined) connection.send(Priority.query, "NOTICE", [source.nick, answer]);
      return;
    }
    // What is said to the operators alone (STATUSMSG, @#channel) is not for everybody in the room.
    if (incoming.kind === "nothing" || !this.options.isLinked(channel)) return;
    const id = message.tags.get("msgid") ?? scope.id;
    this.#emit(context, {
      kind: "message",
      ...this.#caused(context, channel, id),
      sender: this.#userOf(context, source.nick),
      content: {
        ...incoming.content,
        body: withNickMentions(incoming.content.body, (nick) => this.#mentioned(connection.view.fold(nick))),
      },
      ...answered(message),
    });
  }

  #mentioned(folded: string): MentionTarget | undefined {
    const userId = this.options.matrixUserOf(folded);
    if (userId !== undefined) return { kind: "matrixUser", userId };
    if (this.options.members.nickOf(folded) === undefined) return undefined;
    const account = this.options.members.accountOf(folded);
    return { kind: "remoteUser", id: personIdOf(this.options.network, folded, account) };
  }

  #join(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const channel = connection.view.fold(message.params[0] ?? "");
    const folded = connection.view.fold(source.nick);
    if (scope.own) {
      this.#names.begin(connection, message.params[0] ?? "", scope.changes);
      return;
    }
    // extended-join: the account, or "*" for none.
    const account = message.params[1] === "*" ? undefined : message.params[1];
    const wasThere = this.#isThere(channel, account, connection);
    const { members, ownNicks } = this.options;
    const isNew = members.join(folded, source.nick, channel, scope.changes, account && connection.view.fold(account));
    if (own) ownNicks.address(folded, `${source.user ?? ""}@${source.host ?? ""}`);
    else if (isNew && !wasThere) this.#membership(context, channel, "join", this.#userOf(context, source.nick));
  }

  #part(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const [target = "", reason] = message.params;
    const channel = connection.view.fold(target);
    if (scope.own) return;
    const user = this.#userOf(context, source.nick);
    this.options.members.leave(connection.view.fold(source.nick), channel, scope.changes);
    if (!own && this.#isGone(user, channel))
      this.#membership(context, channel, "leave", user, reason === undefined ? {} : { reason });
  }

  #kick(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const [target = "", nick = "", reason] = message.params;
    const channel = connection.view.fold(target);
    if (connection.view.isOwn(nick)) {
      this.options.kicked(channel, source.nick, reason ?? "");
      return;
    }
    const folded = connection.view.fold(nick);
    const user = this.#userOf(context, nick);
    this.options.members.leave(folded, channel, scope.changes);
    // What our own clients do was decided on Matrix.
    if (own || this.options.ownNicks.isOwn(folded, { nick }) || !this.#isGone(user, channel)) return;
    this.#membership(context, channel, "kick", user, {
      by: this.#userOf(context, source.nick),
      ...(reason === undefined || reason === source.nick ? {} : { reason }),
    });
  }

  #quit(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const folded = connection.view.fold(source.nick);
    const user = this.#userOf(context, source.nick);
    const channels = this.options.members.quit(folded, scope.changes);
    this.options.nickFreed(folded);
    if (own) {
      this.options.ownNicks.left(folded, scope.changes);
      this.options.ownQuitSeen(folded);
      return;
    }
    const reason = message.params[0];
    for (const channel of channels.filter((each) => this.#isGone(user, each)))
      this.#membership(context, channel, "leave", user, reason === undefined ? {} : { reason });
  }

  #nick(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const nick = message.params[0] ?? "";
    const [from, to] = [connection.view.fold(source.nick), connection.view.fold(nick)];
    const before = this.#userOf(context, source.nick);
    const channels = this.options.members.rename(from, to, nick, scope.changes);
    if (from !== to) this.options.nickFreed(from);
    if (own) {
      if (from !== to) this.options.ownNicks.left(from, scope.changes);
      return;
    }
    const after = { ...this.#userOf(context, nick), name: nick };
    if (before.id === after.id) {
      const channel = channels.find((each) => this.options.isLinked(each));
      if (channel !== undefined)
        this.#emit(context, { kind: "profile", ...this.#caused(context, channel), user: after });
      return;
    }
    this.#becomes(context, channels, [before, `is now known as ${nick}`], after);
  }

  /** Somebody signed in to an account, or out of it (`*`): they are known by it from now on. IRCv3 account-notify. */
  #signedIn(context: Context, account: string): void {
    const { connection, source, scope, own } = context;
    const folded = connection.view.fold(source.nick);
    const { members } = this.options;
    const before = this.#userOf(context, source.nick);
    const channels = members.channelsOf(folded);
    const wanted = account === "*" ? undefined : connection.view.fold(account);
    const wereThere = wanted === undefined ? [] : channels.filter((each) => members.nicksOf(wanted, each).length > 0);
    members.signedIn(folded, wanted, scope.changes);
    const after = this.#userOf(context, source.nick);
    if (own || before.id === after.id) return;
    const reason = wanted === undefined ? "signed out" : `signed in as ${account}`;
    this.#becomes(context, channels, [before, reason], after, wereThere);
  }

  /** Somebody counts as another person from now on. */
  #becomes(
    context: Context,
    channels: readonly string[],
    [before, reason]: readonly [RemoteUser, string],
    after: RemoteUser,
    wereThere: readonly string[] = [],
  ): void {
    for (const channel of channels) {
      if (this.#isGone(before, channel)) this.#membership(context, channel, "leave", before, { reason }, "from");
      if (!wereThere.includes(channel)) this.#membership(context, channel, "join", after, {}, "to");
    }
  }

  #modes(context: Context, [target = "", ...modes]: readonly string[]): void {
    const { connection } = context;
    const channel = connection.view.fold(target);
    if (!this.options.isLinked(channel)) return;
    for (const { letter, on, parameter } of modeChanges(connection.view.isupport, modes)) {
      // Servers hide a key from who may not know it.
      if (letter === "k" && (!on || (parameter !== undefined && parameter !== "*" && parameter !== "<key>")))
        this.options.keyChanged(channel, on ? parameter : undefined);
    }
  }

  #topic(context: Context, target: string, topic: string, by: RemoteUser | undefined): void {
    const channel = context.connection.view.fold(target);
    if (context.own || !this.options.isLinked(channel)) return;
    this.#emit(context, {
      kind: "channel",
      ...this.#caused(context, channel),
      topic: withoutCodes(topic),
      ...(by ? { by } : {}),
    });
  }

  /** A list has come. Who came meanwhile is told, and kept, when the accounts are known: it is asked for again otherwise. */
  #listed(context: Context, list: NameList): void {
    const { channel, people, fresh } = list;
    if (list.named) this.#named(context, list);
    if (!list.known) return;
    const { connection, scope } = context;
    const { members, ownNicks } = this.options;
    for (const folded of fresh) {
      const listed = people.get(folded);
      // Who has left since, or is called otherwise, was told already.
      if (!listed || !members.channelsOf(folded).includes(channel)) continue;
      const account = listed.account && connection.view.fold(listed.account);
      const wasThere = account !== undefined && members.nicksOf(account, channel).length > 0;
      members.join(folded, listed.nick, channel, scope.changes, account);
      if (!wasThere && !ownNicks.isOwn(folded, listed))
        this.#membership(context, channel, "join", this.#userOf(context, listed.nick), {}, folded);
    }
    scope.changes.push([LISTING_KEY + channel, undefined]);
  }

  /** Whoever is not in the list left while we were away. */
  #named(context: Context, { channel, people, fresh }: NameList): void {
    const { connection, scope } = context;
    const { members, ownNicks } = this.options;
    for (const [folded, nick] of members.of(channel)) {
      if (people.has(folded)) continue;
      const user = this.#userOf(context, nick);
      members.leave(folded, channel, scope.changes);
      if (!ownNicks.isOwn(folded, { nick }) && this.#isGone(user, channel))
        this.#membership(context, channel, "leave", user, {}, folded);
    }
    for (const [folded, { nick }] of people) {
      if (!connection.view.isOwn(nick) && members.join(folded, nick, channel, [])) fresh.add(folded);
    }
  }

  /** Whether somebody under this account is in a channel already. */
  #isThere(channel: string, account: string | undefined, { view }: Connection): boolean {
    return account !== undefined && this.options.members.nicksOf(view.fold(account), channel).length > 0;
  }

  /** Whether nobody who counts as `user` is in a channel any more: an account may be there under several nicks. */
  #isGone(user: RemoteUser, channel: string): boolean {
    const account = accountOf(user.id);
    return account === undefined || this.options.members.nicksOf(account, channel).length === 0;
  }

  #membership(
    context: Context,
    channel: string,
    change: "join" | "leave" | "kick",
    user: RemoteUser,
    more: { readonly by?: RemoteUser; readonly reason?: string } = {},
    distinction = "",
  ): void {
    if (!this.options.isLinked(channel)) return;
    const id = distinction === "" ? context.scope.id : `${context.scope.id}:${distinction}`;
    const { by, reason } = more;
    this.#emit(context, {
      kind: "membership",
      ...this.#caused(context, channel, id),
      user,
      change,
      ...(by ? { by } : {}),
      ...(reason === undefined || reason === "" ? {} : { reason: withoutCodes(reason) }),
    });
  }

  #caused({ at, scope }: Context, channel: string, id = scope.id): Caused {
    return {
      id: RemoteMessageId(id),
      channel: channelIdOf(this.options.network, channel),
      ...(at === undefined ? {} : { at }),
    };
  }

  /** By their account, where the network tells it, so that a change of nick makes nobody else of them. */
  #userOf({ connection, message, source }: Context, nick: string): RemoteUser {
    const folded = connection.view.fold(nick);
    const tagged =
      nick === source.nick && !IDENTITY_CHANGES.has(message.verb) ? message.tags.get("account") : undefined;
    const account = tagged === undefined ? this.options.members.accountOf(folded) : connection.view.fold(tagged);
    return { id: personIdOf(this.options.network, folded, account), name: nick };
  }

  #emit({ scope }: Context, event: NetworkEvent): void {
    scope.events.push(event);
  }

  /** Everything a new connection of the bot must know about who is where. */
  snapshot(): StateChange[] {
    return [...this.options.members.snapshot(), ...this.options.ownNicks.snapshot()];
  }
}

/** The `time` tag (IRCv3 server-time), in milliseconds since 1970. */
export function timeOf(message: IrcMessage): number | undefined {
  const time = Date.parse(message.tags.get("time") ?? "");
  return Number.isNaN(time) ? undefined : time;
}
