import { EventId, type RoomId, type UserId } from "../connector/ids.js";
import type { MatrixClient } from "../matrix/client.js";
import type { MatrixResult } from "../matrix/result.js";
import { effectKey } from "./effect-id.js";

const pages = 10;
const pageSize = 100;
/** How far the clocks of the homeserver and of this machine may differ. */
const clockSkewMs = 10 * 60_000;

/**
 * Finds out whether an event of ours is in a room already. A homeserver's own memory of transaction ids is short, and
 * gone when it restarts: where a send may have been taken, one looks before one sends again.
 */
export class SentLookup {
  /** What was found at the start, by room: enough for everything that was in doubt then. */
  readonly #atStart = new Map<RoomId, Promise<MatrixResult<ReadonlyMap<string, EventId>>>>();

  constructor(readonly client: MatrixClient) {}

  /** `null`: it is not there. `since`: when the effect's cause was journaled. `recovered`: in doubt since the start. */
  async find(
    room: RoomId,
    asUser: UserId,
    effect: string,
    since: number,
    recovered: boolean,
  ): Promise<MatrixResult<EventId | null>> {
    const found = recovered ? await this.#scanOnce(room, asUser, since) : await this.#scan(room, asUser, since, effect);
    return found.ok ? { ok: true, body: found.body.get(effect) ?? null } : found;
  }

  /** Everything that was in doubt at the start is delivered. */
  forget(): void {
    this.#atStart.clear();
  }

  async #scanOnce(room: RoomId, asUser: UserId, since: number): Promise<MatrixResult<ReadonlyMap<string, EventId>>> {
    const known = this.#atStart.get(room);
    if (known) return known;
    const scan = this.#scan(room, asUser, since);
    this.#atStart.set(room, scan);
    const result = await scan;
    if (!result.ok) this.#atStart.delete(room);
    return result;
  }

  async #scan(
    room: RoomId,
    asUser: UserId,
    since: number,
    until?: string,
  ): Promise<MatrixResult<ReadonlyMap<string, EventId>>> {
    const found = new Map<string, EventId>();
    let from: string | undefined;
    for (let count = 0; count < pages; count += 1) {
      const result = await this.client.messages({
        room,
        dir: "b",
        limit: pageSize,
        asUser,
        ...(from !== undefined && { from }),
      });
      if (!result.ok) return result;
      for (const event of result.body.events) {
        const effect = event.content[effectKey];
        if (typeof effect === "string") found.set(effect, event.eventId);
      }
      const oldest = result.body.events.at(-1);
      from = result.body.end;
      if (from === undefined || !oldest || oldest.at < since - clockSkewMs || (until !== undefined && found.has(until)))
        break;
    }
    return { ok: true, body: found };
  }
}
