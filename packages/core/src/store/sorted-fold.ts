/** How much one commit brings to its place at most. */
const slice = 256;

/**
 * Brings index entries to their place in a large index in sorted runs: entries that come one by one in random order each
 * write a page of their own, those of a sorted run share pages. Until an entry is in its place it must be found elsewhere.
 */
export class SortedFold {
  #run: Float64Array | undefined;
  #at = 0;

  /** `place` takes the position of an entry in the list that `begin` got. */
  constructor(readonly place: (index: number) => void) {}

  get busy(): boolean {
    return this.#run !== undefined;
  }

  begin(keys: readonly number[]): void {
    this.#run = Float64Array.from(keys.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    this.#at = 0;
  }

  /** Brings some to their place; `true` when these were the last. */
  advance(most = slice): boolean {
    const run = this.#run;
    if (!run) return false;
    const end = Math.min(run.length, this.#at + most);
    for (; this.#at < end; this.#at += 1) this.place(run[this.#at] ?? 0);
    if (this.#at < run.length) return false;
    this.#run = undefined;
    return true;
  }

  reset(): void {
    this.#run = undefined;
  }
}
