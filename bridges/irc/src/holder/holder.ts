import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { BridgeSession, type SessionEvents } from "./bridge-session.js";
import { EffectRegister } from "./effect-register.js";
import type { ToBridge, ToHolder, WriteFrame, WriteOutcome } from "./frames.js";
import { HeldConnection } from "./held-connection.js";
import { LineStore } from "./line-store.js";
import type { Spool } from "./spool-format.js";

const LIVENESS_EVERY_MS = 1_000;
/** How long the last lines may take when the holder ends. */
const LAST_LINES_MS = 2_500;
/** How long a holder that has nothing to hold waits for a bridge. */
const IDLE_MS = 10_000;

export interface HolderOptions {
  readonly token: string;
  /** Until a bridge says otherwise. */
  readonly graceMs: number;
  readonly quit: string;
  /** What an earlier holder left. */
  readonly spool: Spool | undefined;
  /** Everything of the spool has reached a bridge. */
  readonly onSpoolDone: () => void;
  /** Called once, when the holder has ended, with what no bridge has acknowledged. */
  readonly onEnd: (spool: Spool) => void;
}

/** Keeps the connections to IRC servers while bridges come and go. */
export class Holder {
  readonly #connections = new Map<string, HeldConnection>();
  /** Connections of an earlier holder: lines without a socket. */
  readonly #spooled = new Map<string, LineStore>();
  readonly #forgetWhenClosed = new Set<string>();
  readonly #effects = new EffectRegister();
  readonly #instance: string;
  readonly #liveness: NodeJS.Timeout;
  #bridge: BridgeSession | undefined;
  #grace: NodeJS.Timeout | undefined;
  #graceMs: number;
  #quit: string;
  #ending = false;

