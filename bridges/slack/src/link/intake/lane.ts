import type { RawReceived } from "@trestle/core";
import { compareTs } from "../sending/messages.js";

/** So many that the disk refused are tried again before what follows them; more are left to Slack. */
const mostOwed = 100;

const gatherRounds = 4;

interface Waiting {
  readonly raw: RawReceived;
  readonly at: string | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits the events of one channel in the order in which they came. One wave at a time is on its way to the disk, so
 * that nothing overtakes what the disk refused: that is tried again before whatever comes next, though Slack, which was
 * told of the failure, will send it again too.
 */
export class CommitLane {
  #owed: RawReceived[] = [];
  #waiting: Waiting[] = [];
  #running = false;

  /**
   * `receive` takes all of them or none. `gatherMs`: what comes within so short a time is put in the order in which it happened. Of several connections one
   * may bring the second event before the other brings the first.
   */
  constructor(
    readonly receive: (raws: readonly RawReceived[]) => Promise<void>,
    readonly gatherMs = 0,
  ) {}

  /** Whether nothing is under way and nothing is owed. */
  get idle(): boolean {
    return !this.#running && this.#owed.length === 0;
  }

  /** Resolves when it is on disk; rejects when the disk refused it, or something before it. `at`: when it happened, as Slack's `ts`. */
  commit(raw: RawReceived, at?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ raw, at, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      await this.#gather();
      const wave = this.#waiting.sort(byTime);
      this.#waiting = [];
      try {
        await this.#payOwed();
      } catch (error) {
        for (const each of wave) this.#refuse(each, error);
        continue;
      }
      await this.#take(wave);
    }
    this.#running = false;
  }

  /** A disk may refuse one thing and take the next: in one commit nothing overtakes anything. */
  async #take(wave: readonly Waiting[]): Promise<void> {
    try {
      await this.receive(wave.map(({ raw }) => raw));
      for (const { resolve } of wave) resolve();
    } catch (error) {
      if (wave.length > 1 && isHopeless(error)) await this.#takeEach(wave);
      else for (const each of wave) this.#refuse(each, error);
    }
  }

  /** One of them the core will never take. */
  async #takeEach(wave: readonly Waiting[]): Promise<void> {
    let refusal: { readonly error: unknown } | undefined;
    for (const each of wave) {
      try {
        if (refusal) throw refusal.error;
        await this.receive([each.raw]);
        each.resolve();
      } catch (error) {
        if (!isHopeless(error)) refusal = { error };
        this.#refuse(each, error);
      }
    }
  }

  /** Until nothing has come for a moment; in a steady stream not for long. */
  async #gather(): Promise<void> {
    if (this.gatherMs === 0) return;
    for (let round = 0, before = 0; round < gatherRounds && this.#waiting.length > before; round += 1) {
      before = this.#waiting.length;
      await new Promise((resolve) => setTimeout(resolve, this.gatherMs));
      // In a process that was held up the time is over before what has come by then was read.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #payOwed(): Promise<void> {
    for (let next = this.#owed[0]; next; next = this.#owed[0]) {
      await this.receive([next]);
      this.#owed.shift();
    }
  }

  #refuse({ raw, reject }: Waiting, error: unknown): void {
    // What the core will never take must hold up nobody.
    const known = this.#owed.some(({ id }) => id === raw.id);
    if (!isHopeless(error) && !known && this.#owed.length < mostOwed) this.#owed.push(raw);
    reject(error);
  }
}

function isHopeless(error: unknown): boolean {
  return error instanceof TypeError;
}

/** What has no time keeps its place behind what came before it. */
function byTime(a: Waiting, b: Waiting): number {
  return a.at === undefined || b.at === undefined ? 0 : compareTs(a.at, b.at);
}
