import { refused, retry, uncertain, type Failure } from "@trestle/core";
import { Backoff } from "./backoff.js";
import { xml, type Element } from "./element.js";
import { messageOf } from "./errors.js";
import { Intake, type StanzaHandler } from "./intake.js";
import { KeepAlive } from "./keep-alive.js";
import { Requests, type Answer } from "./requests.js";
import { serialise } from "./serialise.js";
import type { RequestOptions, StreamState, XmppStream } from "./stream.js";

/** Times in milliseconds, and bounds. */
export interface StreamTuning {
  readonly connectTimeoutMs: number;
  /** For how long the server may take to end a stream that was closed. */
  readonly closeTimeoutMs: number;
  readonly silenceMs: number;
  readonly answerMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A connection that held for so long counts as a success: the next wait is short again. */
  readonly stableMs: number;
  /** For how long a server that says the address is taken is asked again: it may not know yet that our last connection is dead. */
  readonly conflictMs: number;
  readonly requestTimeoutMs: number;
  /** UTF-8 bytes of one stanza that we send. */
  readonly maxStanzaBytes: number;
  /** UTF-16 code units of one stanza that we take. */
  readonly maxStanzaLength: number;
  /** Bytes that wait to be taken by the system. */
  readonly maxBacklogBytes: number;
  readonly maxRequests: number;
  /** Stanzas that are being dealt with. */
  readonly maxInHand: number;
}

export const defaultTuning: StreamTuning = {
  connectTimeoutMs: 15_000,
  closeTimeoutMs: 3_000,
  silenceMs: 30_000,
  answerMs: 20_000,
  backoffMinMs: 500,
  backoffMaxMs: 60_000,
  stableMs: 10_000,
  conflictMs: 120_000,
  requestTimeoutMs: 30_000,
  maxStanzaBytes: 256 * 1024,
  maxStanzaLength: 4 * 1024 * 1024,
  maxBacklogBytes: 8 * 1024 * 1024,
  maxRequests: 10_000,
  maxInHand: 2_000,
};

/** Why a connection ended. */
export interface Ended {
  /** The condition of the error (RFC 6120 §4.9.3, §6.5) that the server sent. */
  readonly condition?: string;
  /** For a person. */
  readonly reason: string;
}

/** What a connection tells; each is called at once, `ended` exactly once and last. */
export interface ConnectionListener {
  readonly online: () => void;
  /** Something was read, whatever it was. */
  readonly alive: () => void;
  readonly stanza: (stanza: Element) => void;
  readonly ended: (ended: Ended) => void;
}

/** One connection to a server. */
export interface StreamConnection {
  /** How much is written but not yet taken by the system, in bytes. */
  readonly backlog: number;
  /** Resolves when the system has taken the text; rejects where nobody knows how much of it went out. */
  write(text: string): Promise<void>;
  /** Stops reading until `resume`: the server keeps what it has. */
  pause(): void;
  resume(): void;
  /** Ends it: what was written still goes out, and what comes until the other side has ended it too may still be told. */
  close(reason: string): void;
  /** Ends it at once. */
  destroy(reason: string): void;
}

export interface StreamOptions {
  readonly tuning?: Partial<StreamTuning>;
  /** Called for every stanza that is no answer to a query, in order. One that rejects has the connection opened anew. */
  readonly onStanza: StanzaHandler;
  readonly onState: (state: StreamState) => void;
  /** Called for every stanza that goes in or out, also answers to queries. */
  readonly onTraffic?: (direction: "in" | "out", stanza: Element) => void;
  /** Whether two addresses are the same to servers. */
  readonly sameAddress: (one: string, other: string) => boolean;
}

