import { LRUCache } from "lru-cache";
import type { RoomId } from "../../connector/ids.js";
import { atMost } from "../../mapping/cache-bound.js";
import type { MatrixClient } from "../../matrix/client.js";
import type { MatrixResult } from "../../matrix/result.js";

/** Who has more power in a room than any number says: its creators from room version 12 on, nobody in earlier ones. */
export class RoomCreators {
  /** How a room was created never changes. */
  readonly #known = new LRUCache<string, ReadonlySet<string>>(atMost(2_000));

  constructor(readonly client: MatrixClient) {}

  async of(room: RoomId): Promise<MatrixResult<ReadonlySet<string>>> {
    const known = this.#known.get(room);
    if (known) return { ok: true, body: known };
    const state = await this.client.getRoomState(room);
    if (!state.ok) return state;
    const creation = state.body.find(({ type }) => type === "m.room.create");
    const creators = new Set<string>();
    if (creation && Number(creation.content.room_version ?? 1) >= 12) {
      creators.add(creation.sender);
      const more: unknown = creation.content.additional_creators;
      if (Array.isArray(more)) for (const user of more) if (typeof user === "string") creators.add(user);
    }
    this.#known.set(room, creators);
    return { ok: true, body: creators };
  }
}
