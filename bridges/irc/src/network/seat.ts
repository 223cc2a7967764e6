import type { Connection, Ending } from "../session/connection.js";
import type { FloodControl, Priority } from "../session/flood-control.js";
import { worthOf } from "../session/error-texts.js";
import { withResolvers } from "../session/joins.js";

/** Connections that lasted so long begin their waits anew when they end. */
const STABLE_MS = 10_000;
/** A server that has gone is looked for so often at least, in the first moments: most are back soon. */
const LOOK_EVERY_MS = 1_000;
const FIRST_LOOKS = 12;
/** What a server that throttles is given at least. */
const THROTTLED_MS = 30_000;
/** What a server that bars us is given at least: somebody has to look. */
const BARRED_MS = 600_000;

export interface SeatOptions {
  readonly open: () => Connection;
  /** Shared by all of a network: how fast connections may be opened. */
  readonly connects: FloodControl;
  readonly priority: Priority;
  /** The same where nobody waits for it. */
  readonly comingBack: Priority;
  /** Others wait for what this one finds. */
  readonly isLookout?: boolean;
  /** In milliseconds. */
  readonly retryMin: number;
  readonly retryMax: number;
  readonly report: (state: "connecting" | "connected" | "waiting" | "failed" | "closed", detail?: string) => void;
}

interface Waiting {
  readonly resolve: (connection: Connection | undefined) => void;
  /** By the monotonic clock. */
  readonly until: number;
}

/** Somebody who is to be connected: the bot or a puppet. Opens a connection, and another when it ends. */
export class Seat {
  readonly channels = new Map<string, string>();
  #connection: Connection | undefined;
  #attempts = 0;
  #readySince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #trouble = "";
  /** Nothing is wrong but that the server does not answer. */
  #isOnlyAway = false;
  /** When the next connection will be tried, by the monotonic clock. */
  #retryAt = 0;
  #waiting: Waiting[] = [];

  constructor(private readonly options: SeatOptions) {}

  get connection(): Connection | undefined {
    return this.#connection?.ready ? this.#connection : undefined;
  }

  /** The connection, whatever it is doing. */
  get current(): Connection | undefined {
    return this.#connection;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Why there is no connection, for a person. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Takes over a connection of the process before. */
  adopt(connection: Connection): void {
    this.#connection = connection;
    for (const [folded, name] of connection.view.channels) this.channels.set(folded, name);
    this.isReady();
  }

  /** `isAwaited`: somebody wants to speak, and goes before those who only come back. */
  connect(isAwaited = false): void {
    if (isAwaited) {
      this.#cancel?.();
      this.#cancel = undefined;
    }
    if (this.#stopped || this.#connection || this.#cancel || this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.options.report("connecting");
    const opening = new AbortController();
    const cancel = this.options.connects.schedule(
      isAwaited ? this.options.priority : this.options.comingBack,
      1,
      () => {
        opening.abort();
        this.#cancel = undefined;
        this.#connection = this.options.open();
      },
    );
    if (!opening.signal.aborted) this.#cancel = cancel;
  }

  /** Resolves to a connection that is ready, or to `undefined` after `ms`, when `signal` is aborted, or where it is hopeless. */
  async use(ms: number, signal: AbortSignal): Promise<Connection | undefined> {
    if (this.connection) return this.connection;
    if (this.#stopped || signal.aborted || this.#retryAt - performance.now() > ms) return undefined;
    this.connect(true);
    const { promise, resolve } = withResolvers<Connection | undefined>();
    const waiting: Waiting = { resolve, until: performance.now() + ms };
    this.#waiting.push(waiting);
    const giveUp = () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      resolve(undefined);
    };
    const timer = setTimeout(giveUp, ms);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }

  isReady(): void {
    this.#readySince = performance.now();
    this.#trouble = "";
    this.options.report("connected");
    for (const { resolve } of this.#waiting.splice(0)) resolve(this.#connection);
  }

  /** The connection ended: opens another after a while. */
  ended(connection: Connection, ending: Ending): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#trouble = ending.reason;
    if (this.#stopped) {
      this.options.report("closed");
      return;
    }
    if (ending.wasReady && this.#readySince !== undefined && performance.now() - this.#readySince >= STABLE_MS)
      this.#attempts = 0;
    this.#isOnlyAway = !ending.barred && worthOf(ending.reason) === "soon";
    const wait = this.#wait(ending);
    this.#retryAt = performance.now() + wait;
    const hopeless = this.#waiting.filter(({ until }) => until < this.#retryAt);
    this.#waiting = this.#waiting.filter(({ until }) => until >= this.#retryAt);
    for (const { resolve } of hopeless) resolve(undefined);
    this.#attempts++;
    const isHopeless = ending.barred || worthOf(ending.reason) === "never";
    this.options.report(isHopeless ? "failed" : "waiting", ending.reason);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.connect();
    }, wait);
  }

  /** Somebody else has found the server there again: no need to wait any longer for that, unless the server wants it. */
  serverIsBack(): void {
    if (!this.#timer || !this.#isOnlyAway) return;
    this.#clear();
    this.#retryAt = 0;
    this.connect();
  }

  /** The holder is gone and with it the connection, or the session is taken up anew. */
  lost(): void {
    this.#connection?.detach();
    this.#connection = undefined;
    this.#clear();
  }

  /** Closes for good. */
  stop(reason: string): void {
    this.#stopped = true;
    this.#clear();
    if (this.#connection) this.#connection.quit(reason);
    else this.options.report("closed");
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
  }

  /** Lets go of the connection; the holder keeps it. */
  detach(): void {
    this.#stopped = true;
    this.lost();
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(ending: Ending): number {
    const { retryMin, retryMax } = this.options;
    const most =
      this.options.isLookout === true && this.#attempts < FIRST_LOOKS ? Math.max(retryMin, LOOK_EVERY_MS) : retryMax;
    const backOff =
      Math.min(retryMax, most, retryMin * 2 ** Math.min(this.#attempts, 20)) * (0.8 + Math.random() * 0.4);
    const worth = ending.barred ? "never" : worthOf(ending.reason);
    if (worth === "never") return Math.max(backOff, BARRED_MS);
    return worth === "late" ? Math.max(backOff, THROTTLED_MS) : backOff;
  }
}
