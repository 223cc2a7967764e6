import type { UserId } from "@trestle/core";

/** How many messages are remembered. */
const REMEMBERED = 5_000;

/** Who said a message, and when, in milliseconds since 1970. */
interface Said {
  readonly by: UserId;
  readonly at: number;
}

/** Whose puppet said a message: a server lets nobody but its sender and the channel's operators take it back. */
export class SentBy {
  readonly #users = new Map<string, Said>();

  note(id: string, user: UserId): void {
    this.#users.set(id, { by: user, at: Date.now() });
    if (this.#users.size <= REMEMBERED) return;
    const oldest = this.#users.keys().next();
    if (!oldest.done) this.#users.delete(oldest.value);
  }

  /** `undefined` for a message of somebody else, and for one that was said long ago or before a restart. */
  of(id: string): UserId | undefined {
    return this.#users.get(id)?.by;
  }

  /** The same with when it was said. */
  said(id: string): Said | undefined {
    return this.#users.get(id);
  }
}
