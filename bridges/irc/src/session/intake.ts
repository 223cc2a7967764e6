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

/** What waits for the disk; without a line there is nothing to acknowledge. */
type Waiting = TakenLine | { readonly connection?: never; readonly events: readonly NetworkEvent[] };

export interface IntakeOptions {
  /** Takes all of them or none. */
  readonly receive: (events: readonly NetworkEvent[]) => Promise<void>;
  readonly acknowledge: (connection: string, line: number, changes: readonly StateChange[]) => void;
  readonly log: Logger;
}

/**
 * Passes on what lines came to, and acknowledges them once that is on disk. What waits goes in one batch, in order, which
 * the disk takes or refuses as a whole; the next only follows when it is on disk. So a disk that refuses changes no order.
 */
export class Intake {
  readonly #waiting: Waiting[] = [];
  #running = false;
  readonly #stopped = new AbortController();
  readonly #idle: ((acknowledged: boolean) => void)[] = [];

  constructor(private readonly options: IntakeOptions) {}

  take(line: TakenLine): void {
    this.#take(line);
  }

  /** Passes on what no line tells, behind all that was taken. */
  tell(events: readonly NetworkEvent[]): void {
    this.#take({ events });
  }

  #take(waiting: Waiting): void {
    if (this.#stopped.signal.aborted) return;
    this.#waiting.push(waiting);
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

  #acknowledge(batch: readonly Waiting[]): void {
    const taken = batch.filter((each) => each.connection !== undefined);
    for (const connection of new Set(taken.map((line) => line.connection))) {
      const lines = taken.filter((line) => line.connection === connection);
      const last = lines.at(-1);
      if (last)
        this.options.acknowledge(
          connection,
          last.line,
          lines.flatMap(({ changes }) => changes),
        );
    }
  }

  /** Resolves when all of them are on disk; what is refused is passed on again. */
  async #passOn(events: readonly NetworkEvent[]): Promise<void> {
    let wait = RETRY_MIN_MS;
    while (events.length > 0 && !this.#stopped.signal.aborted) {
      try {
        await this.options.receive(events);
        return;
      } catch (error) {
        if (isMistake(error)) {
          await this.#withoutMistakes(events, error);
          return;
        }
        this.options.log.error({ err: error }, "events from IRC were not stored; trying again");
      }
      await delay(wait, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      wait = Math.min(wait * 2, RETRY_MAX_MS);
    }
  }

  /** What the core will never take must hold up nothing else. */
  async #withoutMistakes(events: readonly NetworkEvent[], error: unknown): Promise<void> {
    if (events.length > 1) for (const event of events) await this.#passOn([event]);
    else this.options.log.error({ err: error, kind: events[0]?.kind }, "an event from IRC is left out");
  }
}

/** Of an event as such, whatever the disk does. */
function isMistake(error: unknown): boolean {
  return error instanceof Error && error.name === "TypeError";
}
