import { effectOf, messageSchema } from "./messages.js";

const mostRemembered = 5_000;

/** What of our own messages came back as events: proof that they were taken, should the answer have been lost. */
export class Echoes {
  /** The `ts` of effects, oldest first. */
  readonly #seen = new Map<string, string>();

  /** Looks at an event as it comes in, whatever it is. */
  note(channel: string | undefined, event: unknown): void {
    const parsed = messageSchema.safeParse(event);
    if (!parsed.success || channel === undefined || parsed.data.type !== "message") return;
    const effect = effectOf(parsed.data);
    if (effect !== undefined) this.remember(channel, effect, parsed.data.ts);
  }

  remember(channel: string, effect: string, ts: string): void {
    const [oldest] = this.#seen.keys();
    if (this.#seen.size >= mostRemembered && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.set(`${channel} ${effect}`, ts);
  }

  find(channel: string, effect: string): string | undefined {
    return this.#seen.get(`${channel} ${effect}`);
  }
}
