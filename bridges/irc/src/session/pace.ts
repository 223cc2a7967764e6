import type { FloodLimits } from "./flood-control.js";

/** What a server that has cut us off is given at least, in lines a second. */
const SLOWEST = 0.2;
/** So long without being cut off, and the pace is raised again by as much as it was lowered. */
const FORGIVEN_MS = 15 * 60_000;
/** A line so long counts as one; servers bound the bytes that wait as well (RecvQ, often 8 KiB). */
const LINE_BYTES = 320;

/** How fast the connections of a network write: as configured, and more slowly once the server has cut one off for it. */
export class Pace implements FloodLimits {
  #halvings = 0;
  #since = 0;

  constructor(
    private readonly configured: FloodLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get burst(): number {
    return Math.max(1, Math.floor(this.configured.burst / 2 ** this.#lowered()));
  }

  get linesPerSecond(): number {
    const { linesPerSecond } = this.configured;
    return Math.max(Math.min(SLOWEST, linesPerSecond), linesPerSecond / 2 ** this.#lowered());
  }

  /** The server has cut a connection off for writing too fast. */
  flooded(): void {
    this.#halvings = Math.min(8, this.#lowered() + 1);
    this.#since = this.now();
  }

  #lowered(): number {
    return Math.max(0, this.#halvings - Math.floor((this.now() - this.#since) / FORGIVEN_MS));
  }
}

/** What a line of so many bytes costs. */
export function costOf(bytes: number): number {
  return Math.max(1, bytes / LINE_BYTES);
}
