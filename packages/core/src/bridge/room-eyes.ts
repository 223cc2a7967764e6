import { UserId, type EventId, type RoomId } from "../connector/ids.js";
import type { ClientEvent } from "../matrix/answers.js";
import type { MatrixResult } from "../matrix/result.js";
import type { BridgeRuntime } from "./runtime.js";

/** Who of the bridge's ghosts is in a room: in a direct one the bot is not, and only they can look. */
export async function ghostIn({ store, key }: BridgeRuntime, room: RoomId): Promise<UserId | undefined> {
  const row = await store.get<{ user: string }>(
    "SELECT ghost.user AS user FROM membership JOIN ghost ON ghost.id = membership.ghost JOIN room ON room.id = membership.room WHERE room.room = ? AND membership.actual = 1 AND ghost.bridge = ? LIMIT 1",
    room,
    key,
  );
  return row && UserId(row.user);
}

/** An event as whoever of the bridge is in the room sees it; `null` where nobody of it can. */
export async function readEvent(
  runtime: BridgeRuntime,
  room: RoomId,
  event: EventId,
): Promise<MatrixResult<ClientEvent | null>> {
  const read = await runtime.client.getEvent(room, event);
  const isHidden = read.ok ? read.body === null : isForbidden(read);
  const ghost = isHidden ? await ghostIn(runtime, room) : undefined;
  return ghost === undefined ? read : runtime.client.getEvent(room, event, { asUser: ghost });
}

/** Whoever asked may not know. */
export function isForbidden(result: MatrixResult<unknown>): boolean {
  return !result.ok && result.failure.kind === "answered" && result.failure.status === 403;
}
