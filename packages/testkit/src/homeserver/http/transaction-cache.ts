import type { Reply } from "./reply.js";

const MAX_ENTRIES = 200_000;

/** Answers to client transactions, in memory as with every homeserver: a restart may forget them. Oldest leave first. */
export class TransactionCache {
  readonly #answers = new Map<string, Reply | Promise<Reply>>();

  get size(): number {
    return this.#answers.size;
  }

  /** The answer under `key`; `make` is called where there is none yet. A failure is not kept. */
  once(key: string, make: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = make();
    this.#answers.set(key, answer);
    if (this.#answers.size > MAX_ENTRIES) {
      const oldest = this.#answers.keys().next();
      if (oldest.done !== true) this.#answers.delete(oldest.value);
    }
    if (answer instanceof Promise) {
      answer.then(
        (settled) => this.#answers.set(key, settled),
        () => this.#answers.delete(key),
      );
    }
    return answer;
  }

  clear(): void {
    this.#answers.clear();
  }
}
