const most = 20_000;

/** How much each sender may cause at once: a bucket of tokens that fills up again. Forgets who was silent for longest. */
export class Allowance {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(
    private readonly burst: number,
    private readonly refillMs: number,
    private readonly now: () => number,
  ) {}

  /** Whether one more is allowed. */
  take(sender: string): boolean {
    const now = this.now();
    const known = this.#buckets.get(sender) ?? { tokens: this.burst, at: now };
    const tokens = Math.min(this.burst, known.tokens + (now - known.at) / this.refillMs);
    this.#buckets.delete(sender);
    this.#buckets.set(sender, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    const oldest = this.#buckets.size > most ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1;
  }
}
