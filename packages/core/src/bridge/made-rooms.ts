import type { RoomId } from "../connector/ids.js";
import type { MatrixClient } from "../matrix/client.js";
import { classify } from "../matrix/failure.js";
import type { MatrixResult } from "../matrix/result.js";

/** In the `m.room.create` of a room that the bridge made: what for, as an effect id, so that it can be found again. */
export const madeForKey = "dev.trestle.made_for";

/**
 * Looks for a room that the bridge made and did not learn of, among those the bot is in: `undefined` where there is none.
 *
 * @param key the key in the content of its `m.room.create`
 * @param known rooms that it cannot be
 */
export async function findMadeRoom(
  client: MatrixClient,
  key: string,
  value: string,
  known: ReadonlySet<string> = new Set(),
): Promise<MatrixResult<RoomId | undefined>> {
  const joined = await client.joinedRooms();
  if (!joined.ok) return joined;
  for (const room of joined.body) {
    if (known.has(room)) continue;
    const creation = await client.getState({ room, type: "m.room.create" });
    if (!creation.ok && classify(creation.failure).action === "retry") return creation;
    if (creation.ok && creation.body?.[key] === value) return { ok: true, body: room };
  }
  return { ok: true, body: undefined };
}
