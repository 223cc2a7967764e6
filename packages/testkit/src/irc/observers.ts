import { usualPatienceMs } from "../patience.js";

export interface WaitOptions {
  /** 5000, times `TRESTLE_PATIENCE`, where absent. */
  readonly timeoutMs?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
}

interface Watcher {
  /** Looks again; `true` when it is satisfied. */
  check(): boolean;
}

/** Lets tests wait for a state without asking again and again: predicates are looked at after every change. */
export class Observers {
  readonly #watchers = new Set<Watcher>();
  #scheduled = false;

  changed(): void {
    if (this.#scheduled || this.#watchers.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const watcher of [...this.#watchers]) if (watcher.check()) this.#watchers.delete(watcher);
    });
  }

  /** Resolves to the first value of `predicate` that is not `undefined`, `null` or `false`. */
  wait<T>(
    predicate: () => T | undefined | null | false,
    { timeoutMs = usualPatienceMs, what }: WaitOptions = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        reject(new Error(`Waited ${timeoutMs} ms in vain for ${what ?? predicate.toString()}`));
      }, timeoutMs);
      const watcher: Watcher = {
        check: () => {
          try {
            const value = predicate();
            if (value === undefined || value === null || value === false) return false;
            resolve(value);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
          clearTimeout(timer);
          return true;
        },
      };
      if (!watcher.check()) this.#watchers.add(watcher);
    });
  }
}
