/** Work in order, for each key by itself: what is quick and has nobody before it is done at once. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves when this work is done; rejects where it does. What comes behind it is done all the same. */
  run(key: string, work: () => Promise<void> | undefined): Promise<void> | undefined {
    const before = this.#tails.get(key);
    const running = before ? before.then(work, work) : work();
    if (running === undefined) return undefined;
    this.#tails.set(key, running);
    const end = () => {
      if (this.#tails.get(key) === running) this.#tails.delete(key);
    };
    running.then(end, end);
    return running;
  }
}
