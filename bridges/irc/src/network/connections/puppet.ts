import { RemoteMessageId, type UserId } from "@trestle/core";
import type { StateChange } from "../../holder/frames.js";
import type { Connection, LineScope } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import type { IrcMessage } from "../../wire/message.js";
import { isServer, parseSource } from "../../wire/source.js";
import type { CtcpAnswers } from "../inward/ctcp.js";
import { personIdOf, queryIdOf } from "../ids.js";
import { answered, type Caused, reactionEvent, redactionEvent } from "../inward/incoming-events.js";
import { incomingText } from "../inward/incoming-text.js";
import { timeOf } from "../inward/listener.js";
import type { Members } from "../channels/members.js";
import { MultilineInbox } from "../inward/multiline-inbox.js";
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
  /** When the user last said something, by the monotonic clock. */
  spokeAt: number;
  /** Why the network does not take the account that the user has signed in to. */
  rejected?: string;
}

/** What a puppet hears: what is said to it alone, and what happens to itself. */
export class PuppetEars {
  readonly #inbox = new MultilineInbox();

  constructor(
    private readonly network: string,
    private readonly ctcp: CtcpAnswers,
    private readonly members: Members,
    private readonly isLinked: (channel: string) => boolean,
    /** A nick was given up. */
    private readonly renamed: (connection: Connection, from: string) => void,
  ) {}

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
      case "BATCH": {
        // What is said in channels the bot puts together.
        const isHere = !first.startsWith("+") || view.isOwn(message.params[2] ?? "");
        const whole = isHere ? this.#inbox.take(connection, message, scope.changes) : undefined;
        if (whole !== undefined && whole !== "kept") this.#query(puppet, connection, whole, scope);
        return;
      }
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
    if (this.isLinked(folded)) puppet.seat.channels.set(folded, channel);
    else connection.send(Priority.control, "PART", [channel, "Not linked"]);
  }

  #heard(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const isText = message.verb === "PRIVMSG" || message.verb === "NOTICE";
    const taken = isText ? this.#inbox.take(connection, message, scope.changes) : undefined;
    if (taken !== "kept") this.#query(puppet, connection, taken ?? message, scope);
  }

  #query(puppet: Puppet, connection: Connection, message: IrcMessage, scope: LineScope): void {
    const source = parseSource(message.source);
    if (isServer(source)) return;
    const folded = connection.view.fold(source.nick);
    const tagged = message.tags.get("account");
    const account = tagged === undefined ? this.members.accountOf(folded) : connection.view.fold(tagged);
    if (account !== undefined) this.members.met(account, source.nick);
    const person = account === undefined ? folded : `$${account}`;
    const at = timeOf(message);
    const caused: Caused = {
      id: RemoteMessageId(message.tags.get("msgid") ?? scope.id),
      channel: queryIdOf(this.network, person, puppet.user),
      ...(at === undefined ? {} : { at }),
    };
    const sender = { id: personIdOf(this.network, folded, account), name: source.nick };
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
