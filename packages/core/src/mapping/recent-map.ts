/** So many generations are full at most: what is kept beyond `max` is one of them. */
const fullGenerations = 3;

/**
 * The newest entries of a map, at least `max` of them and at most a third more. It forgets a whole generation at once: to
 * forget the oldest entry alone, a `Map` has to step over every hole that earlier deletions left.
 */
export class RecentMap<Value> {
  /** The newest first. */
  readonly #generations = [new Map<string, Value>()];
  readonly #generationSize: number;

  constructor(max: number) {
    this.#generationSize = Math.ceil(max / fullGenerations);
  }

  get(key: string): Value | undefined {
    for (const generation of this.#generations) {
      const value = generation.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  set(key: string, value: Value): void {
    let newest = this.#generations[0];
    if (newest === undefined || newest.size >= this.#generationSize) {
      newest = new Map();
      if (this.#generations.unshift(newest) > fullGenerations + 1) this.#generations.pop();
    }
    newest.set(key, value);
  }

  delete(key: string): void {
    for (const generation of this.#generations) generation.delete(key);
  }
}
