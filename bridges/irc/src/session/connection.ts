import { randomBytes } from "node:crypto";
import type { Logger, NetworkEvent } from "@trestle/core";
import type { NetworkConfig } from "../config.js";
import type { HeldFrame, OpenOptions, StateChange } from "../holder/frames.js";
import type { HolderClient } from "../holder-client/holder-client.js";
import type { PendingFrame } from "../holder-client/link.js";
import { fold } from "../wire/casemapping.js";
import type { LineDecoder } from "../wire/encoding.js";
import { Isupport } from "../wire/isupport.js";
import { formatMessage, type IrcMessage, parseMessage } from "../wire/message.js";
import { cutToBytes } from "../wire/sanitise.js";
import { parseSource } from "../wire/source.js";
import { CapabilityChanges } from "./capability-changes.js";
import { decodeMeta, Deliveries, type DeliveryMeta, encodeMeta, encodeVerdict, type Verdict } from "./deliveries.js";
import { FloodControl, Priority } from "./flood-control.js";
import type { Intake } from "./intake.js";
import { type JoinOutcome, Joins } from "./joins.js";
import { JOIN_REFUSED, EFFECT_REFUSED, NICK_REFUSED, REGISTRATION_REFUSED } from "./numerics.js";
import { Registration } from "./registration.js";
import { BASE_KEY, CHANNEL_KEY, type ConnectionState, encodeState, type Role } from "./state.js";

/** Some servers send no message of the day: so long after the welcome we go on without its end. */
const NO_MOTD_MS = 3_000;
/** Without an echo after so long the server is asked whether it has dealt with the lines. */
const BARRIER_AFTER_MS = 2_000;
const VERDICT_WITHIN_MS = 20_000;

export interface ConnectionContext {
  readonly holder: HolderClient;
  readonly config: NetworkConfig;
  readonly open: OpenOptions;
  readonly decoder: LineDecoder;
  readonly intake: Intake;
  readonly log: Logger;
}

/** What whoever owns a connection is told. */
export interface ConnectionOwner {
  /** `nick` is about to be asked for: from now on it may be ours. */
  claiming(connection: string, nick: string): void;
  /** The next nick to try after `refused`; `undefined` gives up. */
  nextNick(refused: string, numeric: string): string | undefined;
  ready(connection: Connection): void;
  /** A line after the way in, before the connection itself takes note of it. */
  line(connection: Connection, message: IrcMessage, line: LineScope): void;
  ended(connection: Connection, ending: Ending): void;
}

export interface Ending {
  /** For a person. */
  readonly reason: string;
  /** Whether the server had let us in. */
  readonly wasReady: boolean;
  /** The server says that another try is of no use. */
  readonly barred: boolean;
}

/** Where a line's consequences are collected. */
export interface LineScope {
  /** Stable over redelivery, unique among all lines ever. */
  readonly id: string;
  /** Whether we sent it ourselves, on this connection. */
  readonly own: boolean;
  readonly events: NetworkEvent[];
  readonly changes: StateChange[];
}

/** Lines that are one effect, and what it takes to learn what became of them. */
export interface Effect extends DeliveryMeta {
  readonly key: string;
  /** As `formatMessage` makes them. */
  readonly lines: readonly string[];
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

/** One connection to an IRC server, from the first line to the last; it may begin in one process and go on in the next. */
export class Connection {
  readonly channels = new Map<string, string>();
  readonly capabilities = new Set<string>();
  readonly deliveries: Deliveries;
  readonly #joins: Joins;
  readonly #flood: FloodControl;
  readonly #capabilityChanges: CapabilityChanges;
  readonly #pingPrefix = `t${randomBytes(4).toString("hex")}-`;
  readonly #timers = new Set<NodeJS.Timeout>();
  #pings = 0;
  #phase: "opening" | "registering" | "ready" | "ended" = "opening";
  #registration: Registration | undefined;
  #nextLine = 1;
  #nick: string;
  #user: string | undefined;
  #host: string | undefined;
  #isupport = new Isupport();
  #error: string | undefined;
  #barred = false;
  #labels = new Map<string, string>();

