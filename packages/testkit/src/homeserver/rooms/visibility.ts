import { forbidden } from "../errors.js";
import { stringField } from "../json.js";
import type { StoredEvent } from "./event.js";
import type { Room } from "./room.js";

/** Whether `userId` may see `event`: Client-Server API, "Room history visibility". */
export function canSee(room: Room, userId: string, event: StoredEvent): boolean {
  const at = room.membershipAt(userId, event.position);
  if (at === "join") return true;
  if (event.type === "m.room.member" && event.stateKey === userId) return true;
  switch (visibilityAt(room, event.position)) {
    case "world_readable":
      return true;
    case "shared":
      return room.memberships(userId).some((entry) => entry.membership === "join" && entry.position > event.position);
    case "invited":
      return at === "invite";
    default:
      return false;
  }
}

function visibilityAt(room: Room, position: number): string {
  let event = room.state("m.room.history_visibility");
  while (event !== undefined && event.position > position) event = event.replaces;
  return stringField(event?.content ?? {}, "history_visibility") ?? "shared";
}

/** The place in the stream at which `userId` left the room; infinite for members and for who never was one. */
export function lastSeen(room: Room, userId: string): number {
  const history = room.memberships(userId);
  const lastJoin = history.findLastIndex((entry) => entry.membership === "join");
  return (lastJoin < 0 ? undefined : history[lastJoin + 1]?.position) ?? Infinity;
}

/**
 * Up to which stream position `userId` may read the state of the room: now for members and in world-readable rooms,
 * the moment of leaving for former ones.
 * @throws MatrixError 403 for everyone else
 */
export function readableUntil(room: Room, userId: string): number {
  if (room.membership(userId) === "join" || room.historyVisibility === "world_readable") return Infinity;
  const history = room.memberships(userId);
  const lastJoin = history.findLastIndex((entry) => entry.membership === "join");
  const left = history[lastJoin + 1];
  if (lastJoin < 0 || left === undefined)
    throw forbidden(`User ${userId} not in room ${room.id}, and room previews are disabled`);
  return left.position;
}
