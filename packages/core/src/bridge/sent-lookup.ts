import type { EventId, RoomId, UserId } from "../connector/ids.js";
import type { Logger } from "../log/logger.js";
import type { ClientEvent } from "../matrix/answers.js";
import type { MatrixClient } from "../matrix/client.js";
import { classify } from "../matrix/failure.js";
import type { MatrixResult } from "../matrix/result.js";
import { effectKey } from "./effect-id.js";

/** Of one room 10,000 events are looked through: while the bridge was away others may have said a lot in it. */
const pages = 100;
const pageSize = 100;
const pageTimeoutMs = 20_000;
/** How far the clocks of the homeserver and of this machine may differ. */
const clockSkewMs = 10 * 60_000;

/** An effect that may be in a room already. */
export interface Doubt {
  readonly room: RoomId;
  /** Who looks. */
  readonly asUser: UserId;
  readonly effect: string;
  /** When its cause was journaled, in milliseconds since 1970. */
  readonly since: number;
  /** It is in doubt since the start of this process, and no attempt was made since then. */
  readonly sinceStart: boolean;
  /** If it is there, it came after all that the bridge had delivered to the room before it. */
  readonly inOrder: boolean;
}

export interface SentLookupParts {
  readonly client: Pick<MatrixClient, "messages">;
  readonly log: Logger;
  /** Whether an event is one of the bridge's that is delivered, and marked so. */
  readonly isDelivered: (room: RoomId, event: ClientEvent) => Promise<boolean>;
}

/**
 * Finds out whether an event of ours is in a room already. A homeserver's own memory of transaction ids is short, and
 * gone when it restarts: where a send may have been taken, one looks before one sends again. Rooms are read backwards,
 * as far as needed and no page twice.
 */
export class SentLookup {
  /** What was found since the start, by room: enough for everything that was in doubt then. */
  readonly #atStart = new Map<string, RoomScan>();
  /** What was found since something was sent last, by room. */
  readonly #sinceSending = new Map<string, RoomScan>();

  constructor(readonly parts: SentLookupParts) {}

  /** `null`: it is not there. */
  async find(doubt: Doubt): Promise<MatrixResult<EventId | null>> {
    const { room, inOrder } = doubt;
    const scans = doubt.sinceStart ? this.#atStart : this.#sinceSending;
    const key = keyOf(room, inOrder);
    const scan = scans.get(key) ?? new RoomScan(this.parts, room, inOrder);
    scans.set(key, scan);
    const found = await scan.find(doubt);
    // Another user may see what this one does not.
    if (!found.ok && classify(found.failure).action !== "retry") scans.delete(key);
    return found;
  }

  /** Something is about to be sent to a room. `sinceStart`: what was in doubt at the start is not through yet. */
  sending(room: RoomId, sinceStart: boolean): void {
    for (const scans of sinceStart ? [this.#sinceSending] : [this.#sinceSending, this.#atStart]) {
      if (scans.size === 0) continue;
      for (const inOrder of [true, false]) scans.delete(keyOf(room, inOrder));
    }
  }
}

function keyOf(room: RoomId, inOrder: boolean): string {
  return `${room}|${inOrder}`;
}

/** A room, read from its newest event backwards as far as anybody asked. */
class RoomScan {
  readonly #found = new Map<string, EventId>();
  #from: string | undefined;
  #pages = 0;
  /** The latest time of the page read last. */
  #reached = Number.POSITIVE_INFINITY;
  #over = false;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly parts: SentLookupParts,
    private readonly room: RoomId,
    private readonly inOrder: boolean,
  ) {}

  /** One after the other: all read on from the same place. */
  find(doubt: Doubt): Promise<MatrixResult<EventId | null>> {
    const found = this.#reading.then(() => this.#find(doubt));
    this.#reading = found.catch(() => undefined);
    return found;
  }

  async #find({ effect, since, asUser }: Doubt): Promise<MatrixResult<EventId | null>> {
    for (;;) {
      const known = this.#found.get(effect);
      if (known !== undefined || this.#over || this.#reached < since - clockSkewMs)
        return { ok: true, body: known ?? null };
      const { room } = this;
      const page = await this.parts.client.messages({
        room,
        dir: "b",
        limit: pageSize,
        timeoutMs: pageTimeoutMs,
        asUser,
        ...(this.#from !== undefined && { from: this.#from }),
      });
      if (!page.ok) return page;
      await this.#take(page.body.events, page.body.end);
    }
  }

  async #take(events: readonly ClientEvent[], end: string | undefined): Promise<void> {
    let oldest: ClientEvent | undefined;
    for (const event of events) {
      const effect = event.content[effectKey];
      if (typeof effect !== "string") continue;
      this.#found.set(effect, event.eventId);
      oldest = event;
    }
    this.#from = end;
    this.#pages += 1;
    // Some events have the time of what they tell of.
    if (events.length > 0) this.#reached = Math.max(...events.map(({ at }) => at));
    this.#over = end === undefined;
    if (!this.#over && this.inOrder && oldest) this.#over = await this.parts.isDelivered(this.room, oldest);
    if (this.#over || this.#pages < pages) return;
    this.#over = true;
    this.parts.log.warn(
      { room: this.room, events: pages * pageSize },
      "More was said in a room than is looked through: what may have been sent before that is sent again",
    );
  }
}