  private constructor(
    readonly id: string,
    readonly role: Role,
    private readonly context: ConnectionContext,
    private readonly owner: ConnectionOwner,
    nick: string,
    tokens: number | undefined,
  ) {
    this.#nick = nick;
    this.#flood = new FloodControl(context.config.flood, tokens);
    this.#joins = new Joins((channels) => this.send(Priority.control, "JOIN", [channels]));
    this.#capabilityChanges = new CapabilityChanges(this.capabilities, (names) => this.send(Priority.control, "CAP", ["REQ", names]));
    this.deliveries = new Deliveries((key, verdict) => {
      if (verdict.verdict !== "unknown") context.holder.result(key, encodeVerdict(verdict));
    });
  }

  static open(role: Role, nick: string, context: ConnectionContext, owner: ConnectionOwner): Connection {
    const connection = new Connection(randomBytes(9).toString("base64url"), role, context, owner, nick, undefined);
    const state: StateChange = [BASE_KEY, encodeState(connection.#state("registering"))];
    context.holder.open(connection.id, context.open, [state]);
    return connection;
  }

  /** Goes on with a connection of the process before. */
  static resume(held: HeldFrame, state: ConnectionState, pending: readonly PendingFrame[], context: ConnectionContext, owner: ConnectionOwner): Connection {
    const connection = new Connection(held.connection, state.role, context, owner, state.nick, 1);
    connection.#phase = "ready";
    connection.#user = state.user;
    connection.#host = state.host;
    connection.#isupport = state.isupport;
    for (const name of state.capabilities) connection.capabilities.add(name);
    for (const [key, value] of held.state) {
      if (key.startsWith(CHANNEL_KEY) && value !== undefined) connection.channels.set(key.slice(CHANNEL_KEY.length), value);
    }
    for (const { key, meta } of pending) connection.deliveries.begin(key, decodeMeta(meta));
    return connection;
  }

  /** Asks the holder for what arrived meanwhile. Called once everything that `line` needs is in place. */
  attach(): void {
    this.context.holder.attach(this.id);
    if (this.deliveries.keys.length > 0) this.#barrier();
  }

  get nick(): string {
    return this.#nick;
  }

  get isupport(): Isupport {
    return this.#isupport;
  }

  get ready(): boolean {
    return this.#phase === "ready";
  }

  get ended(): boolean {
    return this.#phase === "ended";
  }

  /** `user@host` as others see it, as far as it is known. */
  get address(): { readonly user: string | undefined; readonly host: string | undefined } {
    return { user: this.#user, host: this.#host };
  }

  fold(text: string): string {
    return fold(text, this.#isupport.caseMapping);
  }

  isOwn(nick: string): boolean {
    return this.fold(nick) === this.fold(this.#nick);
  }

  join(channel: string): Promise<JoinOutcome> {
    const folded = this.fold(channel);
    if (this.channels.has(folded)) return Promise.resolve({ joined: true });
    if (this.#phase !== "ready") return Promise.resolve({ joined: false, numeric: "", reason: "not connected" });
    return this.#joins.join(folded, channel);
  }

  /** Writes one line when it is its turn; it is lost where the connection ends before. */
  send(priority: Priority, verb: string, params: readonly string[]): void {
    this.#flood.schedule(priority, 1, () => this.#write(formatMessage(verb, params)));
  }

  changeNick(nick: string): void {
    this.owner.claiming(this.id, nick);
    this.send(Priority.control, "NICK", [nick]);
  }

  /** Says goodbye and closes, without waiting. */
  quit(reason: string): void {
    this.context.holder.close(this.id, formatMessage("QUIT", [reason]));
  }

  /** Writes the lines of an effect and waits for the server's verdict. `undefined`: nothing was written. */
  async deliver(effect: Effect): Promise<Verdict | undefined> {
    const { key, signal, texts } = effect;
    const meta: DeliveryMeta = { target: this.fold(effect.target), texts };
    if (!(await this.#turn(effect.lines.length, effect.priority, signal))) return undefined;
    if (this.#phase !== "ready") return undefined;
    this.deliveries.begin(key, meta);
    const verdict = this.deliveries.verdictOf(key);
    const outcome = await this.context.holder.writeEffect(this.id, key, encodeMeta(meta), this.#bytesOf(effect));
    if (outcome === "gone") {
      this.deliveries.withdraw(key);
      return undefined;
    }
    const unwatch = this.#watch(key, texts.length > 0, signal);
    try {
      return await verdict;
    } finally {
      unwatch();
    }
  }

  opened(): void {
    if (this.#phase !== "opening") return;
    this.#phase = "registering";
    const { config } = this.context;
    const bot = this.role.kind === "bot";
    this.owner.claiming(this.id, this.#nick);
    this.#registration = new Registration({
      nick: this.#nick,
      username: config.username,
      realname: bot ? config.realname : config.puppetRealname.replaceAll("{user}", () => this.role.user ?? "").replaceAll("{name}", () => this.role.name ?? ""),
      password: config.password,
      sasl: bot ? config.sasl : undefined,
      write: (line) => this.#write(line),
      onSaslFailed: (reason) => {
        this.#barred = true;
        this.#fail(`signing in as ${config.sasl?.account ?? ""} failed: ${reason}`);
      },
    });
    this.#after(config.timeouts.register * 1000, () => {
      if (this.#phase === "registering") this.#fail("the server did not let us in in time");
    });
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
    this.#phase = "ended";
    for (const timer of this.#timers) clearTimeout(timer);
    this.#registration?.release();
    this.#flood.close();
    const said = this.#error ?? reason;
    this.#joins.end(said);
    this.deliveries.end(said);
    void this.context.intake.idle().then((acknowledged) => {
      if (acknowledged) this.context.holder.forget(this.id);
    });
    this.owner.ended(this, { reason: said, wasReady, barred: this.#barred });
  }

  /** The process lets go of the connection; the holder keeps it. */
  detach(): void {
    this.#phase = "ended";
    for (const timer of this.#timers) clearTimeout(timer);
    this.#registration?.release();
    this.#flood.close();
    this.#joins.end("the bridge stops");
    this.deliveries.end("the bridge stops");
  }

  #line(number: number, text: string): void {
    const message = parseMessage(text);
    const scope: LineScope = {
      id: `${this.id}:${number}`,
      own: message !== undefined && message.source !== "" && this.isOwn(parseSource(message.source).nick),
      events: [],
      changes: [],
    };
    if (message) {
      try {
        if (this.#phase === "ready") {
          this.owner.line(this, message, scope);
          this.#note(message, scope);
        } else {
          this.#register(message, text, scope);
        }
      } catch (error) {
        this.context.log.error({ err: error, verb: message.verb }, "a line from IRC could not be understood");
      }
    }
    this.context.intake.take({ connection: this.id, line: number, events: scope.events, changes: scope.changes });
  }

  #register(message: IrcMessage, text: string, scope: LineScope): void {
    const { verb, params } = message;
    if (verb === "ERROR") this.#error = params.at(-1);
    if (NICK_REFUSED.has(verb)) {
      const next = this.owner.nextNick(this.#nick, verb);
      if (next === undefined) {
        this.#fail(`the server takes none of the nicks: ${params.at(-1) ?? verb}`);
        return;
      }
      this.#nick = next;
      this.owner.claiming(this.id, next);
      this.#write(formatMessage("NICK", [next]));
      return;
    }
    if (REGISTRATION_REFUSED.has(verb)) {
      this.#barred = true;
      this.#error = params.at(-1);
    }
    this.#registration?.line(text);
    if (verb === "001") this.#welcomed(params);
    else if (verb === "005") this.#isupport.take(params);
    else if (verb === "376" || verb === "422") scope.changes.push(...this.#becomeReady());
  }

  #welcomed(params: readonly string[]): void {
    this.#nick = params[0] ?? this.#nick;
    const mask = parseSource(/\S+!\S+@\S+$/.exec(params.at(-1) ?? "")?.[0] ?? "");
    this.#user = mask.user;
    this.#host = mask.host;
    this.#after(NO_MOTD_MS, () => {
      if (this.#phase === "registering") this.context.holder.state(this.id, this.#becomeReady());
    });
  }

  #becomeReady(): StateChange[] {
    this.#phase = "ready";
    for (const name of this.#registration?.capabilities ?? []) this.capabilities.add(name);
    this.#registration?.release();
    this.#registration = undefined;
    if (this.role.kind === "puppet") this.context.holder.filter(this.id, this.#nick);
    this.owner.ready(this);
    return [this.#baseChange()];
  }

  /** Keeps our own picture of the connection. */
  #note(message: IrcMessage, scope: LineScope): void {
    const { verb, params, source } = message;
    if (this.#response(message, scope.own)) return;
    const channel = params[0] ?? "";
    switch (verb) {
      case "JOIN":
        if (scope.own) this.#joined(channel, source, scope);
        return;
      case "PART":
        if (scope.own) this.#leftChannel(channel, scope);
        return;
      case "KICK":
        if (this.isOwn(params[1] ?? "")) this.#leftChannel(channel, scope);
        return;
      case "NICK":
        if (!scope.own) return;
        this.#nick = params[0] ?? this.#nick;
        scope.changes.push(this.#baseChange());
        return;
      case "396":
      case "CHGHOST":
        this.#noteHost(message, scope);
        return;
      case "005":
        this.#isupport.take(params);
        scope.changes.push(this.#baseChange());
        return;
      case "CAP":
        if (this.#capabilityChanges.take(params)) scope.changes.push(this.#baseChange());
        return;
      case "PONG":
        this.#ponged(params.at(-1) ?? "");
        return;
      case "ERROR":
        this.#error = params.at(-1);
        return;
      default:
        this.#refusal(verb, params);
    }
  }

  /** Whether the line answered a labelled command and said nothing else. */
  #response(message: IrcMessage, own: boolean): boolean {
    const { verb, params, tags } = message;
    if (verb === "BATCH") {
      const reference = params[0] ?? "";
      const label = tags.get("label");
      if (reference.startsWith("+") && label !== undefined && this.#labels.size < 1000) this.#labels.set(reference.slice(1), label);
      else this.#labels.delete(reference.slice(1));
      return true;
    }
    const label = tags.get("label") ?? this.#labels.get(tags.get("batch") ?? "");
    const isMessage = verb === "PRIVMSG" || verb === "NOTICE";
    if (label !== undefined) {
      if ((own && isMessage) || verb === "ACK") return this.deliveries.labelled(label, "sent", tags.get("msgid"));
      if (/^[45]\d\d$|^FAIL$/.test(verb)) return this.deliveries.labelled(label, { refused: params.at(-1) ?? verb }, undefined);
    }
    if (own && isMessage) this.deliveries.seen(this.fold(params[0] ?? ""), params[1] ?? "", tags.get("msgid"));
    return false;
  }

  #joined(channel: string, source: string, scope: LineScope): void {
    const folded = this.fold(channel);
    const { user, host } = parseSource(source);
    const learnt = user !== this.#user || host !== this.#host;
    this.#user = user ?? this.#user;
    this.#host = host ?? this.#host;
    if (learnt) scope.changes.push(this.#baseChange());
    this.channels.set(folded, channel);
    scope.changes.push([CHANNEL_KEY + folded, channel]);
    this.#joins.settle(folded, { joined: true });
  }

  #leftChannel(channel: string, scope: LineScope): void {
    const folded = this.fold(channel);
    this.channels.delete(folded);
    scope.changes.push([CHANNEL_KEY + folded, undefined]);
  }

  #noteHost({ verb, params }: IrcMessage, scope: LineScope): void {
    if (verb === "CHGHOST") {
      if (!scope.own) return;
      this.#user = params[0] ?? this.#user;
      this.#host = params[1] ?? this.#host;
    } else {
      const shown = params[1] ?? "";
      const at = shown.lastIndexOf("@");
      this.#host = shown.slice(at + 1) || this.#host;
      if (at > 0) this.#user = shown.slice(0, at);
    }
    scope.changes.push(this.#baseChange());
  }

  #refusal(verb: string, params: readonly string[]): void {
    const target = this.fold(params[1] ?? "");
    const reason = params.at(-1) ?? verb;
    if (JOIN_REFUSED.has(verb) && !this.channels.has(target)) this.#joins.settle(target, { joined: false, numeric: verb, reason });
    if (EFFECT_REFUSED.has(verb)) this.deliveries.refused(target, reason);
    if (NICK_REFUSED.has(verb)) {
      const next = this.owner.nextNick(params[1] ?? "", verb);
      if (next !== undefined && !this.isOwn(next)) this.changeNick(next);
    }
  }

  #ponged(token: string): void {
    if (!token.startsWith(this.#pingPrefix)) return;
    this.deliveries.barrierPassed(
      Number(token.slice(this.#pingPrefix.length)),
      this.capabilities.has("echo-message")
        ? { verdict: "refused", reason: "the server took the message and did not show it" }
        : { verdict: "sent", id: undefined },
    );
  }

  /** Asks the server for a sign that it has dealt with everything written so far. */
  #barrier(): void {
    this.#flood.schedule(Priority.control, 0.5, () => {
      this.#pings++;
      this.deliveries.barrierSet(this.#pings);
      this.#write(formatMessage("PING", [`${this.#pingPrefix}${this.#pings}`]));
    });
  }

  /** Makes sure that a verdict comes; returns what ends the watch. */
  #watch(key: string, isShown: boolean, signal: AbortSignal): () => void {
    const waits = isShown && (this.capabilities.has("echo-message") || this.role.kind === "puppet");
    if (!waits) this.#barrier();
    const giveUp = () => this.deliveries.giveUp(key, "the server has not said what became of it");
    const stops = [waits ? this.#after(BARRIER_AFTER_MS, () => this.#barrier()) : () => undefined, this.#after(VERDICT_WITHIN_MS, giveUp)];
    signal.addEventListener("abort", giveUp, { once: true });
    return () => {
      for (const stop of stops) stop();
      signal.removeEventListener("abort", giveUp);
    };
  }

  /** Resolves to `true` when `lines` lines may be written, to `false` when they must not be any more. */
  #turn(lines: number, priority: Priority, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve(false);
        return;
      }
      const cancel = this.#flood.schedule(priority, lines, () => {
        signal.removeEventListener("abort", stop);
        resolve(true);
      });
      const stop = () => {
        cancel?.();
        resolve(false);
      };
      if (cancel) signal.addEventListener("abort", stop, { once: true });
      else resolve(false);
    });
  }

  #bytesOf({ key, lines, texts }: Effect): Buffer {
    const labels = this.capabilities.has("labeled-response") && texts.length > 0;
    const whole = lines.map((line, index) => `${labels ? `@label=${key}.${index} ` : ""}${this.#fit(line)}\r\n`);
    return Buffer.from(whole.join(""), "utf8");
  }

  #write(line: string): void {
    this.context.holder.write(this.id, Buffer.from(`${this.#fit(line)}\r\n`, "utf8"));
  }

  /** A server would cut the line itself, in the middle of a character. */
  #fit(line: string): string {
    return cutToBytes(line, this.#isupport.lineLength - 2);
  }

  #state(phase: "registering" | "ready"): ConnectionState {
    return { role: this.role, phase, nick: this.#nick, user: this.#user, host: this.#host, capabilities: [...this.capabilities], isupport: this.#isupport };
  }

  #baseChange(): StateChange {
    return [BASE_KEY, encodeState(this.#state("ready"))];
  }

  #fail(reason: string): void {
    this.#error ??= reason;
    this.context.holder.close(this.id, "");
  }

  #after(ms: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }
}
