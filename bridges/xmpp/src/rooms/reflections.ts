import { RemoteMessageId, uncertain, type Failure, type Sent } from "@trestle/core";

const KEPT = 2_000;

interface Waiting {
  /** The address that has sent it. */
  readonly from: string;
  readonly settle: (outcome: Sent | Failure) => void;
}

/** What was sent to a room and waits to be shown by it, and what it has shown lately. */
export class Reflections {
  readonly #waiting = new Map<string, Waiting>();
  readonly #shown = new Map<string, Sent>();

  constructor(private readonly room: string) {}

  /** Resolves when the room shows the message of this id, or refuses it. Ask before it is sent. */
  wait(id: string, from: string, timeoutMs: number, signal: AbortSignal): Promise<Sent | Failure> {
    return new Promise((resolve) => {
      const settle = (outcome: Sent | Failure) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", givenUp);
        this.#waiting.delete(id);
        resolve(outcome);
      };
      const givenUp = () => settle(uncertain(`${this.room} had not shown the message when it was given up`));
      const timer = setTimeout(
        () => settle(uncertain(`${this.room} has not shown the message within ${timeoutMs} ms`)),
        timeoutMs,
      );
      signal.addEventListener("abort", givenUp, { once: true });
      this.#waiting.set(id, { from, settle });
    });
  }

  /** The room showed it, under an id of its own where it has such. */
  shown(id: string, roomsId: string | undefined): void {
    const sent = { id: RemoteMessageId(roomsId ?? id) };
    this.#shown.set(id, sent);
    const oldest = this.#shown.size > KEPT ? this.#shown.keys().next().value : undefined;
    if (oldest !== undefined) this.#shown.delete(oldest);
    this.#waiting.get(id)?.settle(sent);
  }

  /** The room did not take it. */
  failed(id: string, failure: Failure): void {
    this.#waiting.get(id)?.settle(failure);
  }

  /** What the room is known to have shown. */
  find(id: string): Sent | undefined {
    return this.#shown.get(id);
  }

  /** The connection is gone, of one address or of all: nobody knows what became of what is under way. */
  lost(from?: string): void {
    for (const waiting of [...this.#waiting.values()])
      if (from === undefined || from === waiting.from)
        waiting.settle(uncertain(`The connection ended before ${this.room} had shown the message`));
  }
}
