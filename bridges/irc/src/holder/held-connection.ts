import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { errorCode } from "./error-code.js";
import { PuppetFilter } from "./filter.js";
import type { FilterRules, OpenOptions, SocketEnds, ToBridge, WriteOutcome } from "./frames.js";
import { headOf, type LineHead } from "./line-head.js";
import { LineSplitter } from "./line-splitter.js";
import { LineStore } from "./line-store.js";

/** How long a server may take to close after the last line. */
const LINGER_MS = 2_000;
const LIVENESS_TOKEN = "trestle-holder";

/** One connection to an IRC server, with what arrived on it and was not acknowledged. */
export class HeldConnection {
  readonly store: LineStore;
  readonly #socket: Socket;
  readonly #splitter = new LineSplitter();
  #filter: PuppetFilter | undefined;
  #ends: SocketEnds | undefined;
  #opened = false;
  #failure: string | undefined;
  #lastHeard = Date.now();
  #pingedAt: number | undefined;
  #linger: NodeJS.Timeout | undefined;
  #connecting: NodeJS.Timeout | undefined;

  constructor(
    id: string,
    private readonly options: OpenOptions,
    private readonly tell: (frame: ToBridge) => void,
    private readonly onClosed: () => void,
  ) {
    this.store = new LineStore(id, tell);
    this.#socket = options.tls ? this.#dialTls() : this.#dialPlain();
    this.#connecting = setTimeout(() => {
      this.#fail(`no connection within ${options.connectTimeoutMs} ms`);
    }, options.connectTimeoutMs);
    // Before anybody is told that it is open.
    this.#socket.prependOnceListener("connect", () => this.#dialled());
    this.#socket.on("data", (chunk) => this.#received(chunk));
    this.#socket.on("error", (error) => (this.#failure ??= describe(error)));
    this.#socket.on("close", () => this.#ended());
  }

  /** Whether lines can be written. */
  get open(): boolean {
    return this.#opened && this.store.closed === undefined && !this.#socket.destroyed;
  }

  filterFor(rules: FilterRules): void {
    this.#filter = rules.nick === "" ? undefined : new PuppetFilter(rules);
  }

  attach(): void {
    if (this.#ends && this.store.closed === undefined)
      this.tell({ type: "dialled", connection: this.store.id, ...this.#ends });
    if (this.open) this.tell({ type: "opened", connection: this.store.id });
    this.store.attach();
  }

  acknowledge(line: number): void {
    this.store.acknowledge(line);
    if (!this.#socket.isPaused() || !this.store.hasRoom) return;
    this.#lastHeard = Date.now();
    this.#socket.resume();
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
    if (this.store.closed !== undefined) return;
    this.#failure ??= "closed by the bridge";
    if (!this.#opened || lastLine === "") {
      this.#socket.destroy();
      return;
    }
    this.#socket.resume();
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
    const { host, ca, serverName, insecure, fingerprints, clientCertificate: own } = this.options;
    const name = serverName ?? host;
    const socket = connectTls({
      ...this.#address(),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(ca === undefined ? {} : { ca }),
      ...(own === undefined ? {} : { cert: own.certificate, key: own.key }),
      rejectUnauthorized: !insecure && fingerprints.length === 0,
      minVersion: "TLSv1.2",
    });
    socket.once("secureConnect", () => {
      const shown = socket.getPeerX509Certificate()?.fingerprint256 ?? "";
      if (insecure || isPinned(shown, fingerprints)) {
        this.#connected();
        return;
      }
      this.#failure ??= `the server's certificate has the fingerprint ${shown}, which is none of those it may have`;
      socket.end();
      this.#linger ??= setTimeout(() => socket.destroy(), LINGER_MS);
    });
    return socket;
  }

  #address() {
    const { host, port, localAddress } = this.options;
    return { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  }

  #dialled(): void {
    const { localAddress, localPort, remoteAddress, remotePort } = this.#socket;
    // It may have broken at once.
    if (localAddress === undefined || localPort === undefined) return;
    if (remoteAddress === undefined || remotePort === undefined) return;
    this.#ends = { localAddress, localPort, remoteAddress, remotePort };
    if (this.store.attached) this.tell({ type: "dialled", connection: this.store.id, ...this.#ends });
  }

  #connected(): void {
    clearTimeout(this.#connecting);
    this.#opened = true;
    this.#lastHeard = Date.now();
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, 60_000);
    if (this.store.attached) this.tell({ type: "opened", connection: this.store.id });
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
    if (this.store.isFull && this.#linger === undefined) this.#socket.pause();
    this.store.flush();
  }

  #take(line: Buffer): void {
    const head = headOf(line);
    if (head.command === "PING") {
      if (this.#socket.writable) this.#socket.write(pongFor(line, head));
      return;
    }
    if (isLivenessAnswer(line, head)) return;
    if (this.#filter && !this.#filter.keeps(line, head)) return;
    this.store.keep(line);
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#socket.destroy();
  }

  #ended(): void {
    clearTimeout(this.#connecting);
    clearTimeout(this.#linger);
    this.store.close(this.#failure ?? "the server closed the connection");
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

function isPinned(fingerprint: string, pinned: readonly string[]): boolean {
  return pinned.length === 0 || pinned.includes(fingerprint.replaceAll(":", "").toLowerCase());
}

function describe(error: Error): string {
  const code = errorCode(error);
  return code !== undefined && !error.message.includes(code) ? `${error.message} (${code})` : error.message;
}
