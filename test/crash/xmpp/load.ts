import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../tools/random.js";
import { MatrixSide } from "./matrix-side.js";
import type { XmppWorld } from "./world.js";
import { XmppSide } from "./xmpp-side.js";

/** People who talk, answer, edit, react and take back in all places at once, on both sides, without a pause. */
export class Load {
  readonly #stopped = new AbortController();
  readonly #talks: Promise<void>[] = [];
  #failure: unknown;

  /** `everyMs`: milliseconds between two deeds in one place on one side, on average. */
  constructor(
    private readonly world: XmppWorld,
    private readonly random: Random,
    private readonly everyMs: number,
  ) {}

  start(): void {
    // Everybody who talks listens to it.
    setMaxListeners(2 * this.world.places.length + 1, this.#stopped.signal);
    for (const place of this.world.places) {
      const matrix = new MatrixSide(place, this.random);
      const xmpp = new XmppSide(place, this.random);
      this.#talks.push(
        this.#talk(() => matrix.act()),
        this.#talk(() => xmpp.act()),
      );
    }
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

  /** One deed after the other, so that their order is known; who does it changes. */
  async #talk(act: () => Promise<void> | void): Promise<void> {
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
