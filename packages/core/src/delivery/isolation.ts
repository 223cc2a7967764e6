import type { Store } from "../store/store.js";
import { dead, type Entry, type Verdict } from "./entry.js";

/**
 * So many deaths in a row while it was worked on put an entry aside. Few would do for a guilty one; but whoever kills
 * the process from outside, again and again, hits the same innocent entry several times by chance.
 */
export const strikesAllowed = 10;

/**
 * Finds the entry that kills the process. When it died several times in a row, the entries that were under way run one
 * at a time, each marked on disk before it runs: one that is marked at three deaths is put aside.
 */
export class Isolation {
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly store: Store) {}

  run(entry: Entry, strikes: number, attempt: () => Promise<Verdict>): Promise<Verdict> {
    const mine = this.#last.then(() => this.#alone(entry, strikes, attempt));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #alone(entry: Entry, strikes: number, attempt: () => Promise<Verdict>): Promise<Verdict> {
    if (strikes >= strikesAllowed) {
      return dead(`Put aside: Trestle died ${strikes} times while it was working on this.`);
    }
    await this.store.commit([["strike", entry.seq]]);
    return attempt();
  }
}
