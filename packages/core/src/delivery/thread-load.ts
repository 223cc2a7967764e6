/** How long one look takes in, in milliseconds. */
const lookMs = 25;
/** So much of what is known is the last look: a moment of hard work is no load. */
const weight = 0.2;
/** From the one on the load is high, and below the other no longer. */
const high = 0.92;
const low = 0.8;

/** Whether this thread has hardly a moment to itself, lately. */
export class ThreadLoad {
  #lookedAt = 0;
  #last = performance.eventLoopUtilization();
  /** The share of the time in which it worked. */
  #share = 0;
  #isHigh = false;

  get isHigh(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt >= lookMs) {
      const current = performance.eventLoopUtilization();
      this.#share += weight * (performance.eventLoopUtilization(current, this.#last).utilization - this.#share);
      this.#last = current;
      this.#lookedAt = now;
      this.#isHigh = this.#share >= (this.#isHigh ? low : high);
    }
    return this.#isHigh;
  }
}
