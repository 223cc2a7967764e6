const mostRemembered = 2_000;

/** Edits that the bridge itself has just made, of which Slack will tell: nothing to be told to Matrix. */
export class OwnEdits {
  readonly #expected = new Set<string>();

  expect(channel: string, ts: string, text: string): void {
    const [oldest] = this.#expected;
    if (this.#expected.size >= mostRemembered && oldest !== undefined) this.#expected.delete(oldest);
    this.#expected.add(`${channel} ${ts} ${text}`);
  }

  /** Whether it was ours; the next one like it is not. */
  take(channel: string, ts: string, text: string): boolean {
    return this.#expected.delete(`${channel} ${ts} ${text}`);
  }
}
