import { setTimeout as delay } from "node:timers/promises";
import type { Logger, NetworkEvent } from "@trestle/core";
import type { StateChange } from "../holder/frames.js";

/** How many lines are passed on together. */
const BATCH = 256;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** What one line came to. */
export interface TakenLine {
  readonly connection: string;
  readonly line: number;
  readonly events: readonly NetworkEvent[];
  readonly changes: readonly StateChange[];
}

export interface IntakeOptions {
  readonly receive: (event: NetworkEvent) => Promise<void>;
  readonly acknowledge: (connection: string, line: number, changes: readonly StateChange[]) => void;
  readonly log: Logger;
}

/**
 * Passes on what lines came to, and acknowledges them once that is on disk. What waits goes in one batch, in order; the
 * next batch only follows when the whole batch is on disk, so that a disk that refuses cannot change the order.
 */
export class Intake {
  readonly #waiting: TakenLine[] = [];
  #running = false;
  readonly #stopped = new AbortController();
  readonly #idle: ((acknowledged: boolean) => void)[] = [];

  constructor(private readonly options: IntakeOptions) {}

  take(line: TakenLine): void {
    if (this.#stopped.signal.aborted) return;
    this.#waiting.push(line);
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => void this.#run());
  }

  /** Resolves to `true` when everything taken so far is acknowledged, to `false` when it will not be. */
  idle(): Promise<boolean> {
    if (this.#stopped.signal.aborted) return Promise.resolve(false);
    if (!this.#running) return Promise.resolve(true);
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** What is not on disk yet is not acknowledged: the holder gives it again. */
  stop(): void {
    this.#stopped.abort();
    this.#waiting.length = 0;
    for (const tell of this.#idle.splice(0)) tell(false);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      await this.#passOn(batch.flatMap(({ events }) => events));
      if (this.#stopped.signal.aborted) return;
      this.#acknowledge(batch);
    }
    this.#running = false;
    for (const tell of this.#idle.splice(0)) tell(true);
  }

  #acknowledge(batch: readonly TakenLine[]): void {
    for (const connection of new Set(batch.map((taken) => taken.connection))) {
      const lines = batch.filter((taken) => taken.connection === connection);
      const last = lines.at(-1);
      if (last)
        this.options.acknowledge(
          connection,
          last.line,
          lines.flatMap(({ changes }) => changes),
        );
    }
  }

  /** Resolves when every event is on disk; what the disk refused is passed on again, from the first refused on. */
  async #passOn(events: readonly NetworkEvent[]): Promise<void> {
    let rest = events;
    let wait = RETRY_MIN_MS;
    while (rest.length > 0 && !this.#stopped.signal.aborted) {
      const results = await Promise.allSettled(rest.map((event) => this.options.receive(event)));
      const refused = results.findIndex(({ status }) => status === "rejected");
      if (refused === -1) return;
      const result = results[refused];
      this.options.log.error(
        { err: result?.status === "rejected" ? result.reason : undefined },
        "an event from IRC was not stored; trying again",
      );
      rest = rest.slice(refused);
      await delay(wait, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      wait = Math.min(wait * 2, RETRY_MAX_MS);
    }
  }
}
