import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { errorCode } from "./error-code.js";
import { PuppetFilter } from "./filter.js";
import type { OpenOptions, StateChange, ToBridge, WriteOutcome } from "./frames.js";
import { headOf, type LineHead } from "./line-head.js";
import { LineSplitter } from "./line-splitter.js";

/** Unacknowledged lines beyond which the server's socket is no longer read. */
const MAX_KEPT_LINES = 4096;
const MAX_KEPT_BYTES = 2 * 1024 * 1024;
/** How many lines the bridge is given before it has acknowledged the first of them. */
const WINDOW_LINES = 512;
const MAX_STATE_KEYS = 200_000;
/** How long a server may take to close after the last line. */
const LINGER_MS = 2_000;
const LIVENESS_TOKEN = "trestle-holder";

/** One connection to an IRC server, with what arrived on it and was not acknowledged. */
export class HeldConnection {
  readonly state = new Map<string, string>();
  readonly #socket: Socket;
  readonly #splitter = new LineSplitter();
  #filter: PuppetFilter | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** The number of the first kept line; lines are numbered from 1. */
  #first = 1;
  /** The number of the next line to give to the bridge. */
  #next = 1;
  #attached = false;
  #opened = false;
  #closed: string | undefined;
  #closedTold = false;
  #failure: string | undefined;
  #lastHeard = Date.now();
  #pingedAt: number | undefined;
  #linger: NodeJS.Timeout | undefined;
  #connecting: NodeJS.Timeout | undefined;

