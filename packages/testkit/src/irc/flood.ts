import type { FloodRules } from "./limits.js";

/** How far one client is ahead of its allowance: each command costs one, and the rate forgives. */
export class FloodGate {
  #debt = 0;
  #at = 0;

  /** Lets one command pass and returns 0, or returns in how many milliseconds the next may. */
  admit(rules: FloodRules, now: number): number {
    this.#debt = Math.max(0, this.#debt - ((now - this.#at) / 1000) * rules.rate);
    this.#at = now;
    if (this.#debt + 1 <= rules.threshold) {
      this.#debt += 1;
      return 0;
    }
    return Math.ceil(((this.#debt + 1 - rules.threshold) / rules.rate) * 1000) + 1;
  }
}
