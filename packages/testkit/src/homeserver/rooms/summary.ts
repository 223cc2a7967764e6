import type { JsonObject } from "../json.js";
import { isObject, stringField } from "../json.js";
import type { World } from "../world.js";
import { allowedByRestriction } from "./auth-rules.js";
import type { Room } from "./room.js";

/** What the directory, the hierarchy and the summary tell of a room (Client-Server API, "PublishedRoomsChunk"). */
export function roomSummary(room: Room): JsonObject {
  const summary: JsonObject = {
    room_id: room.id,
    num_joined_members: room.joined.size,
    world_readable: room.historyVisibility === "world_readable",
    guest_can_join: room.state("m.room.guest_access")?.content["guest_access"] === "can_join",
    join_rule: room.joinRule,
  };
  const put = (key: string, type: string, field: string): void => {
    const value = room.state(type)?.content[field];
    if (typeof value === "string" && value !== "") summary[key] = value;
  };
  put("name", "m.room.name", "name");
  put("topic", "m.room.topic", "topic");
  put("avatar_url", "m.room.avatar", "url");
  put("canonical_alias", "m.room.canonical_alias", "alias");
  put("room_type", "m.room.create", "type");
  return summary;
}

/** The summary with what was added for those who look at a room before joining it (v1.15). */
export function detailedSummary(room: Room): JsonObject {
  const details: JsonObject = { room_version: room.version };
  const encryption = room.state("m.room.encryption")?.content["algorithm"];
  if (typeof encryption === "string") details["encryption"] = encryption;
  const allow = room.state("m.room.join_rules")?.content["allow"];
  if (room.joinRule.endsWith("restricted") && Array.isArray(allow)) {
    details["allowed_room_ids"] = allow.flatMap((condition) => {
      const id = isObject(condition) ? stringField(condition, "room_id") : undefined;
      return id === undefined ? [] : [id];
    });
  }
  return { ...roomSummary(room), ...details };
}

/** Whether `userId` may know of the room without being in it; `undefined` is someone without an account. */
export function mayPreview(world: World, room: Room, userId: string | undefined): boolean {
  if (["public", "knock", "knock_restricted"].includes(room.joinRule)) return true;
  if (room.historyVisibility === "world_readable") return true;
  if (userId === undefined) return false;
  const membership = room.membership(userId);
  if (membership === "join" || membership === "invite") return true;
  return allowedByRestriction(room, userId, (roomId) => world.rooms.rooms.get(roomId));
}
