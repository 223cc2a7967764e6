/** A small seeded generator of numbers in [0, 1): the same seed gives the same faults in every run. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
  }

  /** True with probability `chance`. */
  happens(chance: number): boolean {
    if (chance <= 0) return false;
    return chance >= 1 || this.next() < chance;
  }

  /** How many times something is repeated: the whole part of `amount`, and once more with the probability of its fraction. */
  repeats(amount: number): number {
    const whole = Math.floor(Math.max(0, amount));
    return whole + (this.happens(amount - whole) ? 1 : 0);
  }
}
