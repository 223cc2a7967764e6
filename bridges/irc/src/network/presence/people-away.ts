import type { PresenceReceived, RemoteUser } from "@trestle/core";
import { withoutCodes } from "../../wire/formatting-codes.js";

/** One of them is told at a time, so that a channel that falls asleep is no flood for the homeserver. */
const EVERY_MS = 200;
const MOST_WAITING = 2_000;

/** Tells Matrix who on IRC is away, and who is back (IRCv3 away-notify): slowly, and of each person what holds last. */
export class PeopleAway {
  readonly #waiting = new Map<string, PresenceReceived>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly tell: (presence: PresenceReceived) => void) {}

  /** `text`: why somebody is away; absent where they are back. */
  take(user: RemoteUser, text: string | undefined): void {
    const isAway = text !== undefined && text !== "";
    this.seen(user, isAway ? "unavailable" : "online", isAway ? withoutCodes(text) : undefined);
  }

  /** How somebody is there. */
  seen(user: RemoteUser, presence: PresenceReceived["presence"], status?: string): void {
    this.#waiting.delete(user.id);
    if (this.#closed || this.#waiting.size >= MOST_WAITING) return;
    this.#waiting.set(user.id, { kind: "presence", user, presence, ...(status !== undefined && { status }) });
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#next(), EVERY_MS);
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#rest();
  }

  #next(): void {
    const next = this.#waiting.entries().next();
    if (next.done) {
      this.#rest();
      return;
    }
    const [id, presence] = next.value;
    this.#waiting.delete(id);
    this.tell(presence);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
