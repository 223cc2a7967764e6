const mostRemembered = 2_000;

/** Reactions that the bridge itself has just made or taken back, of which Slack will tell: nothing to be told to Matrix. */
export class OwnReactions {
  readonly #expected = new Set<string>();

  expect(channel: string, ts: string, name: string, user: string, change: "added" | "removed"): void {
    const [oldest] = this.#expected;
    if (this.#expected.size >= mostRemembered && oldest !== undefined) this.#expected.delete(oldest);
    this.#expected.add(`${change} ${channel} ${ts} ${name} ${user}`);
  }

  /** Whether it was ours; the next one like it is not. */
  take(channel: string, ts: string, name: string, user: string, change: "added" | "removed"): boolean {
    return this.#expected.delete(`${change} ${channel} ${ts} ${name} ${user}`);
  }
}
