import { LRUCache } from "lru-cache";
import { RoomId, UserId } from "../connector/ids.js";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { atMost } from "./cache-bound.js";

export interface Room {
  /** The store's own number. */
  readonly key: number;
  readonly id: RoomId;
  /** `undefined`: not known yet, which is not "no". Once `true` it stays so. */
  readonly encrypted: boolean | undefined;
  /** The number of the bridge whose bot people give commands to here; 0 for none. */
  readonly management: number;
  readonly directUser: UserId | undefined;
  /** The room that took this one's place. */
  readonly replacement: RoomId | undefined;
}

interface RoomRow {
  readonly id: number;
  readonly room: string;
  readonly encrypted: number | null;
  readonly management: number;
  readonly direct_user: string | null;
  readonly replacement: string | null;
}

/** Matrix rooms that a bridge has to do with. Shared by all bridges of a process. */
export class Rooms {
  readonly #cache = new LRUCache<string, Room>(atMost(20_000));

  constructor(readonly store: Store) {}

  /** What is in memory already. */
  cached(id: string): Room | undefined {
    return this.#cache.get(id);
  }

  async find(id: string): Promise<Room | undefined> {
    const cached = this.#cache.get(id);
    if (cached) return cached;
    const row = await this.store.get<RoomRow>("SELECT * FROM room WHERE room = ?", id);
    if (!row) return undefined;
    const room = toRoom(row);
    this.#cache.set(id, room);
    return room;
  }

  /** The room that took this one's place, as it is on disk: what is in memory may be a moment older. */
  async replacementOf(id: RoomId): Promise<RoomId | undefined> {
    const row = await this.store.get<Pick<RoomRow, "replacement">>("SELECT replacement FROM room WHERE room = ?", id);
    return row?.replacement == null ? undefined : RoomId(row.replacement);
  }

  async byKey(key: number): Promise<Room | undefined> {
    const row = await this.store.get<RoomRow>("SELECT * FROM room WHERE id = ?", key);
    return row && this.find(row.room);
  }

  async ensure(id: RoomId): Promise<Room> {
    const found = await this.find(id);
    if (found) return found;
    await this.store.commit([["addRoom", id]]);
    const made = await this.find(id);
    if (!made) throw new Error(`The room ${id} was written but cannot be read.`);
    return made;
  }

  /** Remembers for ever that a room is encrypted; `false` only says that it was not when asked. */
  async setEncrypted(id: RoomId, encrypted: boolean): Promise<void> {
    const room = await this.ensure(id);
    if (room.encrypted === true || room.encrypted === encrypted) return;
    await this.#change(id, ["setEncrypted", encrypted ? 1 : 0, id]);
  }

  async setManagement(id: RoomId, bridge: number, user: UserId | undefined): Promise<void> {
    await this.ensure(id);
    await this.#change(id, ["setManagement", bridge, user ?? null, id]);
  }

  /** It was changed elsewhere. */
  forget(id: RoomId): void {
    this.#cache.delete(id);
  }

  async managementRoomOf(bridge: number, user: UserId): Promise<Room | undefined> {
    const row = await this.store.get<RoomRow>(
      "SELECT * FROM room WHERE management = ? AND direct_user = ? AND coalesce(encrypted, 0) = 0 ORDER BY id DESC LIMIT 1",
      bridge,
      user,
    );
    return row && this.find(row.room);
  }

  async #change(id: RoomId, write: Write): Promise<void> {
    await this.store.commit([write]);
    this.#cache.delete(id);
    await this.find(id);
  }
}

function toRoom(row: RoomRow): Room {
  return {
    key: row.id,
    id: RoomId(row.room),
    encrypted: row.encrypted === null ? undefined : row.encrypted === 1,
    management: row.management,
    directUser: row.direct_user === null ? undefined : UserId(row.direct_user),
    replacement: row.replacement === null ? undefined : RoomId(row.replacement),
  };
}
