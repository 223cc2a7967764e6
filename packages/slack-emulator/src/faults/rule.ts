/** How often a fault strikes. Without `times` it does until it is lifted. */
export interface Frequency {
  readonly times?: number | undefined;
  /** The first so many that match are let through. */
  readonly skip?: number | undefined;
}

/** A fault that was set: lift it, or see how often it struck. */
export interface ActiveFault {
  readonly id: string;
  /** How often it struck. */
  readonly hits: number;
  /** Whether it can strike again. */
  readonly active: boolean;
  lift(): void;
}

/** A list of faults of one family, asked in the order they were set. */
export class FaultList<Rule extends Frequency> {
  readonly #prefix: string;
  #count = 0;
  readonly #entries = new Map<string, { readonly rule: Rule; hits: number; skipped: number }>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(rule: Rule): ActiveFault {
    const id = `${this.#prefix}${++this.#count}`;
    const entry = { rule, hits: 0, skipped: 0 };
    this.#entries.set(id, entry);
    const entries = this.#entries;
    return {
      id,
      get hits() {
        return entry.hits;
      },
      get active() {
        return entries.has(id);
      },
      lift: () => void entries.delete(id),
    };
  }

  /** The first fault that matches and is due; asking counts as a stroke. */
  strike(matches: (rule: Rule) => boolean): Rule | undefined {
    for (const [id, entry] of this.#entries) {
      if (!matches(entry.rule)) continue;
      if (entry.skipped < (entry.rule.skip ?? 0)) {
        entry.skipped++;
        continue;
      }
      entry.hits++;
      if (entry.rule.times !== undefined && entry.hits >= entry.rule.times) this.#entries.delete(id);
      return entry.rule;
    }
    return undefined;
  }

  /** What is set now. */
  list(): { readonly id: string; readonly rule: Rule; readonly hits: number }[] {
    return [...this.#entries].map(([id, { rule, hits }]) => ({ id, rule, hits }));
  }

  lift(id: string): boolean {
    return this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
  }
}
