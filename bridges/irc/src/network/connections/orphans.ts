import type { Deliveries, Verdict } from "../../session/deliveries.js";

/** How long the bot is given to see a client leave whose connection ended. */
const WITHIN_MS = 10_000;

/**
 * Deliveries of connections that ended before anybody said what became of them. The bot sees in the channels what
 * reached them, and it sees the client leave after that: then it is certain that the rest was not delivered.
 */
export class Orphans {
  readonly #waiting = new Map<Deliveries, { readonly nick: string; readonly timer: NodeJS.Timeout }>();

  take(nick: string, deliveries: Deliveries, reason: string): void {
    const timer = setTimeout(() => this.#end(deliveries, reason), WITHIN_MS);
    this.#waiting.set(deliveries, { nick, timer });
  }

  /** `undefined` where the effect is none of these. */
  verdictOf(key: string): Promise<Verdict> | undefined {
    const deliveries = [...this.#waiting.keys()].find((each) => each.has(key));
    return deliveries?.verdictOf(key);
  }

  /** The bot saw a message under this nick. */
  seen(nick: string, target: string, text: string, id: string | undefined): void {
    for (const deliveries of this.#of(nick)) deliveries.seen("bot", target, text, id);
  }

  /** The bot saw this nick leave the network. */
  quitSeen(nick: string): void {
    for (const deliveries of this.#of(nick)) {
      deliveries.leftTheNetwork();
      deliveries.connectionOver();
      this.#forget(deliveries);
    }
  }

  /** Nobody is left to see anything. */
  end(reason: string): void {
    for (const deliveries of [...this.#waiting.keys()]) this.#end(deliveries, reason);
  }

  #of(nick: string): Deliveries[] {
    return [...this.#waiting].filter(([, waiting]) => waiting.nick === nick).map(([deliveries]) => deliveries);
  }

  #end(deliveries: Deliveries, reason: string): void {
    this.#forget(deliveries);
    deliveries.end(reason);
  }

  #forget(deliveries: Deliveries): void {
    clearTimeout(this.#waiting.get(deliveries)?.timer);
    this.#waiting.delete(deliveries);
  }
}
