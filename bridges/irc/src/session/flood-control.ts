/** What goes first when a connection must wait: lower numbers. PONG never waits, the holder answers it. */
export const Priority = { control: 0, query: 1, channel: 2 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

/** Lines that wait beyond this are refused, so that a queue cannot grow without end. */
const MAX_WAITING = 2_000;

interface Waiting {
  readonly cost: number;
  readonly run: () => void;
  readonly dropped: (() => void) | undefined;
}

export interface FloodLimits {
  readonly burst: number;
  readonly linesPerSecond: number;
}

/** A token bucket with priorities: lines leave at once while there are tokens, then at the rate the server takes. */
export class FloodControl {
  readonly #queues: readonly Waiting[][] = [[], [], []];
  #tokens: number;
  #filledAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #waiting = 0;
  /** Since when lines have had to wait, by the monotonic clock. */
  #fullSince: number | undefined;
  #closed = false;

  /** `tokens` is what a connection begins with; one that was taken over may have used its burst a moment ago. */
  constructor(
    private readonly limits: FloodLimits,
    tokens = limits.burst,
  ) {
    this.#tokens = Math.min(tokens, limits.burst);
  }

  /**
   * Runs `run` when it is its turn, or `dropped` when the queue is closed before; returns `undefined` where too many
   * wait, else what takes it back.
   */
  schedule(priority: Priority, cost: number, run: () => void, dropped?: () => void): (() => void) | undefined {
    if (this.#closed || this.#waiting >= MAX_WAITING) return undefined;
    const queue = this.#queues[priority];
    if (!queue) return undefined;
    const waiting: Waiting = { cost, run, dropped };
    queue.push(waiting);
    this.#waiting++;
    this.#drain();
    return () => {
      const at = queue.indexOf(waiting);
      if (at === -1) return;
      queue.splice(at, 1);
      this.#waiting--;
    };
  }

  /** Takes from what is left over now: nothing waits, and half of a burst remains. Returns whether there was so much. */
  takeSpare(cost: number): boolean {
    if (this.#closed || this.#waiting > 0) return false;
    this.#fill();
    if (this.#tokens - cost < this.limits.burst / 2) return false;
    this.#tokens -= cost;
    return true;
  }

  /** What `schedule` took turned out to cost nothing. */
  giveBack(cost: number): void {
    if (this.#closed) return;
    this.#fill();
    this.#tokens = Math.min(this.limits.burst, this.#tokens + cost);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drain();
  }

  /** For how long now whoever wanted to write had to wait, in milliseconds. */
  get fullForMs(): number {
    this.#fill();
    return this.#fullSince === undefined ? 0 : performance.now() - this.#fullSince;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#waiting = 0;
    for (const queue of this.#queues) for (const { dropped } of queue.splice(0)) dropped?.();
  }

  #drain(): void {
    if (this.#timer !== undefined) return;
    this.#fill();
    for (;;) {
      const queue = this.#queues.find(({ length }) => length > 0);
      const next = queue?.[0];
      if (!queue || !next) return;
      // Read anew each time: a server that cuts us off lowers the limits.
      const cost = Math.min(next.cost, this.limits.burst);
      if (this.#tokens < cost) {
        this.#waitFor(cost);
        return;
      }
      this.#tokens -= cost;
      queue.shift();
      this.#waiting--;
      next.run();
    }
  }

  #waitFor(cost: number): void {
    this.#fullSince ??= performance.now();
    const ms = Math.max(1, Math.ceil(((cost - this.#tokens) * 1000) / this.limits.linesPerSecond));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#drain();
    }, ms);
  }

  #fill(): void {
    const now = performance.now();
    this.#tokens = Math.min(
      this.limits.burst,
      this.#tokens + ((now - this.#filledAt) * this.limits.linesPerSecond) / 1000,
    );
    this.#filledAt = now;
    if (this.#waiting === 0 && this.#tokens >= this.limits.burst / 2) this.#fullSince = undefined;
  }
}