/** A stream that comes back after every loss, with growing waits, and stops where only a person can help. */
export abstract class ReconnectingStream implements XmppStream {
  protected readonly tuning: StreamTuning;
  readonly #options: StreamOptions;
  readonly #backoff: Backoff;
  readonly #requests: Requests;
  readonly #intake: Intake;
  readonly #keepAlive: KeepAlive;
  #connection: StreamConnection | undefined;
  #state: StreamState = { state: "closed" };
  #timer: NodeJS.Timeout | undefined;
  /** It is closed, or is being closed. */
  #closing: Promise<void> | undefined;
  /** Called when the connection that is being closed has ended. */
  #closed: (() => void) | undefined;
  #onlineSince = 0;
  #pingId: string | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    const tuning = { ...defaultTuning, ...options.tuning };
    this.tuning = tuning;
    this.#backoff = new Backoff(tuning.backoffMinMs, tuning.backoffMaxMs);
    this.#requests = new Requests(options.sameAddress, tuning.maxRequests);
    this.#intake = new Intake({
      handle: options.onStanza,
      most: tuning.maxInHand,
      pause: () => this.#connection?.pause(),
      resume: () => this.#connection?.resume(),
      failed: (error) => this.interrupt(`A stanza could not be dealt with: ${messageOf(error)}`),
    });
    this.#keepAlive = new KeepAlive({
      silenceMs: tuning.silenceMs,
      answerMs: tuning.answerMs,
      ping: () => this.#ping(),
      dead: () => this.#connection?.destroy(`The server said nothing for ${tuning.silenceMs + tuning.answerMs} ms`),
      isPaused: () => this.#intake.paused,
    });
  }

  abstract get address(): string;

  /** Opens a connection, which tells the listener nothing before it is returned. */
  protected abstract open(listener: ConnectionListener): StreamConnection;

  /** What a person must do before another attempt makes sense; `undefined` where it may go well by itself. */
  protected abstract hopeless(ended: Ended, wasOnline: boolean): string | undefined;

  /** What is asked of a server that is silent, under this id. */
  protected abstract ping(id: string): Element;

  /** What is written for a stanza. */
  protected outgoing(stanza: Element): Element {
    return stanza;
  }

  get state(): StreamState {
    return this.#state;
  }

  start(): void {
    if (this.#state.state !== "closed") return;
    this.#closing = this.#closed = undefined;
    this.#connect();
  }

  async send(stanza: Element): Promise<Failure | undefined> {
    const connection = this.#ready();
    if ("failed" in connection) return connection;
    const text = serialise(this.outgoing(stanza), this.tuning);
    if (typeof text !== "string") return text;
    this.#options.onTraffic?.("out", stanza);
    try {
      await connection.write(text);
      return undefined;
    } catch (error) {
      return uncertain(`The connection ended while a stanza was sent (${messageOf(error)})`);
    }
  }

  async request(iq: Element, options: RequestOptions = {}): Promise<Answer> {
    const { signal, timeoutMs = this.tuning.requestTimeoutMs } = options;
    const failed = (failure: Failure): Answer => ({ kind: "failure", failure });
    const { from, to } = iq.attrs;
    if (from === undefined || to === undefined) return failed(refused("A query without from and to was not sent."));
    if (signal?.aborted === true) return failed(retry(`${to} was not asked: it was given up before`));
    if (this.#requests.isFull) return failed(retry(`${to} was not asked: ${this.#requests.most} queries wait already`));
    const id = this.#requests.nextId();
    const asked = xml(iq.name, { ...iq.attrs, id }, ...iq.children);
    const answer = this.#requests.wait(id, asked, timeoutMs, signal);
    const failure = await this.send(asked);
    if (failure) this.#requests.fail(id, failure);
    return answer;
  }

  interrupt(reason: string): void {
    this.#connection?.destroy(reason);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#connection) {
      const ended = new Promise<void>((resolve) => (this.#closed = resolve));
      this.#connection.close("The stream was closed");
      await ended;
    } else if (this.#state.state !== "failed") this.#become({ state: "closed" });
    await this.#intake.idle();
  }

  /** The connection where stanzas may be written now; otherwise why surely nothing is sent. */
  #ready(): StreamConnection | Failure {
    const { state, detail } = this.#closing ? { state: "closing" } : this.#state;
    if (state !== "online" || !this.#connection)
      return retry(`Not connected to the XMPP server (${detail ?? state}); nothing was sent`);
    if (this.#connection.backlog <= this.tuning.maxBacklogBytes) return this.#connection;
    return retry("The XMPP server does not read what is sent; nothing more was sent", { afterMs: 1_000 });
  }

  #connect(): void {
    this.#become({ state: "connecting" });
    this.#connection = this.open({
      online: () => this.#online(),
      alive: () => this.#keepAlive.alive(),
      stanza: (stanza) => this.#received(stanza),
      ended: (ended) => this.#ended(ended),
    });
  }

  #online(): void {
    this.#onlineSince = performance.now();
    this.#keepAlive.start();
    this.#intake.restarted();
    this.#become({ state: "online" });
  }

  #ended(ended: Ended): void {
    const wasOnline = this.#state.state === "online";
    this.#connection = undefined;
    this.#keepAlive.stop();
    this.#requests.abandon(ended.reason);
    if (this.#closed) {
      this.#become({ state: "closed" });
      this.#closed();
      return;
    }
    const hopeless = this.hopeless(ended, wasOnline);
    if (hopeless !== undefined) {
      this.#become({ state: "failed", detail: hopeless });
      return;
    }
    if (wasOnline && performance.now() - this.#onlineSince >= this.tuning.stableMs) this.#backoff.reset();
    const wait = this.#backoff.next();
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#become({ state: "waiting", detail: `${ended.reason}; the next attempt is in ${(wait / 1000).toFixed(1)} s` });
  }

  #received(stanza: Element): void {
    this.#options.onTraffic?.("in", stanza);
    const { type, id, from, to } = stanza.attrs;
    if (stanza.name === "iq") {
      if (type === "result" || type === "error") {
        this.#requests.answered(stanza);
        return;
      }
      // Our own ping, which has come the whole way.
      if (id !== undefined && id === this.#pingId && from === this.address && to === this.address) return;
    }
    this.#intake.take(stanza);
  }

  #ping(): void {
    const id = this.#requests.nextId();
    this.#pingId = id;
    // A failure ends the connection, or the silence goes on and does.
    void this.send(this.ping(id));
  }

  #become(state: StreamState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
