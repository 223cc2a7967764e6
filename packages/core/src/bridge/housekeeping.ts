import type { Clock } from "../delivery/clock.js";
import type { Logger } from "../log/logger.js";
import type { Store } from "../store/store.js";

const everyMs = 60_000;
const rowsAtOnce = 2_000;

/** Forgets, little by little, the ids of what was delivered long ago. */
export class Housekeeping {
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    readonly store: Store,
    readonly clock: Clock,
    readonly rememberMs: number,
    readonly log: Logger,
  ) {}

  start(): void {
    this.#cancel = this.clock.after(everyMs, () => {
      void this.#round();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #round(): Promise<void> {
    try {
      await this.store.commit([["forget", this.clock.now() - this.rememberMs, rowsAtOnce]]);
    } catch (error) {
      this.log.warn({ err: error }, "Old ids could not be forgotten; tried again later");
    }
    if (!this.#stopped) this.start();
  }
}
