import type { MatrixEvent } from "../appservice/event.js";
import { RoomId } from "../connector/ids.js";
import { toNetwork } from "../delivery/entry.js";
import type { BridgeRuntime } from "./runtime.js";
import type { ToNetworkPayload } from "./to-network/payload.js";

/**
 * Rooms that are to take the place of a linked one, from the tombstone on until the links have moved. What is said
 * there meanwhile belongs to the channels of the old room.
 */
export class AwaitedRooms {
  readonly #awaited = new Set<string>();

  constructor(
    readonly runtime: BridgeRuntime,
    /** A room is awaited no longer. */
    readonly onOver: (room: RoomId) => void,
  ) {}

  get size(): number {
    return this.#awaited.size;
  }

  has(room: string): boolean {
    return this.#awaited.has(room);
  }

  /** A linked room got a tombstone. A replacement that is linked already is nobody's to await. */
  async expect(tombstone: MatrixEvent): Promise<void> {
    const replacement = replacementOf(tombstone);
    if (replacement === undefined || replacement === tombstone.room_id) return;
    const { links } = this.runtime;
    if ((await links.ofRoom(tombstone.room_id)).length === 0 || (await links.ofRoom(replacement)).length > 0) return;
    this.#awaited.add(replacement);
  }

  /** Somebody of the bridge's may enter a room, or is there: where it is the one that an upgrade leads to, the rest follows at once. */
  open(room: RoomId): void {
    if (this.#awaited.has(room)) this.runtime.journal.flow(toNetwork)?.wake();
  }

  /** The bridge has followed, or never will. */
  over(room: RoomId): void {
    if (this.#awaited.delete(room)) this.onOver(room);
  }

  /** After a restart: the tombstones that are still to be followed. */
  async load(): Promise<void> {
    const { store, key } = this.runtime;
    // The lanes of rooms; a room's id begins with an exclamation mark.
    const rows = await store.all<{ payload: string | null }>(
      "SELECT payload FROM journal WHERE state < 2 AND direction = ? AND bridge = ? AND lane >= '!' AND lane < '\"'",
      toNetwork,
      key,
    );
    for (const { payload } of rows) {
      const entry = payload === null ? undefined : (JSON.parse(payload) as ToNetworkPayload);
      if (entry?.via !== "room" || entry.event.type !== "m.room.tombstone") continue;
      const replacement = replacementOf(entry.event);
      if (replacement !== undefined) this.#awaited.add(replacement);
    }
  }
}

/** The room that a tombstone names. */
export function replacementOf(tombstone: MatrixEvent): RoomId | undefined {
  const { replacement_room: replacement } = tombstone.content;
  return typeof replacement === "string" && replacement.startsWith("!") ? RoomId(replacement) : undefined;
}
