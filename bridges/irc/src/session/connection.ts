import { randomBytes } from "node:crypto";
import type { HeldFrame, OpenOptions, SocketEnds } from "../holder/frames.js";
import type { PendingFrame } from "../holder-client/link.js";
import { isLoopback } from "../wire/loopback.js";
import { formatMessage, type IrcMessage, parseMessage } from "../wire/message.js";
import { parseSource } from "../wire/source.js";
import { BatchTags } from "./batch-tags.js";
import { CapabilityChanges } from "./capability-changes.js";
import { decodeMeta, type Verdict } from "./deliveries.js";
import { Priority } from "./flood-control.js";
import { type JoinOutcome, Joins } from "./joins.js";
import { lineId } from "./line-id.js";
import { isFailedNick, JOIN_REFUSED, NICK_CHANGE_REFUSED, NICK_REFUSED, REGISTRATION_REFUSED } from "./numerics.js";
import type { ConnectionContext, ConnectionOwner, LineScope } from "./connection-owner.js";
import { type Effect, Outgoing } from "./outgoing.js";
import { OwnView } from "./own-view.js";
import { Identification } from "./sasl/identification.js";
import type { SignInResult } from "./sasl/credentials.js";
import { withoutSaslOf } from "./sasl/sign-in.js";
import { Registration } from "./registration.js";
import { realnameOf } from "./realname.js";
import { offeredStsPolicy } from "./sts.js";
import { CHANNEL_KEY, type ConnectionState, type Role } from "./state.js";
import { Timeouts } from "./timeouts.js";

export type { ConnectionContext, ConnectionOwner, Ending, LineScope } from "./connection-owner.js";

/** Some servers send no message of the day: so long after the welcome we go on without its end. */
const NO_MOTD_MS = 3_000;
/** ERROR is the last word of a server, which closes then; one that does not within so long is not waited for. */
const LAST_WORD_MS = 2_000;

/** One connection to an IRC server, from the first line to the last; it may begin in one process and go on in the next. */
export class Connection {
  readonly outgoing: Outgoing;
  readonly #joins: Joins;
  readonly #capabilityChanges: CapabilityChanges;
  readonly #batchTags = new BatchTags();
  readonly #timeouts = new Timeouts();
  #phase: "opening" | "registering" | "ready" | "ended" = "opening";
  #registration: Registration | undefined;
  #identification: Identification | undefined;
  #ends: SocketEnds | undefined;
  #nextLine = 1;
  /** The nick that was last asked for. */
  #wanted: string | undefined;
  #error: string | undefined;
  /** How far it came, for its owner. */
  readonly #course = { reached: false, answered: false, barred: false, rejected: false };

