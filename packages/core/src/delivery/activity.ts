/** So often it is written at most, in milliseconds: whoever looks takes it with a pinch of salt. */
const everyMs = 1_000;
const mostLanes = 10_000;

/** When it was last written down that a lane is in use. */
export class Activity {
  readonly #writtenAt = new Map<string, number>();

  /** Whether it is to be written down again. */
  isDue(direction: number, lane: string, now: number): boolean {
    const key = `${direction} ${lane}`;
    const before = this.#writtenAt.get(key);
    if (before !== undefined && Math.abs(now - before) < everyMs) return false;
    if (this.#writtenAt.size >= mostLanes) this.#writtenAt.clear();
    this.#writtenAt.set(key, now);
    return true;
  }
}
