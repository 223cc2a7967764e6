import type { StoredEvent } from "../rooms/event.js";
import type { Room } from "../rooms/room.js";

/**
 * Client-Server API, "Lazy-loading room members": of the memberships in `state` those of the user and of who speaks in
 * the timeline; the latter also where they did not change. Redundant ones are sent.
 */
export function lazyMembers(
  room: Room,
  state: readonly StoredEvent[],
  timeline: readonly StoredEvent[],
  userId: string,
): StoredEvent[] {
  const wanted = new Set([userId, ...timeline.map((event) => event.sender)]);
  const kept = state.filter((event) => event.type !== "m.room.member" || wanted.has(event.stateKey ?? ""));
  const known = new Set<StoredEvent>([...kept, ...timeline]);
  for (const { sender } of timeline) {
    const member = room.state("m.room.member", sender);
    if (member === undefined || known.has(member)) continue;
    known.add(member);
    kept.push(member);
  }
  return kept;
}