  constructor(
    readonly id: string,
    private readonly options: OpenOptions,
    private readonly tell: (frame: ToBridge) => void,
    private readonly onClosed: () => void,
  ) {
    this.#socket = options.tls ? this.#dialTls() : this.#dialPlain();
    this.#connecting = setTimeout(() => {
      this.#fail(`no connection within ${options.connectTimeoutMs} ms`);
    }, options.connectTimeoutMs);
    this.#socket.on("data", (chunk) => this.#received(chunk));
    this.#socket.on("error", (error) => (this.#failure ??= describe(error)));
    this.#socket.on("close", () => this.#ended());
  }

  get open(): boolean {
    return this.#opened && this.#closed === undefined && !this.#socket.destroyed;
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** The lines that no bridge has acknowledged. */
  get unacknowledged(): readonly Buffer[] {
    return this.#kept;
  }

  change(changes: readonly StateChange[]): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.state.delete(key);
      else if (this.state.has(key) || this.state.size < MAX_STATE_KEYS) this.state.set(key, value);
    }
  }

  filterFor(nick: string): void {
    this.#filter = nick === "" ? undefined : new PuppetFilter(nick);
  }

  /** Gives the bridge what is kept, from the first unacknowledged line on. */
  attach(): void {
    this.#attached = true;
    this.#next = this.#first;
    this.#closedTold = false;
    if (this.open) this.tell({ type: "opened", connection: this.id });
    this.#flush();
  }

  detach(): void {
    this.#attached = false;
  }

  acknowledge(line: number): void {
    const count = Math.min(line - this.#first + 1, this.#kept.length);
    if (count <= 0) return;
    for (const kept of this.#kept.splice(0, count)) this.#keptBytes -= kept.length;
    this.#first += count;
    this.#next = Math.max(this.#next, this.#first);
    if (this.#socket.isPaused() && this.#kept.length < MAX_KEPT_LINES / 2 && this.#keptBytes < MAX_KEPT_BYTES / 2) {
      this.#lastHeard = Date.now();
      this.#socket.resume();
    }
    this.#flush();
  }

  write(data: Buffer, done: (outcome: WriteOutcome) => void): void {
    if (!this.open || !this.#socket.writable) {
      done("gone");
      return;
    }
    this.#socket.write(data, (error) => done(error ? "unsure" : "written"));
  }

  /** Writes a last line and closes, without waiting for long. */
  close(lastLine: string): void {
    if (this.#closed !== undefined) return;
    if (!this.#opened || lastLine === "") {
      this.#failure ??= "closed by the bridge";
      this.#socket.destroy();
      return;
    }
    this.#failure ??= "closed by the bridge";
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#socket.end(`${lastLine}\r\n`);
    this.#linger ??= setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  /** Asks a silent server for a sign of life, and gives up on one that does not answer. */
  checkLiveness(now: number): void {
    if (!this.open || this.#socket.isPaused()) return;
    const silent = now - this.#lastHeard;
    if (this.#pingedAt === undefined) {
      if (silent < this.options.pingAfterMs) return;
      this.#pingedAt = now;
      this.#socket.write(`PING :${LIVENESS_TOKEN}\r\n`);
    } else if (now - this.#pingedAt >= this.options.pingTimeoutMs) {
      this.#fail(`the server was silent for ${Math.round(silent / 1000)} s`);
    }
  }

  #dialPlain(): Socket {
    const socket = connectPlain(this.#address());
    socket.once("connect", () => this.#connected());
    return socket;
  }

  #dialTls(): Socket {
    const { host, ca, serverName, insecure } = this.options;
    const name = serverName ?? host;
    const socket = connectTls({
      ...this.#address(),
      ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: !insecure,
      minVersion: "TLSv1.2",
    });
    socket.once("secureConnect", () => this.#connected());
    return socket;
  }

  #address() {
    const { host, port, localAddress } = this.options;
    return { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  }

  #connected(): void {
    clearTimeout(this.#connecting);
    this.#opened = true;
    this.#lastHeard = Date.now();
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, 60_000);
    if (this.#attached) this.tell({ type: "opened", connection: this.id });
  }

  #received(chunk: Buffer): void {
    this.#lastHeard = Date.now();
    this.#pingedAt = undefined;
    const lines = this.#splitter.push(chunk);
    if (!lines) {
      this.#fail("the server sent a line that is too long");
      return;
    }
    for (const line of lines) this.#take(line);
    if (this.#kept.length >= MAX_KEPT_LINES || this.#keptBytes >= MAX_KEPT_BYTES) this.#socket.pause();
    this.#flush();
  }

  #take(line: Buffer): void {
    const head = headOf(line);
    if (head.command === "PING") {
      if (this.#socket.writable) this.#socket.write(pongFor(line, head));
      return;
    }
    if (isLivenessAnswer(line, head)) return;
    if (this.#filter && !this.#filter.keeps(line, head)) return;
    this.#kept.push(line);
    this.#keptBytes += line.length;
  }

  #flush(): void {
    if (!this.#attached) return;
    const from = this.#next - this.#first;
    const until = Math.min(this.#kept.length, WINDOW_LINES);
    if (until > from) {
      this.tell({ type: "lines", connection: this.id, first: this.#next, lines: this.#kept.slice(from, until) });
      this.#next = this.#first + until;
    }
    if (this.#closed !== undefined && !this.#closedTold && this.#next === this.#first + this.#kept.length) {
      this.#closedTold = true;
      this.tell({ type: "closed", connection: this.id, reason: this.#closed });
    }
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#socket.destroy();
  }

  #ended(): void {
    clearTimeout(this.#connecting);
    clearTimeout(this.#linger);
    this.#closed = this.#failure ?? "the server closed the connection";
    this.#flush();
    this.onClosed();
  }
}

function pongFor(line: Buffer, head: LineHead): Buffer {
  const token = line.subarray(head.parameters).filter((byte) => byte !== 0x0d && byte !== 0);
  return Buffer.concat([Buffer.from("PONG "), token, Buffer.from("\r\n")]);
}

function isLivenessAnswer(line: Buffer, head: LineHead): boolean {
  return head.command === "PONG" && line.includes(LIVENESS_TOKEN, head.parameters);
}

function describe(error: Error): string {
  const code = errorCode(error);
  return code !== undefined && !error.message.includes(code) ? `${error.message} (${code})` : error.message;
}
