import type { RoomId } from "../connector/ids.js";
import type { Link } from "../mapping/links.js";
import type { BridgeRuntime } from "./runtime.js";

/** The first link that fits of a room, or of one that took its place: an upgrade takes the links along. */
export async function findLink(
  { rooms, links }: BridgeRuntime,
  room: RoomId,
  fits: (link: Link) => boolean = () => true,
): Promise<Link | undefined> {
  const seen = new Set<RoomId>();
  for (let next: RoomId | undefined = room; next !== undefined && !seen.has(next);) {
    seen.add(next);
    const link = (await links.ofRoom(next)).find(fits);
    if (link) return link;
    next = await rooms.replacementOf(next);
  }
  return undefined;
}
