import { RoomId } from "../connector/ids.js";
import { toNetwork } from "../delivery/entry.js";
import type { BridgeRuntime } from "./runtime.js";

/** So many lanes with the newest entries are where there was traffic of late. */
const newest = 1_000;
const mostRecent = 500;

/** The linked rooms of a bridge: those with traffic of late, the liveliest last event first, and the others. */
export async function roomsByActivity(
  runtime: BridgeRuntime,
): Promise<{ readonly recent: readonly RoomId[]; readonly others: readonly RoomId[] }> {
  const lanes = await runtime.store.all<{ lane: string; direction: number }>(
    "SELECT lane, direction FROM activity WHERE bridge = ? ORDER BY at DESC LIMIT ?",
    runtime.key,
    newest,
  );
  const links = await runtime.links.all();
  const rooms = new Set<string>(links.map((link) => link.room));
  const ofChannel = new Map<string, string[]>();
  for (const { channel, room } of links) ofChannel.set(channel, [...(ofChannel.get(channel) ?? []), room]);
  const recent = new Set<string>();
  for (const { lane, direction } of lanes) {
    if (recent.size >= mostRecent) break;
    // A room's own lane, or the one in which its events are held.
    const room = lane.slice(Math.max(0, lane.indexOf("!")));
    if (rooms.has(room)) recent.add(room);
    if (direction === toNetwork) for (const each of ofChannel.get(lane) ?? []) recent.add(each);
  }
  const others = [...rooms].filter((room) => !recent.has(room));
  return { recent: [...recent].map(RoomId), others: others.map(RoomId) };
}

/** When the homeserver last handed something over that was journaled, or a little before; in milliseconds since 1970. */
export async function lastHandedOver({ store, key }: BridgeRuntime): Promise<number | undefined> {
  const row = await store.get<{ at: number | null }>(
    "SELECT max(at) AS at FROM activity WHERE direction = ? AND bridge = ?",
    toNetwork,
    key,
  );
  return row?.at ?? undefined;
}
