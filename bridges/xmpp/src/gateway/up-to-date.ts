import type { RoomState } from "./room-state.js";

/** What somebody may do is read anew where it may have changed; what was known counts where that fails. */
export async function upToDate(room: RoomState): Promise<void> {
  if (!room.view.isFresh(room.parts.tuning.viewMs)) await room.view.read().catch(() => undefined);
}
