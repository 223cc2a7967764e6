/** Work of which only one piece is done at a time for each key, in the order in which it was asked for. */
export class TurnsByKey<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  async run<Result>(key: Key, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }

  /** Resolves when what is under way now has ended, in whichever way. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
