/** Ends a timer. Calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/** What the homeserver takes its time from. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once, `ms` milliseconds from now. */
  after(ms: number, callback: () => void): CancelTimer;
}

/** Longest delay that Node's timers can carry, in milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test advances it. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;
  #order = 0;

  /** @param start milliseconds since the epoch; default 2026-01-01T00:00:00Z */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): CancelTimer {
    const timer = { due: this.#now + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the next timer is due, in milliseconds since the epoch; `undefined` where none waits. */
  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /**
   * Moves the time on by `ms` milliseconds and calls what falls due, in order, each at its own time. What the calls
   * start and do not finish at once goes on afterwards: `Homeserver.advance` waits for it, this does not.
   */
  advance(ms: number): void {
    const until = this.#now + Math.max(0, ms);
    for (let timer = this.#next(); timer !== undefined && timer.due <= until; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.due);
      timer.callback();
    }
    this.#now = until;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}
