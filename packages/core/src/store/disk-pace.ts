/** So many waits are looked at. */
const looked = 8;
/** A wait that takes longer is long, and one that takes longer than the other says all by itself, in milliseconds. */
const longMs = 1;
const veryLongMs = 100;

/** How fast the disk is, by the last waits for it: one that was long says little, others may have written as well. */
export class DiskPace {
  #took: number[] = [];

  took(milliseconds: number): void {
    this.#took.push(milliseconds);
    if (this.#took.length > looked) this.#took.shift();
  }

  get isFast(): boolean {
    const long = this.#took.filter((each) => each > longMs).length;
    return long < looked / 2 && this.#took.every((each) => each < veryLongMs);
  }
}
