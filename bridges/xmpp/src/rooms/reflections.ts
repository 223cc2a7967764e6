import { RemoteMessageId, uncertain, type Failure, type Sent } from "@trestle/core";

const KEPT = 2_000;

/** What was sent to a room and waits to be shown by it, and what it has shown lately. */
export class Reflections {
  readonly #waiting = new Map<string, (outcome: Sent | Failure) => void>();
  readonly #shown = new Map<string, Sent>();

  constructor(private readonly room: string) {}

  /** Resolves when the room shows the message of this id, or refuses it. Ask before it is sent. */
  wait(id: string, timeoutMs: number, signal: AbortSignal): Promise<Sent | Failure> {
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
      this.#waiting.set(id, settle);
    });
  }

  /** The room showed it, under an id of its own where it has such. */
  shown(id: string, roomsId: string | undefined): void {
    const sent = { id: RemoteMessageId(roomsId ?? id) };
    this.#shown.set(id, sent);
    const oldest = this.#shown.size > KEPT ? this.#shown.keys().next().value : undefined;
    if (oldest !== undefined) this.#shown.delete(oldest);
    this.#waiting.get(id)?.(sent);
  }

  /** The room did not take it. */
  failed(id: string, failure: Failure): void {
    this.#waiting.get(id)?.(failure);
  }

  /** What the room is known to have shown. */
  find(id: string): Sent | undefined {
    return this.#shown.get(id);
  }

  /** The connection is gone: nobody knows what became of what is under way. */
  lost(): void {
    for (const settle of [...this.#waiting.values()])
      settle(uncertain(`The connection ended before ${this.room} had shown the message`));
  }
}
