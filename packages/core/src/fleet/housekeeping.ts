import type { Clock } from "../delivery/clock.js";
import type { Logger } from "../log/logger.js";
import type { Store } from "../store/store.js";

const everyMs = 60_000;

/** Forgets what was delivered long ago: a generation of ids at a time. */
export class Housekeeping {
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    readonly store: Store,
    readonly clock: Clock,
    /** Asked each time: it may be configured anew. In milliseconds. */
    readonly remember: () => number,
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
      const now = this.clock.now();
      await this.store.commit([["forget", now - this.remember(), now]]);
    } catch (error) {
      this.log.warn({ err: error }, "Old ids could not be forgotten; tried again later");
    }
    if (!this.#stopped) this.start();
  }
}
