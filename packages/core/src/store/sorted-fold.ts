/** How much one commit brings to its place at least, so that a run ends also where little comes. */
const least = 8;

/**
 * Brings index entries to their place in a large index in sorted runs: entries that come one by one in random order each
 * write a page of their own, those of a sorted run share pages. Until an entry is in its place it must be found elsewhere.
 */
export class SortedFold {
  /** Keys in their order, each with the position of its entry in the place of its last digits: numbers sort by themselves. */
  #run: Float64Array | undefined;
  #positions = 1;
  #at = 0;
  #keptAt = 0;

  /** `place` takes positions of entries in the list that `begin` got. */
  constructor(readonly place: (positions: Uint32Array) => void) {}

  get busy(): boolean {
    return this.#run !== undefined;
  }

  /** `keys` are whole numbers up to 2^53 - 1. */
  begin(keys: readonly number[]): void {
    const positions = 2 ** Math.ceil(Math.log2(Math.max(1, keys.length)));
    const run = new Float64Array(keys.length);
    for (let position = 0; position < keys.length; position += 1) {
      const key = keys[position] ?? 0;
      run[position] = key - (key % positions) + position;
    }
    this.#run = run.sort();
    this.#positions = positions;
    this.#at = 0;
  }

  /**
   * Brings some to their place, in proportion to the `added` entries of this commit: a run is over long before the next
   * is due, and no commit takes much longer than others. `true` when these were the last.
   */
  advance(added: number): boolean {
    const run = this.#run;
    if (!run) return false;
    const end = Math.min(run.length, this.#at + Math.max(least, 4 * added));
    const positions = new Uint32Array(end - this.#at);
    for (let at = 0; at < positions.length; at += 1) positions[at] = (run[this.#at + at] ?? 0) % this.#positions;
    this.place(positions);
    this.#at = end;
    if (end < run.length) return false;
    this.#run = undefined;
    return true;
  }

  /** What is in its place is there on disk. */
  keep(): void {
    this.#keptAt = this.#at;
  }

  /** What came to its place since `keep`, in the same run, is not there. */
  undo(): void {
    this.#at = this.#keptAt;
  }

  reset(): void {
    this.#run = undefined;
  }
}
