/** How much one commit brings to its place at least, so that a run ends also where little comes. */
const least = 8;

/**
 * Brings index entries to their place in a large index in sorted runs: entries that come one by one in random order each
 * write a page of their own, those of a sorted run share pages. Until an entry is in its place it must be found elsewhere.
 */
export class SortedFold {
  #run: Float64Array | undefined;
  #at = 0;

  /** `place` takes positions of entries in the list that `begin` got. */
  constructor(readonly place: (indexes: Float64Array) => void) {}

  get busy(): boolean {
    return this.#run !== undefined;
  }

  begin(keys: readonly number[]): void {
    this.#run = Float64Array.from(keys.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
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
    this.place(run.subarray(this.#at, end));
    this.#at = end;
    if (end < run.length) return false;
    this.#run = undefined;
    return true;
  }

  reset(): void {
    this.#run = undefined;
  }
}
