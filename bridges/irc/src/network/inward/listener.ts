import type { RemoteUser, TypingReceived } from "@trestle/core";
import type { StateChange } from "../../holder/frames.js";
import type { Connection, LineScope } from "../../session/connection.js";
import type { MentionTarget } from "@trestle/rich-text";
import { Priority } from "../../session/flood-control.js";
import { traceOf } from "../../session/trace.js";
import { withoutCodes } from "../../wire/formatting-codes.js";
import { type IrcMessage, msgidOf } from "../../wire/message.js";
import { isServer, parseSource } from "../../wire/source.js";
import { ChannelModes, type ChannelModesOptions } from "../channels/channel-modes.js";
import { ChannelRanks } from "../channels/channel-ranks.js";
import { Comings, type ComingsOptions } from "../channels/comings.js";
import type { CtcpAnswers } from "./ctcp.js";
import { Expulsions, type ExpulsionsOptions } from "../channels/expulsions.js";
import { type Heard, Telling, type TellingOptions } from "./heard.js";
import type { History } from "./history.js";
import { personIdOf } from "../ids.js";
import { answered, reactionEvent, redactionEvent } from "./incoming-events.js";
import { incomingText } from "./incoming-text.js";
import { MultilineInbox } from "./multiline-inbox.js";
import { tellOperators } from "./operator-talk.js";
import { withNickMentions } from "../outward/nick-mentions.js";
import { typingOf } from "../presence/typing.js";

type Parts = "telling" | "ranks" | "expulsions";

export interface ListenerOptions
  extends
    TellingOptions,
    Omit<ComingsOptions, Parts>,
    Omit<ChannelModesOptions, Parts>,
    Omit<ExpulsionsOptions, Parts> {
  readonly ctcp: CtcpAnswers;
  readonly history: History;
  /** Somebody said something to the bot, or in a channel; returns what the bot answers. */
  readonly consents: { heard(nick: string, text: string): string | undefined };
  /** Somebody invites the bot into a channel; returns what they are told. */
  readonly invited: (channel: string) => string | undefined;
  /** Somebody is typing; absent where nobody is to know. */
  readonly typing: ((event: TypingReceived) => void) | undefined;
  /** Somebody is away from now on, with a text, or is back. */
  readonly away: (user: RemoteUser, text: string | undefined) => void;
  /** A message (or reaction, or redaction) of one of our own clients was seen in a channel. */
  readonly ownMessageSeen: (nick: string, channel: string, trace: string, id: string | undefined) => void;
}

/** Turns what the bot hears into events: the one place where a channel's traffic is read. */
export class Listener {
  readonly #telling: Telling;
  readonly #comings: Comings;
  readonly #modes: ChannelModes;
  readonly #expulsions: Expulsions;
  readonly #inbox = new MultilineInbox();