  constructor(private readonly options: HolderOptions) {
    this.#graceMs = options.graceMs;
    this.#quit = options.quit;
    this.#instance = options.spool?.instance ?? randomBytes(8).toString("hex");
    for (const stored of options.spool?.connections ?? []) {
      this.#spooled.set(
        stored.id,
        LineStore.restore(stored, (frame) => this.#tell(frame)),
      );
    }
    this.#effects.restore(options.spool?.effects ?? []);
    this.#liveness = setInterval(() => {
      const now = Date.now();
      for (const connection of this.#connections.values()) connection.checkLiveness(now);
    }, LIVENESS_EVERY_MS);
    this.#waitForBridge();
  }

  accept(socket: Socket): void {
    if (this.#ending) {
      socket.destroy();
      return;
    }
    const events: SessionEvents = {
      proved: (session, frame) => {
        this.#graceMs = frame.graceMs;
        this.#quit = frame.quit;
        this.#welcome(session);
      },
      frame: (frame) => this.#handle(frame),
      ended: (session) => {
        if (session === this.#bridge) this.#left();
      },
    };
    new BridgeSession(socket, this.options.token, this.#instance, events);
  }

  /** Sends a last line on every connection, waits a moment for them to close, and ends. */
  end(lastLine: string): void {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#grace);
    clearInterval(this.#liveness);
    for (const connection of this.#connections.values()) connection.close(lastLine);
    const deadline = Date.now() + LAST_LINES_MS;
    const wait = setInterval(() => {
      const isOpen = [...this.#connections.values()].some(({ store }) => store.closed === undefined);
      if (isOpen && Date.now() < deadline) return;
      clearInterval(wait);
      this.#bridge?.end();
      this.options.onEnd({
        instance: this.#instance,
        connections: this.#stores().map(({ stored }) => stored),
        effects: this.#effects.stored,
      });
    }, 20);
  }

  #stores(): LineStore[] {
    return [...this.#spooled.values(), ...[...this.#connections.values()].map(({ store }) => store)];
  }

  #storeOf(connection: string): LineStore | undefined {
    return this.#connections.get(connection)?.store ?? this.#spooled.get(connection);
  }

  #welcome(session: BridgeSession): void {
    clearTimeout(this.#grace);
    this.#bridge?.replace();
    this.#bridge = session;
    for (const store of this.#stores()) {
      store.detach();
      session.send({ type: "held", connection: store.id, open: store.closed === undefined, state: [...store.state] });
    }
    for (const { key, connection, meta } of this.#effects.unresolved()) {
      session.send({ type: "pending", key, connection, meta, open: this.#isOpen(connection) });
    }
    session.send({ type: "ready" });
  }

  #left(): void {
    this.#bridge = undefined;
    for (const store of this.#stores()) store.detach();
    if (!this.#ending) this.#waitForBridge();
  }

  #waitForBridge(): void {
    const patience = this.#stores().length === 0 ? Math.min(IDLE_MS, this.#graceMs) : this.#graceMs;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => this.end(`QUIT :${this.#quit}`), patience);
  }

  #isOpen(connection: string): boolean {
    return this.#connections.get(connection)?.open ?? false;
  }

  #tell(frame: ToBridge): void {
    this.#bridge?.send(frame);
  }

  #handle(frame: ToHolder): void {
    switch (frame.type) {
      case "open":
        this.#open(frame);
        return;
      case "attach":
        (this.#connections.get(frame.connection) ?? this.#spooled.get(frame.connection))?.attach();
        return;
      case "write":
        this.#write(frame);
        return;
      case "ack":
        this.#storeOf(frame.connection)?.change(frame.changes);
        (this.#connections.get(frame.connection) ?? this.#spooled.get(frame.connection))?.acknowledge(frame.line);
        return;
      case "state":
        this.#storeOf(frame.connection)?.change(frame.changes);
        return;
      case "result":
        this.#effects.result(frame.key, frame.result);
        return;
      case "ask":
        void this.#answer(frame.request, frame.key);
        return;
      case "filter":
        this.#connections.get(frame.connection)?.filterFor(frame);
        return;
      case "close":
        this.#connections.get(frame.connection)?.close(frame.lastLine);
        return;
      case "forget":
        this.#forget(frame.connection);
        return;
      case "shutdown":
        this.end(frame.lastLine);
        return;
      case "hello":
      case "prove":
        return;
    }
  }

  #open(frame: Extract<ToHolder, { type: "open" }>): void {
    if (this.#connections.has(frame.connection)) return;
    const connection = new HeldConnection(
      frame.connection,
      frame.options,
      (told) => this.#tell(told),
      () => {
        if (this.#forgetWhenClosed.delete(frame.connection)) this.#connections.delete(frame.connection);
      },
    );
    connection.store.change(frame.state);
    this.#connections.set(frame.connection, connection);
    connection.attach();
  }

  #forget(id: string): void {
    const connection = this.#connections.get(id);
    if (connection && connection.store.closed === undefined) this.#forgetWhenClosed.add(id);
    else this.#connections.delete(id);
    if (this.#spooled.delete(id) && this.#spooled.size === 0) this.options.onSpoolDone();
  }

  #write(frame: WriteFrame): void {
    const connection = this.#connections.get(frame.connection);
    // One id for all effects of a connection, not the copy that came with each.
    if (frame.key !== "") this.#effects.begin(frame.key, connection?.store.id ?? frame.connection, frame.meta);
    const done = (outcome: WriteOutcome) => {
      if (frame.key !== "") this.#effects.settle(frame.key, outcome);
      if (frame.request !== 0) this.#tell({ type: "written", request: frame.request, outcome });
    };
    if (connection) connection.write(frame.data, done);
    else done("gone");
  }

  async #answer(request: number, key: string): Promise<void> {
    const asker = this.#bridge;
    const answer = await this.#effects.answer(key);
    if (asker !== this.#bridge) return;
    if (!answer) {
      this.#tell({ type: "answer", request, outcome: "unknown", connection: "", open: false, result: undefined });
      return;
    }
    const { connection, outcome, result } = answer;
    this.#tell({ type: "answer", request, outcome, connection, open: this.#isOpen(connection), result });
  }
}
