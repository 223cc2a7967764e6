/** Something that will happen; cancelling it after it happened does nothing. */
export interface Timer {
  cancel(): void;
}

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** `flowing`: time passes by itself and can be advanced on top; `frozen`: time passes only when it is advanced. */
export type ClockMode = "flowing" | "frozen";

const longestRealTimer = 2 ** 31 - 1;

/**
 * The emulator's time. Retries, limits, expiries and message timestamps follow it, so that a test makes five minutes
 * pass at once with {@link advance}.
 */
export class Clock {
  readonly #mode: ClockMode;
  readonly #start = Date.now();
  readonly #entries = new Set<Entry>();
  #offset = 0;
  #order = 0;
  #real: NodeJS.Timeout | undefined;

  constructor(mode: ClockMode = "flowing") {
    this.#mode = mode;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return (this.#mode === "frozen" ? this.#start : Date.now()) + this.#offset;
  }

  /** Whole seconds since the epoch. */
  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Runs something once, `delay` milliseconds from now; at the earliest in a later turn of the event loop. */
  after(delay: number, run: () => void): Timer {
    const entry: Entry = { due: this.now() + Math.max(0, delay), order: this.#order++, run };
    this.#entries.add(entry);
    this.#arm();
    return {
      cancel: () => {
        if (this.#entries.delete(entry)) this.#arm();
      },
    };
  }

  /**
   * Lets time pass at once; what falls due runs in its order. What it begins sees the new time: an app that is sent
   * something now has all its time to answer.
   */
  advance(milliseconds: number): void {
    this.#offset += milliseconds;
    const now = this.now();
    const due = [...this.#entries]
      .filter((entry) => entry.due <= now)
      .sort((a, b) => a.due - b.due || a.order - b.order);
    for (const entry of due) if (this.#entries.delete(entry)) entry.run();
    this.#arm();
  }

  /** Forgets everything that was still to happen. */
  close(): void {
    this.#entries.clear();
    clearTimeout(this.#real);
    this.#real = undefined;
  }

  #earliest(): Entry | undefined {
    let earliest: Entry | undefined;
    for (const entry of this.#entries) {
      if (
        earliest === undefined ||
        entry.due < earliest.due ||
        (entry.due === earliest.due && entry.order < earliest.order)
      )
        earliest = entry;
    }
    return earliest;
  }

  #arm(): void {
    clearTimeout(this.#real);
    this.#real = undefined;
    const next = this.#earliest();
    if (next === undefined) return;
    const wait = next.due - this.now();
    // On a frozen clock only what is due already runs by itself: a delay of 0 means "in the next turn".
    if (this.#mode === "frozen" && wait > 0) return;
    this.#real = setTimeout(() => this.#runDue(), Math.min(Math.max(0, wait), longestRealTimer));
  }

  #runDue(): void {
    this.#real = undefined;
    for (let next = this.#earliest(); next !== undefined && next.due <= this.now(); next = this.#earliest()) {
      this.#entries.delete(next);
      next.run();
    }
    this.#arm();
  }
}