  constructor(private readonly options: ListenerOptions) {
    const telling = (this.#telling = new Telling(options));
    const ranks = new ChannelRanks(telling);
    const expulsions = (this.#expulsions = new Expulsions({ ...options, telling }));
    this.#comings = new Comings({ ...options, telling, ranks, expulsions });
    this.#modes = new ChannelModes({ ...options, telling, ranks, expulsions });
  }

  /** Reads what is on disk. */
  async load(): Promise<void> {
    await this.#expulsions.load();
  }

  line(connection: Connection, message: IrcMessage, scope: LineScope): void {
    const source = parseSource(message.source);
    const { history, ownNicks } = this.options;
    const own =
      scope.own ||
      ownNicks.isOwn(connection.view.fold(source.nick), source) ||
      // What one of our clients of before said comes out of the history too.
      (history.isMissed(message) && isAddressOf(connection, source));
    const heard: Heard = { connection, message, scope, source, own, at: timeOf(message) };
    history.note(heard);
    switch (message.verb) {
      case "PRIVMSG":
      case "NOTICE":
      case "TAGMSG":
      case "REDACT":
        if (own) this.#ownSeen(heard);
        else if (!history.keeps(heard, (later) => this.#said(later))) this.#said(heard);
        return;
      case "TOPIC":
        this.#topic(heard, message.params[0] ?? "", message.params[1] ?? "", this.#telling.userOf(heard, source.nick));
        return;
      case "332":
        this.#topic(heard, message.params[1] ?? "", message.params[2] ?? "", undefined);
        return;
      case "BATCH": {
        this.#comings.batch(heard);
        const whole = this.#inbox.take(connection, message, scope.changes);
        if (whole !== undefined && whole !== "kept") this.#message(joinedFrom(heard, whole));
        return;
      }
      case "AWAY":
        if (!own) this.options.away(this.#telling.userOf(heard, source.nick), message.params[0]);
        return;
      case "INVITE":
        // Who else is invited (`invite-notify`) is for whoever is.
        if (connection.view.isOwn(message.params[0] ?? "")) this.#invited(heard, message.params[1] ?? "");
        return;
      case "MODE":
        this.#modes.take(heard, message.params, false);
        return;
      case "324":
        this.#modes.take(heard, message.params.slice(1), true);
        return;
      default:
        this.#comings.take(heard);
    }
  }

  /** A new connection has to list everybody anew. */
  reset(): void {
    this.#comings.reset();
    this.#inbox.reset();
    this.options.history.reset();
  }

  /** Goes on where the process before ended. */
  resume(connection: Connection, state: readonly StateChange[], isOpen: boolean): void {
    this.#comings.resume(connection, state);
    this.#inbox.restore(connection, state);
    this.options.splits.restore(state);
    if (isOpen) this.options.history.resume(connection, state);
  }

  #ownSeen({ connection, message, source }: Heard): void {
    const trace = traceOf(message);
    if (trace === undefined) return;
    const [nick, channel] = [connection.view.fold(source.nick), connection.view.fold(message.params[0] ?? "")];
    this.options.ownMessageSeen(nick, channel, trace, msgidOf(message));
  }

  #said(heard: Heard): void {
    const { connection, message, source, scope } = heard;
    switch (message.verb) {
      case "TAGMSG":
      case "REDACT": {
        const channel = connection.view.fold(message.params[0] ?? "");
        if (!this.options.isLinked(channel)) return;
        const caused = this.#telling.caused(heard, channel, msgidOf(message) ?? scope.id);
        const sender = isServer(source) ? undefined : this.#telling.userOf(heard, source.nick);
        const event =
          message.verb === "REDACT"
            ? redactionEvent(message, caused, sender)
            : sender && reactionEvent(message, caused, sender);
        if (event) this.#telling.emit(heard, event);
        const typing = sender && typingOf(message, this.options.network, channel, sender);
        if (typing) this.options.typing?.(typing);
        return;
      }
      default: {
        const taken = this.#inbox.take(connection, message, scope.changes);
        if (taken !== "kept") this.#message(taken === undefined ? heard : joinedFrom(heard, taken));
      }
    }
  }

  #message(heard: Heard): void {
    const { connection, message, source, scope } = heard;
    const [target = "", text = ""] = message.params;
    const channel = connection.view.fold(target);
    if (isServer(source) || message.params.length < 2) return;
    const incoming = incomingText(message.verb, text);
    const isPrivate = connection.view.isOwn(target);
    const reply = message.verb === "PRIVMSG" ? this.options.consents.heard(source.nick, text) : undefined;
    if (reply !== undefined) {
      connection.send(Priority.query, "NOTICE", [source.nick, reply]);
      if (isPrivate) return;
    }
    if (incoming.kind === "ctcp" || isPrivate) {
      if (message.verb === "NOTICE") return;
      const { ctcp } = this.options;
      const answer = incoming.kind === "ctcp" ? ctcp.answer(incoming.command, incoming.argument) : ctcp.hint();
      if (answer !== undefined) connection.send(Priority.query, "NOTICE", [source.nick, answer]);
      return;
    }
    if (incoming.kind === "nothing") return;
    if (!this.options.isLinked(channel)) {
      tellOperators(this.#telling, heard, msgidOf(message) ?? scope.id, incoming.content);
      return;
    }
    const id = msgidOf(message) ?? this.options.history.idOf(heard, channel) ?? scope.id;
    this.#telling.emit(heard, {
      kind: "message",
      ...this.#telling.caused(heard, channel, id),
      sender: this.#telling.userOf(heard, source.nick),
      content: {
        ...incoming.content,
        body: withNickMentions(incoming.content.body, (nick) => this.#mentioned(connection.view.fold(nick))),
      },
      ...answered(message),
    });
  }

  #invited({ connection, source }: Heard, channel: string): void {
    const answer = this.options.invited(connection.view.fold(channel));
    if (answer !== undefined && !isServer(source)) connection.send(Priority.query, "NOTICE", [source.nick, answer]);
  }

  #mentioned(folded: string): MentionTarget | undefined {
    const userId = this.options.matrixUserOf(folded);
    if (userId !== undefined) return { kind: "matrixUser", userId };
    if (this.options.members.nickOf(folded) === undefined) return undefined;
    const account = this.options.members.accountOf(folded);
    return { kind: "remoteUser", id: personIdOf(this.options.network, folded, account) };
  }

  #topic(heard: Heard, target: string, topic: string, by: RemoteUser | undefined): void {
    const channel = heard.connection.view.fold(target);
    if (heard.own || !this.options.isLinked(channel)) return;
    this.#telling.emit(heard, {
      kind: "channel",
      ...this.#telling.caused(heard, channel),
      topic: withoutCodes(topic),
      ...(by ? { by } : {}),
    });
  }

  /** Everything a new connection of the bot must know about who is where. */
  snapshot(): StateChange[] {
    const { members, ownNicks, splits } = this.options;
    return [...members.snapshot(), ...ownNicks.snapshot(), ...splits.snapshot()];
  }
}

/** Whether somebody connects from where the bridge does, under its user name. */
function isAddressOf(
  { view }: Connection,
  { user, host }: { readonly user?: string; readonly host?: string },
): boolean {
  return user !== undefined && user === view.address.user && host === view.address.host;
}

/** The same for lines that were put together. */
function joinedFrom(heard: Heard, message: IrcMessage): Heard {
  return { ...heard, message, source: parseSource(message.source), at: timeOf(message) };
}

/** The `time` tag (IRCv3 server-time), in milliseconds since 1970. */
export function timeOf(message: IrcMessage): number | undefined {
  const time = Date.parse(message.tags.get("time") ?? "");
  return Number.isNaN(time) ? undefined : time;
}
