import type { World } from "../world.js";

/** Whose device lists changed, and with whom no room is shared any more, between two places in the stream. */
export interface DeviceLists {
  readonly changed: string[];
  readonly left: string[];
}

export function deviceListsSince(world: World, userId: string, since: number, until: number): DeviceLists {
  const changed = new Set<string>();
  const gone = new Set<string>();
  const present = new Set([userId]);
  const inRange = (position: number): boolean => position > since && position <= until;
  for (const room of world.rooms.roomsOf(userId)) {
    const isJoined = room.joined.has(userId);
    const joinedAnew = isJoined && room.membershipAt(userId, since) !== "join";
    for (const [other, member] of room.stateOfType("m.room.member")) {
      const both = isJoined && room.joined.has(other);
      if (both) present.add(other);
      if (both && (joinedAnew || room.membershipAt(other, since) !== "join")) changed.add(other);
      if (!both && (inRange(member.position) || !isJoined)) {
        if (room.membershipAt(other, since) === "join" && room.membershipAt(userId, since) === "join") gone.add(other);
      }
    }
  }
  for (const other of present) {
    if (inRange(world.accounts.get(other)?.deviceListPosition ?? 0)) changed.add(other);
  }
  return { changed: [...changed], left: [...gone].filter((other) => !present.has(other)) };
}
