import type { StateChange, ToBridge } from "./frames.js";

/** Unacknowledged lines beyond which the server's socket is no longer read. */
const MAX_KEPT_LINES = 4096;
const MAX_KEPT_BYTES = 2 * 1024 * 1024;
/** How many lines the bridge is given before it has acknowledged the first of them. */
const WINDOW_LINES = 512;
const MAX_STATE_KEYS = 200_000;

/** A connection as it can be written down: what a bridge still has to be told of it. */
export interface StoredConnection {
  readonly id: string;
  /** The number of the first line. */
  readonly first: number;
  readonly lines: readonly Buffer[];
  readonly state: readonly StateChange[];
  readonly closed: string;
}

/** What arrived on a connection and was not acknowledged, and what the bridge noted about it. */
export class LineStore {
  readonly state = new Map<string, string>();
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** The number of the first kept line; lines are numbered from 1. */
  #first = 1;
  /** The number of the next line to give to the bridge. */
  #next = 1;
  #attached = false;
  #closed: string | undefined;
  #closedTold = false;

  constructor(
    readonly id: string,
    private readonly tell: (frame: ToBridge) => void,
  ) {}

  static restore(stored: StoredConnection, tell: (frame: ToBridge) => void): LineStore {
    const store = new LineStore(stored.id, tell);
    store.change(stored.state);
    store.#kept = [...stored.lines];
    store.#keptBytes = stored.lines.reduce((sum, line) => sum + line.length, 0);
    store.#first = stored.first;
    store.#next = stored.first;
    store.#closed = stored.closed;
    return store;
  }

  /** Why the connection is closed; `undefined` while it is not. */
  get closed(): string | undefined {
    return this.#closed;
  }

  get attached(): boolean {
    return this.#attached;
  }

  get isFull(): boolean {
    return this.#kept.length >= MAX_KEPT_LINES || this.#keptBytes >= MAX_KEPT_BYTES;
  }

  /** Whether there is room enough to read on. */
  get hasRoom(): boolean {
    return this.#kept.length < MAX_KEPT_LINES / 2 && this.#keptBytes < MAX_KEPT_BYTES / 2;
  }

  get stored(): StoredConnection {
    const closed = this.#closed ?? "the connection holder ended";
    return { id: this.id, first: this.#first, lines: this.#kept, state: [...this.state], closed };
  }

  change(changes: readonly StateChange[]): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.state.delete(key);
      else if (this.state.has(key) || this.state.size < MAX_STATE_KEYS) this.state.set(key, value);
    }
  }

  /** Takes lines as they arrive; `flush` gives them to the bridge. */
  keep(line: Buffer): void {
    this.#kept.push(line);
    this.#keptBytes += line.length;
  }

  /** Gives the bridge what is kept, from the first unacknowledged line on. */
  attach(): void {
    this.#attached = true;
    this.#next = this.#first;
    this.#closedTold = false;
    this.flush();
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
    this.flush();
  }

  close(reason: string): void {
    this.#closed = reason;
    this.flush();
  }

  flush(): void {
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
}
