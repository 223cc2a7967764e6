import type { Clock } from "../clock.js";
import type { Faults } from "../faults/faults.js";
import type { Reply } from "./reply.js";

const MAX_ENTRIES = 200_000;
/** How many of a user's latest transaction ids Construct looks through. */
const LATEST = 3;

interface Entry {
  readonly answer: Reply | Promise<Reply>;
  readonly at: number;
}

/**
 * Answers to client transactions, in memory as with most homeservers: a restart may forget them. Every so often a sweep
 * removes what is older than the time between two sweeps, so that an answer lives one to two of these times.
 */
export class TransactionCache {
  readonly #answers = new Map<string, Entry>();
  readonly #latest = new Map<string, string[]>();
  #lastSweep: number;

  constructor(
    private readonly clock: Clock,
    private readonly faults: Faults,
  ) {
    this.#lastSweep = clock.now();
  }

  get size(): number {
    return this.#answers.size;
  }

  /** The answer under `key`; `make` is called where there is none yet. A failure is not kept. */
  once(key: string, make: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
    this.#sweep();
    const known = this.#answers.get(key);
    if (known !== undefined) return known.answer;
    const answer = make();
    const at = this.clock.now();
    this.#answers.set(key, { answer, at });
    if (this.#answers.size > MAX_ENTRIES) {
      const oldest = this.#answers.keys().next();
      if (oldest.done !== true) this.#answers.delete(oldest.value);
    }
    if (answer instanceof Promise) {
      answer.then(
        (settled) => this.#answers.set(key, { answer: settled, at }),
        () => this.#answers.delete(key),
      );
    }
    return answer;
  }

  /** Whether `txnId` is one of the three that `userId` used last. */
  isAmongLatest(userId: string, txnId: string): boolean {
    return this.#latest.get(userId)?.includes(txnId) === true;
  }

  addLatest(userId: string, txnId: string): void {
    this.#latest.set(userId, [...(this.#latest.get(userId) ?? []), txnId].slice(-LATEST));
  }

  clear(): void {
    this.#answers.clear();
    this.#latest.clear();
  }

  #sweep(): void {
    const { clientTransactionSweepMs: every } = this.faults;
    if (every <= 0) return;
    const passed = Math.floor((this.clock.now() - this.#lastSweep) / every);
    if (passed < 1) return;
    this.#lastSweep += passed * every;
    for (const [key, { at }] of this.#answers) {
      if (at <= this.#lastSweep - every) this.#answers.delete(key);
    }
  }
}
