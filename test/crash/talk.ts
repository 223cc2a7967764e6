import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../tools/random.js";

/** Does the next thing; resolves when it has been handed over. */
export type Act = () => Promise<void> | void;

/** People who do something all the time, on both sides and in all places at once, without a pause. */
export class Talk {
  readonly #stopped = new AbortController();
  readonly #talks: Promise<void>[] = [];
  #failure: unknown;

  /**
   * @param sides what people of one place do on one side: one deed after the other, so that their order is known
   * @param everyMs milliseconds between two deeds of a side, on average
   */
  constructor(
    private readonly sides: readonly Act[],
    private readonly random: Random,
    private readonly everyMs: number,
  ) {}

  start(): void {
    // Everybody who talks listens to it.
    setMaxListeners(this.sides.length + 1, this.#stopped.signal);
    this.#talks.push(...this.sides.map((act) => this.#talk(act)));
  }

  /** Resolves when the last deed has been handed over; rejects when one could not be. */
  async stop(): Promise<void> {
    await this.abandon();
    if (this.#failure !== undefined) throw new Error("Somebody could not go on talking", { cause: this.#failure });
  }

  /** The same, whatever went wrong. */
  async abandon(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#talks);
  }

  async #talk(act: Act): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await act();
      } catch (error) {
        this.#failure ??= error;
        return;
      }
      await sleep(this.random.between(0, 2 * this.everyMs), undefined, { signal }).catch(() => undefined);
    }
  }
}
