import { type NetworkEvent, RemoteMessageId, type RemoteUser } from "@trestle/core";
import type { StateChange } from "../holder/frames.js";
import type { Connection, LineScope } from "../session/connection.js";
import type { MentionTarget } from "@trestle/rich-text";
import { Priority } from "../session/flood-control.js";
import { traceOf } from "../session/trace.js";
import { withoutCodes } from "../wire/formatting-codes.js";
import type { IrcMessage } from "../wire/message.js";
import { isServer, parseSource, type Source } from "../wire/source.js";
import type { CtcpAnswers } from "./ctcp.js";
import { channelIdOf, remoteUserIdOf } from "./ids.js";
import { answered, type Caused, reactionEvent, redactionEvent } from "./incoming-events.js";
import { incomingText } from "./incoming-text.js";
import { withNickMentions } from "./nick-mentions.js";
import type { Members } from "./members.js";
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

/** Turns what the bot hears into events: the one place where a channel's traffic is read. */
export class Listener {
  /** The names that a server is just listing, by channel. */
  readonly #names = new Map<string, Map<string, string>>();

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
      case "353":
        this.#listNames(context);
        return;
      case "366":
        this.#namesListed(context);
        return;
    }
  }

  /** A new connection has to list everybody anew. */
  reset(): void {
    this.#names.clear();
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
    return { kind: "remoteUser", id: remoteUserIdOf(this.options.network, folded) };
  }

  #join(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const channel = connection.view.fold(message.params[0] ?? "");
    const folded = connection.view.fold(source.nick);
    if (scope.own) {
      this.#names.set(channel, new Map());
      return;
    }
    const isNew = this.options.members.join(folded, source.nick, channel, scope.changes);
    if (own) this.options.ownNicks.address(folded, `${source.user ?? ""}@${source.host ?? ""}`);
    else if (isNew) this.#membership(context, channel, "join", source.nick);
  }

  #part(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const [target = "", reason] = message.params;
    const channel = connection.view.fold(target);
    if (scope.own) return;
    this.options.members.leave(connection.view.fold(source.nick), channel, scope.changes);
    if (!own) this.#membership(context, channel, "leave", source.nick, reason === undefined ? {} : { reason });
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
    this.options.members.leave(folded, channel, scope.changes);
    // What our own clients do was decided on Matrix.
    if (own || this.options.ownNicks.isOwn(folded, { nick })) return;
    this.#membership(context, channel, "kick", nick, {
      by: this.#userOf(context, source.nick),
      ...(reason === undefined || reason === source.nick ? {} : { reason }),
    });
  }

  #quit(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const folded = connection.view.fold(source.nick);
    const channels = this.options.members.quit(folded, scope.changes);
    if (own) {
      this.options.ownNicks.left(folded, scope.changes);
      this.options.ownQuitSeen(folded);
      return;
    }
    const reason = message.params[0];
    for (const channel of channels)
      this.#membership(context, channel, "leave", source.nick, reason === undefined ? {} : { reason });
  }

  #nick(context: Context): void {
    const { connection, message, source, own, scope } = context;
    const nick = message.params[0] ?? "";
    const [from, to] = [connection.view.fold(source.nick), connection.view.fold(nick)];
    const channels = this.options.members.rename(from, to, nick, scope.changes);
    if (own) {
      if (from !== to) this.options.ownNicks.left(from, scope.changes);
      return;
    }
    if (from === to) {
      const channel = channels.find((each) => this.options.isLinked(each));
      if (channel !== undefined)
        this.#emit(context, { kind: "profile", ...this.#caused(context, channel), user: this.#userOf(context, nick) });
      return;
    }
    for (const channel of channels) {
      this.#membership(context, channel, "leave", source.nick, { reason: `is now known as ${nick}` }, "from");
      this.#membership(context, channel, "join", nick, {}, "to");
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

  #listNames({ connection, message }: Context): void {
    const names = this.#names.get(connection.view.fold(message.params[2] ?? ""));
    if (!names) return;
    const symbols = connection.view.isupport.prefixSymbols;
    for (const item of (message.params[3] ?? "").split(" ")) {
      let start = 0;
      while (symbols.includes(item[start] ?? " ")) start++;
      const { nick } = parseSource(item.slice(start));
      if (nick !== "") names.set(connection.view.fold(nick), nick);
    }
  }

  /** The list is complete: whoever is not in it left while we were away. */
  #namesListed(context: Context): void {
    const { connection, message, scope } = context;
    const channel = connection.view.fold(message.params[1] ?? "");
    const names = this.#names.get(channel);
    if (!names) return;
    this.#names.delete(channel);
    const known = new Map(this.options.members.of(channel));
    for (const [folded, nick] of known) {
      if (names.has(folded)) continue;
      this.options.members.leave(folded, channel, scope.changes);
      if (!this.options.ownNicks.isOwn(folded, { nick })) this.#membership(context, channel, "leave", nick, {}, folded);
    }
    for (const [folded, nick] of names) {
      if (connection.view.isOwn(nick)) continue;
      const isNew = this.options.members.join(folded, nick, channel, scope.changes);
      if (isNew && !this.options.ownNicks.isOwn(folded, { nick }))
        this.#membership(context, channel, "join", nick, {}, folded);
    }
  }

  #membership(
    context: Context,
    channel: string,
    change: "join" | "leave" | "kick",
    nick: string,
    more: { readonly by?: RemoteUser; readonly reason?: string } = {},
    distinction = "",
  ): void {
    if (!this.options.isLinked(channel)) return;
    const id = distinction === "" ? context.scope.id : `${context.scope.id}:${distinction}`;
    const { by, reason } = more;
    this.#emit(context, {
      kind: "membership",
      ...this.#caused(context, channel, id),
      user: this.#userOf(context, nick),
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

  #userOf({ connection }: Context, nick: string): RemoteUser {
    return { id: remoteUserIdOf(this.options.network, connection.view.fold(nick)), name: nick };
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