  private constructor(
    readonly id: string,
    readonly role: Role,
    readonly view: OwnView,
    private readonly context: ConnectionContext,
    private readonly owner: ConnectionOwner,
    tokens: number | undefined,
  ) {
    const { holder } = context;
    this.outgoing = new Outgoing({
      view,
      flood: context.flood,
      tokens,
      isOverheard: role.kind === "puppet",
      write: (data) => holder.write(id, data),
      writeEffect: (key, meta, data) => holder.writeEffect(id, key, meta, data),
      result: (key, result) => holder.result(key, result),
    });
    this.#joins = new Joins((params) => this.send(Priority.control, "JOIN", params));
    this.#capabilityChanges = new CapabilityChanges(view.capabilities, (names) =>
      this.send(Priority.control, "CAP", ["REQ", names]),
    );
  }

  static open(role: Role, nick: string, context: ConnectionContext, owner: ConnectionOwner): Connection {
    const id = randomBytes(9).toString("base64url");
    const connection = new Connection(id, role, new OwnView(role, nick, context.origin), context, owner, undefined);
    context.holder.open(id, context.open, [connection.view.change("registering")]);
    return connection;
  }

  /** Goes on with a connection of the process before. */
  static resume(
    held: HeldFrame,
    state: ConnectionState,
    pending: readonly PendingFrame[],
    context: ConnectionContext,
    owner: ConnectionOwner,
  ): Connection {
    // It may have used its burst a moment ago.
    const connection = new Connection(
      held.connection,
      state.role,
      OwnView.restore(state, held.state),
      context,
      owner,
      1,
    );
    connection.#phase = "ready";
    Object.assign(connection.#course, { reached: true, answered: true });
    for (const { key, meta } of pending) connection.outgoing.deliveries.begin(key, decodeMeta(meta));
    return connection;
  }

  /** Asks the holder for what arrived meanwhile. Called once everything that `line` needs is in place. */
  attach(): void {
    this.context.holder.attach(this.id);
    if (this.outgoing.deliveries.keys.length > 0) this.outgoing.barrier();
    if (this.context.isOutdated?.(this.view.origin)) this.quit("Reconnecting with other settings");
  }

  /** Where it was opened to. */
  get server(): Pick<OpenOptions, "host" | "port" | "tls"> {
    return this.context.open;
  }

  get username(): string {
    return this.context.username;
  }

  /** Unknown while the socket is being connected. */
  get ends(): SocketEnds | undefined {
    return this.#ends;
  }

  get ready(): boolean {
    return this.#phase === "ready";
  }

  get ended(): boolean {
    return this.#phase === "ended";
  }

  join(channel: string): Promise<JoinOutcome> {
    const folded = this.view.fold(channel);
    if (this.view.channels.has(folded)) return Promise.resolve({ joined: true });
    if (this.#phase !== "ready") return Promise.resolve({ joined: false, numeric: "", reason: "not connected" });
    return this.#joins.join(folded, channel, this.context.keyOf(folded));
  }

  /** Leaves a channel; from now on a `join` joins it anew. */
  part(channel: string, reason: string): void {
    const folded = this.view.fold(channel);
    const name = this.view.channels.get(folded);
    if (name === undefined) return;
    this.view.channels.delete(folded);
    this.context.holder.state(this.id, [[CHANNEL_KEY + folded, undefined]]);
    this.send(Priority.control, "PART", [name, reason]);
  }

  /** Writes one line when it is its turn; it is lost where the connection ends before. */
  send(priority: Priority, verb: string, params: readonly string[]): void {
    this.outgoing.send(priority, verb, params);
  }

  /** Writes the lines of an effect and waits for the server's verdict. `undefined`: nothing was written. */
  async deliver(effect: Effect): Promise<Verdict | undefined> {
    return this.#phase === "ready" ? await this.outgoing.deliver(effect) : undefined;
  }

  changeNick(nick: string): void {
    this.#wanted = nick;
    this.owner.claiming(this.id, nick);
    this.send(Priority.control, "NICK", [nick]);
  }

  /** Says goodbye and closes, without waiting. */
  quit(reason: string): void {
    this.context.holder.close(this.id, formatMessage("QUIT", [reason]));
  }

  /** The socket is connected. */
  dialled(ends: SocketEnds): void {
    this.#ends = ends;
    this.#course.reached = true;
  }

  /** The holder has connected: the way in begins. */
  opened(): void {
    if (this.#phase !== "opening") return;
    this.#phase = "registering";
    const { config, credentials, open } = this.context;
    const confidential = open.tls || isLoopback(open.host);
    this.owner.claiming(this.id, this.view.nick);
    this.#registration = new Registration({
      nick: this.view.nick,
      username: this.context.username,
      realname: realnameOf(config, this.role),
      password: config.password,
      credentials,
      confidential,
      withoutSasl: withoutSaslOf(config.identify, credentials, confidential),
      write: (line) => this.outgoing.writeNow(line),
      onSignIn: (result) => this.#signedIn(result),
    });
    this.#timeouts.after(config.timeouts.register * 1000, () => {
      if (this.#phase === "registering") this.#fail("the server did not let us in in time");
    });
    if (this.context.webirc !== undefined) this.outgoing.writeNow(this.context.webirc);
    this.#registration.begin();
  }

  lines(first: number, lines: readonly Buffer[]): void {
    lines.forEach((bytes, index) => {
      const number = first + index;
      if (number < this.#nextLine || this.#phase === "ended") return;
      this.#nextLine = number + 1;
      this.#line(number, this.context.decoder.decode(bytes));
    });
  }

  closed(reason: string): void {
    if (this.#phase === "ended") return;
    const wasReady = this.#phase === "ready";
    const said = this.#error ?? reason;
    this.#end(said);
    // Only when its last line is on disk may the holder forget it.
    void this.context.intake.idle().then((acknowledged) => {
      if (acknowledged) this.context.holder.forget(this.id);
    });
    this.owner.ended(this, { reason: said, wasReady, ...this.#course });
  }

  /** The process lets go of the connection; the holder keeps it. */
  detach(): void {
    this.#end("the bridge stops");
    this.outgoing.deliveries.end("the bridge stops");
  }

  #end(reason: string): void {
    this.#phase = "ended";
    this.#timeouts.clear();
    this.#registration?.release();
    this.#registration = undefined;
    this.#identification?.end();
    this.#joins.end(reason);
    this.outgoing.close();
  }

  #line(number: number, text: string): void {
    const message = this.#batchTags.complete(parseMessage(text));
    const own = message !== undefined && this.view.isOwnLine(message);
    const scope: LineScope = { id: lineId(this.id, number), own, events: [], changes: [] };
    if (message) {
      try {
        if (this.#phase === "ready") this.#take(message, scope);
        else this.#register(message, text);
      } catch (error) {
        this.context.log.error({ err: error, verb: message.verb }, "a line from IRC could not be understood");
      }
    }
    this.context.intake.take({ connection: this.id, line: number, events: scope.events, changes: scope.changes });
  }

  #register(message: IrcMessage, text: string): void {
    const { verb, params } = message;
    if (verb === "ERROR") this.#lastWord(params);
    if (verb === "CAP" && params[1] === "LS" && this.#wantsTls(params.at(-1) ?? "")) {
      this.#fail("the server wants TLS");
      return;
    }
    if (!this.#course.answered && verb !== "ERROR") this.owner.answered?.();
    this.#course.answered = true;
    if (NICK_REFUSED.has(verb) || isFailedNick(message)) {
      this.#nickRefused(verb, params.at(-1) ?? verb);
      return;
    }
    if (REGISTRATION_REFUSED.has(verb)) {
      this.#course.barred = true;
      this.#error ??= params.at(-1);
    }
    if (this.#identification) {
      this.#beforeReady(message, this.#identification);
      return;
    }
    this.#registration?.line(text, message);
    if (verb === "001") this.#welcomed(params);
    else if (verb === "004") this.view.introduced(params);
    else if (verb === "005") this.view.isupport.take(params);
    else if (verb === "376" || verb === "422") this.#letIn();
  }

  /** A line between the welcome and the account's confirmation: what it says of ourselves is not kept with the holder yet. */
  #beforeReady(message: IrcMessage, identification: Identification): void {
    const own = this.view.isOwn(parseSource(message.source).nick);
    if (message.verb === "NICK" && own) this.owner.claiming(this.id, message.params[0] ?? "");
    this.view.note(message, own, []);
    identification.take(message);
  }

  #signedIn(result: SignInResult): "go on" | "stop" {
    const enough = this.owner.signedIn?.(this, result) === "enough";
    if (result.signedIn) return enough ? "stop" : "go on";
    this.#course.rejected = result.rejected;
    this.#course.barred = result.rejected;
    const account = this.context.credentials?.account ?? "";
    this.#fail(`signing in as ${account} failed: ${result.reason}`, formatMessage("QUIT", ["Could not sign in"]));
    return "stop";
  }

  /** The way in is over, but for signing in where that has to follow. */
  #letIn(): void {
    const owed = this.#registration?.owedSignIn;
    if (!owed) {
      this.#becomeReady();
      return;
    }
    if (this.#identification) return;
    this.#identification = new Identification({
      ...owed,
      isOwn: (nick) => this.view.isOwn(nick),
      fold: (text) => this.view.fold(text),
      write: (line) => this.outgoing.writeNow(line),
      done: (result) => {
        if (this.#signedIn(result) === "go on") this.#becomeReady();
      },
    });
    this.#identification.begin();
  }

  #wantsTls(capabilities: string): boolean {
    const policy = offeredStsPolicy(capabilities);
    return policy !== undefined && this.context.onSts?.(policy) === true;
  }

  #nickRefused(numeric: string, text: string): void {
    this.owner.refused?.(this.id, this.view.nick);
    const next = this.owner.nextNick(this.view.nick, numeric);
    if (next === undefined) {
      this.#fail(`the server takes none of the nicks: ${text}`);
      return;
    }
    this.view.askedFor(next);
    this.owner.claiming(this.id, next);
    this.outgoing.writeNow(formatMessage("NICK", [next]));
  }

  #welcomed(params: readonly string[]): void {
    this.view.welcomed(params);
    this.#timeouts.after(NO_MOTD_MS, () => {
      if (this.#phase === "registering") this.#letIn();
    });
  }

  #becomeReady(): void {
    this.#phase = "ready";
    this.view.settled();
    for (const name of this.#registration?.capabilities ?? []) this.view.capabilities.add(name);
    this.#registration?.release();
    this.#registration = undefined;
    const { nick, isupport } = this.view;
    const rules = { nick, channels: isupport.channelPrefixes, ranks: isupport.statusPrefixes + isupport.prefixSymbols };
    if (this.role.kind === "puppet") this.context.holder.filter(this.id, rules);
    // The holder must know it before anything is written: otherwise the next process would give the connection up, and
    // what was just said on it would be in doubt.
    this.context.holder.state(this.id, [this.view.change("ready")]);
    this.owner.ready(this);
  }

  #take(message: IrcMessage, scope: LineScope): void {
    this.owner.line(this, message, scope);
    this.view.note(message, scope.own, scope.changes);
    this.outgoing.note(message, scope.own);
    const { verb, params } = message;
    if (verb === "JOIN" && scope.own) this.#joins.settle(this.view.fold(params[0] ?? ""), { joined: true });
    else if (verb === "CAP" && this.#capabilityChanges.take(params)) scope.changes.push(this.view.change("ready"));
    else if (verb === "ERROR") this.#lastWord(params);
    else this.#noteRefusal(verb, params);
  }

  #noteRefusal(verb: string, params: readonly string[]): void {
    const [addressee, subject = "", ...rest] = params;
    if (NICK_CHANGE_REFUSED.has(verb)) {
      // Not all of them name the nick.
      if (this.#wanted !== undefined && !this.view.isOwn(this.#wanted)) this.owner.refused?.(this.id, this.#wanted);
      return;
    }
    if (this.view.isupport.channelPrefixes.includes(subject.charAt(0))) {
      const target = this.view.fold(subject);
      if (JOIN_REFUSED.has(verb) && !this.view.channels.has(target)) this.#joins.refused(target, verb, rest);
      return;
    }
    if (verb === "FAIL" && addressee === "NICK") {
      this.#otherNick(rest.length > 1 ? (rest[0] ?? "") : "", verb);
      return;
    }
    // "*" is what one is called on the way in: a line of that time that is read again.
    if (!NICK_REFUSED.has(verb) || addressee === "*") return;
    this.#otherNick(subject, verb);
  }

  #otherNick(refused: string, verb: string): void {
    if (!this.view.isOwn(refused)) this.owner.refused?.(this.id, refused);
    const next = this.owner.nextNick(refused, verb);
    if (next !== undefined && !this.view.isOwn(next)) this.changeNick(next);
  }

  #lastWord(params: readonly string[]): void {
    this.#error ??= params.at(-1);
    this.#timeouts.once(LAST_WORD_MS, () => this.#fail("the server has ended the connection"));
  }

  /** `lastLine`: what the server is still told. */
  #fail(reason: string, lastLine = ""): void {
    this.#error ??= reason;
    this.context.holder.close(this.id, lastLine);
  }
}
