import { Recent } from "./recent.js";

const hourMs = 3_600_000;

/** Keeps strangers from having rooms made without end: so many conversations may begin within an hour. */
export class Begins {
  readonly #counts = new Recent<number>(10_000);
  #hour = 0;
  #all = 0;

  constructor(
    private readonly mostOfOne: number,
    private readonly mostOfAll: number,
  ) {}

  /** Counts one; false where it is one too many. */
  mayBegin(person: string, now = Date.now()): boolean {
    const hour = Math.floor(now / hourMs);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#all = 0;
      this.#counts.clear();
    }
    const count = this.#counts.get(person) ?? 0;
    if (count >= this.mostOfOne || this.#all >= this.mostOfAll) return false;
    this.#counts.set(person, count + 1);
    this.#all += 1;
    return true;
  }
}
