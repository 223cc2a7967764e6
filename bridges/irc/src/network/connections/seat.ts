import type { Connection, Ending } from "../../session/connection.js";
import type { FloodControl, Priority } from "../../session/flood-control.js";
import { worthOf } from "../../session/error-texts.js";
import { withResolvers } from "../../session/joins.js";

/** Connections that lasted so long begin their waits anew when they end. */
const STABLE_MS = 10_000;
/** A server that has gone is looked for whenever it was away for so much longer: most are back soon. */
const LOOK_AFTER_PART = 0.1;
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
  /** Whether somebody else is looking for the server now, and tells when it is there (`serverIsBack`). */
  readonly isLookedFor?: () => boolean;
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
  /** It had been let in before, and nothing was said against it. */
  #wasCutOff = false;
  /** Nothing is wrong but that the server does not answer. */
  #isOnlyAway = false;
  /** Since when, by the monotonic clock. */
  #awaySince = 0;
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

  /** Whether it looks for a server of which nothing is known but that it does not answer. */
  get isLooking(): boolean {
    return !this.#stopped && this.#isOnlyAway;
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
    if (opening.signal.aborted) return;
    this.#cancel = cancel;
    // Too many wait for their turn already.
    if (!cancel) this.#retryIn(this.options.retryMax);
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
    this.#isOnlyAway = false;
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
    this.#noteWhy(ending);
    const wait = this.#wait(ending);
    this.#retryIn(wait);
    const hopeless = this.#waiting.filter(({ until }) => until < this.#retryAt);
    this.#waiting = this.#waiting.filter(({ until }) => until >= this.#retryAt);
    for (const { resolve } of hopeless) resolve(undefined);
    const isHopeless = ending.barred || worthOf(ending.reason) === "never";
    this.options.report(isHopeless ? "failed" : "waiting", ending.reason);
  }

  /** Somebody else has found the server away: that is why this one was cut off as well. */
  serverIsAway(): void {
    if (this.#timer && this.#wasCutOff) this.#isOnlyAway = true;
  }

  /** Somebody else has found the server there again: no need to wait any longer for that, unless the server wants it. */
  serverIsBack(): void {
    if (!this.#timer || !this.#isOnlyAway) return;
    this.#clear();
    this.#retryAt = 0;
    this.connect(this.#waiting.length > 0);
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

  /** Whether there is anything to it but a server that has gone: one that has said something since does not want us now. */
  #noteWhy(ending: Ending): void {
    // A connection that never came about costs the network nothing.
    if (!ending.reached) this.options.connects.giveBack(1);
    const isHarmless = !ending.barred && worthOf(ending.reason) === "soon";
    this.#wasCutOff = ending.wasReady && isHarmless;
    const isOnlyAway = (this.#wasCutOff && this.#attempts === 0) || (isHarmless && !ending.answered);
    if (isOnlyAway && !this.#isOnlyAway) this.#awaySince = performance.now();
    this.#isOnlyAway = isOnlyAway;
  }

  #retryIn(ms: number): void {
    this.#retryAt = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Everybody at once would only be in the way of who looks for it.
      if (this.#isOnlyAway && this.options.isLookedFor?.() === true) this.#retryIn(this.#backOff());
      else this.connect(this.#waiting.length > 0);
    }, ms);
  }

  #wait(ending: Ending): number {
    const { retryMin, retryMax, isLookout } = this.options;
    if (isLookout === true && this.#isOnlyAway) {
      const away = performance.now() - this.#awaySince;
      return Math.max(retryMin, Math.min(retryMax, away * LOOK_AFTER_PART));
    }
    const backOff = this.#backOff();
    const worth = ending.barred ? "never" : worthOf(ending.reason);
    if (worth === "never") return Math.max(backOff, BARRED_MS);
    return worth === "late" ? Math.max(backOff, THROTTLED_MS) : backOff;
  }

  /** Longer each time, and never the same for two. */
  #backOff(): number {
    const { retryMin, retryMax } = this.options;
    const longest = Math.min(retryMax, retryMin * 2 ** Math.min(this.#attempts++, 20));
    return longest * (0.8 + Math.random() * 0.4);
  }
}
