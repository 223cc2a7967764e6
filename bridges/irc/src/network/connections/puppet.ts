import { type ChannelId, RemoteMessageId, type RoomId, type UserId } from "@trestle/core";
import type { StateChange } from "../../holder/frames.js";
import type { Connection, LineScope } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import { accountTagOf, type IrcMessage, msgidOf } from "../../wire/message.js";
import { isServer, parseSource } from "../../wire/source.js";
import type { CtcpAnswers } from "../inward/ctcp.js";
import { channelIdOf, personIdOf, queryIdOf } from "../ids.js";
import { answered, type Caused, reactionEvent, redactionEvent } from "../inward/incoming-events.js";
import { incomingText } from "../inward/incoming-text.js";
import { timeOf } from "../inward/listener.js";
import type { IrcNetwork } from "../irc-network.js";
import { MultilineInbox } from "../inward/multiline-inbox.js";
import type { NickTrial } from "../nicks/nick-command.js";
import type { NickMaker } from "../nicks/nick-maker.js";
import type { Seat } from "./seat.js";

/** A Matrix user's own client. */
export interface Puppet {
  readonly user: UserId;
  readonly seat: Seat;
  readonly nicks: NickMaker;
  /** The display name the nick was made of. */
  name: string;
  /** Folded nicks (or `$account`) the user talks to alone. */
  readonly queries: Set<string>;
  /** By folded channel, the rooms because of which it is shown there although its user may have said nothing. */
  readonly rooms: Map<string, Set<RoomId>>;
  /** The nick that its user has just asked for. */
  nickTrial?: NickTrial;
  /** When the user last said something, by the monotonic clock; `-Infinity`: never. */
  spokeAt: number;
  /** Why the network does not take the account that the user has signed in to. */
  rejected?: string;
}

/** What a puppet hears: what is said to it alone, and what happens to itself. */
export class PuppetEars {
  readonly #inbox = new MultilineInbox();

  constructor(
    private readonly network: IrcNetwork,
    private readonly ctcp: CtcpAnswers,
    /** A nick was given up. */
    private readonly renamed: (connection: Connection, from: string) => void,
  ) {}

  /** The server has let the puppet in. */
  ready(puppet: Puppet, connection: Connection): void {
    for (const person of puppet.queries) this.network.momentary.watched.watch(connection, person);
  }

  /** Goes on with what the process before has kept of a connection. */
  resume(connection: Connection, state: readonly StateChange[]): void {
    this.#inbox.restore(connection, state);
  }

  line(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const { view } = connection;
    const [first = "", second = ""] = message.params;
    switch (message.verb) {
      case "NICK":
        if (scope.own) this.renamed(connection, parseSource(message.source).nick);
        return;
      case "JOIN":
        if (scope.own) this.#joined(puppet, connection, first);
        return;
      case "PART":
        if (scope.own) puppet.seat.channels.delete(view.fold(first));
        return;
      case "KICK":
        // It comes back when its person speaks again, not by itself.
        if (view.isOwn(second)) puppet.seat.channels.delete(view.fold(first));
        return;
      case "INVITE":
        if (!scope.own && view.isOwn(first)) this.#invited(puppet, connection, message, scope);
        return;
      case "BATCH": {
        // What is said in channels the bot puts together.
        const isHere = !first.startsWith("+") || view.isOwn(message.params[2] ?? "");
        const whole = isHere ? this.#inbox.take(connection, message, scope.changes) : undefined;
        if (whole !== undefined && whole !== "kept") this.#query(puppet, connection, whole, scope);
        return;
      }
      case "730":
      case "731":
        this.network.momentary.watched.note(connection, message);
        return;
      case "PRIVMSG":
      case "NOTICE":
      case "TAGMSG":
      case "REDACT":
        if (!scope.own && view.isOwn(first)) this.#heard(puppet, connection, message, scope);
        return;
    }
  }

  /** Also where the server sent it instead of a channel that it wanted to join: there it has no business. */
  #joined(puppet: Puppet, connection: Connection, channel: string): void {
    const folded = connection.view.fold(channel);
    if (this.network.channels.isLinked(folded)) puppet.seat.channels.set(folded, channel);
    else connection.send(Priority.control, "PART", [channel, "Not linked"]);
  }

  /** Into the rooms of a channel: Matrix knows whether its person is there already. */
  #invited(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const source = parseSource(message.source);
    const channel = message.params[1] ?? "";
    const linked = connection.view.fold(channel);
    if (isServer(source)) return;
    if (!this.network.channels.isLinked(linked)) {
      const answer = this.ctcp.notLinked(channel);
      if (answer !== undefined) connection.send(Priority.query, "NOTICE", [source.nick, answer]);
      return;
    }
    const { folded, account } = this.#who(connection, message, source.nick);
    scope.events.push({
      kind: "invitation",
      ...causedBy(message, channelIdOf(this.network.name, linked), scope),
      by: { id: personIdOf(this.network.name, folded, account), name: source.nick },
      who: { userId: puppet.user },
    });
  }

  /** Whom a line is from: their folded nick, and their account where it is known. */
  #who(
    { view }: Connection,
    message: IrcMessage,
    nick: string,
  ): { readonly folded: string; readonly account: string | undefined } {
    const folded = view.fold(nick);
    const tagged = accountTagOf(message);
    const account = tagged === undefined ? this.network.members.accountOf(folded) : view.fold(tagged);
    if (account !== undefined) this.network.members.met(account, nick);
    return { folded, account };
  }

  #heard(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const isText = message.verb === "PRIVMSG" || message.verb === "NOTICE";
    const taken = isText ? this.#inbox.take(connection, message, scope.changes) : undefined;
    if (taken !== "kept") this.#query(puppet, connection, taken ?? message, scope);
  }

  #query(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const source = parseSource(message.source);
    if (isServer(source)) return;
    const { folded, account } = this.#who(connection, message, source.nick);
    const person = account === undefined ? folded : `$${account}`;
    const caused = causedBy(message, queryIdOf(this.network.name, person, puppet.user), scope);
    const sender = { id: personIdOf(this.network.name, folded, account), name: source.nick };
    if (message.verb === "TAGMSG" || message.verb === "REDACT") {
      const event = (message.verb === "TAGMSG" ? reactionEvent : redactionEvent)(message, caused, sender);
      if (event) scope.events.push(event);
      return;
    }
    const incoming = incomingText(message.verb, message.params[1] ?? "");
    if (incoming.kind === "ctcp") {
      const answer = message.verb === "PRIVMSG" ? this.ctcp.answer(incoming.command, incoming.argument) : undefined;
      if (answer !== undefined) connection.send(Priority.query, "NOTICE", [source.nick, answer]);
      return;
    }
    // Services greet every client with notices: they open no conversation.
    if (incoming.kind === "nothing" || (message.verb === "NOTICE" && !puppet.queries.has(person))) return;
    puppet.queries.add(person);
    this.network.momentary.watched.watch(connection, person);
    scope.events.push({
      kind: "message",
      ...caused,
      sender,
      content: incoming.content,
      ...answered(message),
      directTo: puppet.user,
    });
  }
}

function causedBy(message: IrcMessage, channel: ChannelId, scope: LineScope): Caused {
  const at = timeOf(message);
  return { id: RemoteMessageId(msgidOf(message) ?? scope.id), channel, ...(at === undefined ? {} : { at }) };
}
