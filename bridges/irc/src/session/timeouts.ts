/** Timers of one owner, which end with it. */
export class Timeouts {
  readonly #open = new Set<NodeJS.Timeout>();

  after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#open.delete(timer);
      run();
    }, ms);
    this.#open.add(timer);
  }

  clear(): void {
    for (const timer of this.#open) clearTimeout(timer);
    this.#open.clear();
  }
}
