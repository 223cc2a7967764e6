/** Somebody who plays with their name changes their nick so often at most: networks refuse more (438), or disconnect. */
export const RENAMES = { atOnce: 3, everyMs: 20_000 } as const;

interface Recent {
  readonly timer: NodeJS.Timeout;
  done: number;
  next: (() => void) | undefined;
}

/** Changes of people's names: the first few of a time at once, of those that follow the last one alone, when it is over. */
export class Renames {
  /** Who has changed theirs a moment ago, with what is still to be done. */
  readonly #recent = new Map<string, Recent>();
  #closed = false;

  constructor(private readonly pace: { readonly atOnce: number; readonly everyMs: number }) {}

  /** `change` is done at once or later, unless another change of the same person comes before. */
  take(user: string, change: () => void): void {
    if (this.#closed) return;
    const recent = this.#recent.get(user) ?? this.#begin(user);
    if (recent.done >= this.pace.atOnce) {
      recent.next = change;
      return;
    }
    recent.done++;
    change();
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#recent.values()) clearTimeout(timer);
    this.#recent.clear();
  }

  #begin(user: string): Recent {
    const timer = setTimeout(() => {
      const next = this.#recent.get(user)?.next;
      this.#recent.delete(user);
      if (next) this.take(user, next);
    }, this.pace.everyMs);
    const recent: Recent = { timer, done: 0, next: undefined };
    this.#recent.set(user, recent);
    return recent;
  }
}
