const smallest = 1_024;

/** A set of whole numbers from 0 to 2^53 - 2 without an object for each of them, to which one only adds. */
export class NumberSet {
  /** Open addressing: each number plus one where its low bits say, or behind; 0 where nothing is. */
  #slots = new Float64Array(smallest);
  #size = 0;

  has(value: number): boolean {
    return this.#slots[this.#slotOf(value)] !== 0;
  }

  add(value: number): void {
    const slot = this.#slotOf(value);
    if (this.#slots[slot] !== 0) return;
    this.#slots[slot] = value + 1;
    this.#size += 1;
    if (2 * this.#size > this.#slots.length) this.#grow();
  }

  /** Where the number is, or would be. */
  #slotOf(value: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = value & mask;
    while (slots[slot] !== 0 && slots[slot] !== value + 1) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Float64Array(2 * before.length);
    for (const each of before) if (each !== 0) this.#slots[this.#slotOf(each - 1)] = each;
  }
}
