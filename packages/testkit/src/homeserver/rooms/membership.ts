import type { Json, JsonObject } from "../json.js";
import type { World } from "../world.js";
import { allowedByRestriction } from "./auth-rules.js";
import type { StoredEvent } from "./event.js";
import type { Membership, Room } from "./room.js";

export interface MembershipChange {
  readonly sender: string;
  readonly target: string;
  readonly membership: Membership;
  readonly reason?: string | undefined;
  /** Further keys of the content, for example `is_direct`. */
  readonly extra?: JsonObject;
}

/** Sends the `m.room.member` event of a change, with the target's profile where the specification puts it. */
export function changeMembership(world: World, room: Room, change: MembershipChange): StoredEvent {
  const { sender, target, membership } = change;
  if (membership === "join" && room.membership(target) === "join" && change.extra === undefined) {
    const present = room.state("m.room.member", target);
    if (present !== undefined) return present;
  }
  const content: JsonObject = { membership };
  if (membership !== "leave" && membership !== "ban") Object.assign(content, memberProfile(world, target));
  if (change.reason !== undefined) content["reason"] = change.reason;
  Object.assign(content, change.extra);
  if (membership === "join") authoriseByMember(world, room, target, content);
  return world.rooms.send(room, { type: "m.room.member", sender, stateKey: target, content });
}

/** `displayname` and `avatar_url` as a member event carries them. */
export function memberProfile(world: World, userId: string): JsonObject {
  const profile = world.accounts.get(userId)?.profile;
  const content: JsonObject = {};
  for (const key of ["displayname", "avatar_url"]) {
    const value: Json | undefined = profile?.get(key);
    if (typeof value === "string") content[key] = value;
  }
  return content;
}

/** A restricted join names a member who could have invited the user (room version 8 on). */
function authoriseByMember(world: World, room: Room, target: string, content: JsonObject): void {
  const present = room.membership(target);
  if (present === "join" || present === "invite") return;
  if (room.joinRule !== "restricted" && room.joinRule !== "knock_restricted") return;
  if (!allowedByRestriction(room, target, (roomId) => world.rooms.rooms.get(roomId))) return;
  for (const userId of room.joined) {
    if (world.accounts.isLocal(userId) && room.power.user(userId) >= room.power.invite) {
      content["join_authorised_via_users_server"] = userId;
      return;
    }
  }
}

/** The state that an invited or knocking user may see before joining (stripped by the caller). */
export function* previewState(room: Room, userId: string): Iterable<StoredEvent> {
  for (const type of [
    "m.room.create",
    "m.room.join_rules",
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.canonical_alias",
    "m.room.encryption",
  ]) {
    const event = room.state(type);
    if (event !== undefined) yield event;
  }
  const member = room.state("m.room.member", userId);
  if (member === undefined) return;
  const inviter = member.sender === userId ? undefined : room.state("m.room.member", member.sender);
  if (inviter !== undefined) yield inviter;
  yield member;
}
