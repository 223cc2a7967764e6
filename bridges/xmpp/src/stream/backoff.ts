/** Waits between attempts that double up to a longest one, each shortened at random by up to a half: many that lost the same server do not come back at once. */
export class Backoff {
  #attempt = 0;

  constructor(
    private readonly minMs: number,
    private readonly maxMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** How long to wait before the next attempt, in milliseconds. */
  next(): number {
    // 2^30 times any wait is beyond every longest one.
    const full = Math.min(this.maxMs, this.minMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return full * (1 - this.random() / 2);
  }

  /** The last attempt went well. */
  reset(): void {
    this.#attempt = 0;
  }
}
