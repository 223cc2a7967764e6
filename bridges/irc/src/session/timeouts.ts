/** Timers of one owner, which end with it. */
export class Timeouts {
  readonly #open = new Set<NodeJS.Timeout>();
  #hasOnce = false;

  after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#open.delete(timer);
      run();
    }, ms);
    this.#open.add(timer);
  }

  /** The first of these calls counts. */
  once(ms: number, run: () => void): void {
    if (!this.#hasOnce) this.after(ms, run);
    this.#hasOnce = true;
  }

  clear(): void {
    for (const timer of this.#open) clearTimeout(timer);
    this.#open.clear();
  }
}
