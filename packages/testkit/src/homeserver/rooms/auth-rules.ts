import { badJson, forbidden, MatrixError } from "../errors.js";
import type { JsonObject } from "../json.js";
import { isObject, objectField, stringField } from "../json.js";
import type { EventDraft } from "./event.js";
import { invalidLevel, refusedLevelChange } from "./power-levels.js";
import type { Room } from "./room.js";
import { membershipOf } from "./room.js";

/** Looks up other rooms, for the `restricted` join rule. */
export type RoomLookup = (roomId: string) => Room | undefined;

/**
 * The authorisation rules of room versions 11 and 12, applied to the room's present state.
 * @throws MatrixError 403 `M_FORBIDDEN`, or 400 `M_BAD_JSON` for contents no server accepts
 */
export function authorise(room: Room, draft: EventDraft, rooms: RoomLookup): void {
  if (draft.type === "m.room.create") {
    if (room.events.length > 0) throw forbidden("A room has one m.room.create event only");
    return;
  }
  checkFederation(room, draft.sender);
  if (draft.type === "m.room.member") {
    authoriseMembership(room, draft, rooms);
    return;
  }
  if (room.membership(draft.sender) !== "join") throw forbidden(`User ${draft.sender} not in room ${room.id}`);
  const required = room.power.required(draft.type, draft.stateKey !== undefined);
  const own = room.power.user(draft.sender);
  if (draft.type === "m.room.third_party_invite") {
    if (own < room.power.invite) throw forbidden("You don't have permission to invite users");
    return;
  }
  if (own < required) {
    throw forbidden(
      `You don't have permission to post that to the room. user_level (${own}) < send_level (${required})`,
    );
  }
  if (draft.stateKey?.startsWith("@") === true && draft.stateKey !== draft.sender) {
    throw forbidden("You are not allowed to set others state");
  }
  if (draft.type === "m.room.power_levels") authorisePowerLevels(room, draft, own);
}

function checkFederation(room: Room, sender: string): void {
  const create = room.state("m.room.create");
  if (create?.content["m.federate"] !== false) return;
  const domain = (id: string): string => id.slice(id.indexOf(":") + 1);
  if (domain(create.sender) !== domain(sender)) throw forbidden("This room has been marked as unfederatable");
}

function authorisePowerLevels(room: Room, draft: EventDraft, own: number): void {
  const bad = invalidLevel(draft.content);
  if (bad !== undefined) throw badJson(`${bad} of m.room.power_levels is not an integer`);
  const users = objectField(draft.content, "users") ?? {};
  const creator = Object.keys(users).find((userId) => room.creators.has(userId));
  if (creator !== undefined) {
    throw new MatrixError(400, "M_UNKNOWN", `Creator user ${creator} must not appear in content.users`);
  }
  const invalid = Object.keys(users).find((userId) => !/^@[^:]*:.+/su.test(userId));
  if (invalid !== undefined) throw badJson(`'${invalid}' in m.room.power_levels is not a user id`);
  const before = room.state("m.room.power_levels");
  if (before === undefined) return;
  const refusal = refusedLevelChange(before.content, draft.content, draft.sender, own);
  if (refusal !== undefined) throw forbidden(refusal);
}

function authoriseMembership(room: Room, draft: EventDraft, rooms: RoomLookup): void {
  const target = draft.stateKey;
  if (target === undefined) throw badJson("m.room.member needs a state key");
  if (!/^@[^:]*:.+/su.test(target)) throw badJson(`'${target}' is not a user id`);
  switch (membershipOf(draft.content)) {
    case "join":
      authoriseJoin(room, draft, target, rooms);
      return;
    case "invite":
      authoriseInvite(room, draft, target);
      return;
    case "leave":
      authoriseLeave(room, draft, target);
      return;
    case "ban":
      authoriseBan(room, draft, target);
      return;
    case "knock":
      authoriseKnock(room, draft, target);
      return;
    default:
      throw new MatrixError(400, "M_UNKNOWN", "Invalid membership key");
  }
}

function authoriseJoin(room: Room, draft: EventDraft, target: string, rooms: RoomLookup): void {
  if (draft.sender !== target) throw forbidden("Cannot force another user to join.");
  const create = room.state("m.room.create");
  if (room.events.length === 1 && create?.sender === target) return;
  const present = room.membership(target);
  if (present === "ban") throw new MatrixError(403, "M_BAD_STATE", "You are banned from this room");
  if (present === "join" || room.joinRule === "public") return;
  if (present === "invite") return;
  if (room.joinRule === "restricted" || room.joinRule === "knock_restricted") {
    if (allowedByRestriction(room, target, rooms)) return;
    throw forbidden("You do not belong to any of the required rooms/spaces to join this room.");
  }
  throw forbidden("You are not invited to this room.");
}

/** True where `userId` is joined to one of the rooms that the `restricted` join rule names. */
export function allowedByRestriction(room: Room, userId: string, rooms: RoomLookup): boolean {
  const allow = room.state("m.room.join_rules")?.content["allow"];
  if (!Array.isArray(allow)) return false;
  return allow.some((condition) => {
    if (!isObject(condition) || condition["type"] !== "m.room_membership") return false;
    const other = stringField(condition, "room_id");
    return other !== undefined && rooms(other)?.membership(userId) === "join";
  });
}

function authoriseInvite(room: Room, draft: EventDraft, target: string): void {
  if (room.membership(draft.sender) !== "join") throw forbidden(`${draft.sender} not in room ${room.id}.`);
  const present = room.membership(target);
  if (present === "ban") throw new MatrixError(403, "M_BAD_STATE", "Cannot invite user who was banned");
  if (present === "join") throw forbidden(`${target} is already in the room.`);
  if (room.power.user(draft.sender) < room.power.invite) throw forbidden("You don't have permission to invite users");
}

function authoriseLeave(room: Room, draft: EventDraft, target: string): void {
  const present = room.membership(target);
  if (draft.sender === target) {
    if (present === "join" || present === "invite" || present === "knock") return;
    throw forbidden(`${target} is not in room ${room.id}.`);
  }
  if (room.membership(draft.sender) !== "join") throw forbidden(`${draft.sender} not in room ${room.id}.`);
  const own = room.power.user(draft.sender);
  if (present === "ban") {
    if (own < room.power.ban) throw forbidden("You cannot unban user");
    return;
  }
  if (own < room.power.kick || own <= room.power.user(target)) throw forbidden(`You cannot kick user ${target}.`);
}

function authoriseBan(room: Room, draft: EventDraft, target: string): void {
  if (room.membership(draft.sender) !== "join") throw forbidden(`${draft.sender} not in room ${room.id}.`);
  const own = room.power.user(draft.sender);
  if (own < room.power.ban || own <= room.power.user(target)) throw forbidden("You don't have permission to ban");
}

function authoriseKnock(room: Room, draft: EventDraft, target: string): void {
  if (draft.sender !== target) throw forbidden("You cannot knock for other users");
  if (room.joinRule !== "knock" && room.joinRule !== "knock_restricted") {
    throw forbidden("You don't have permission to knock");
  }
  const present = room.membership(target);
  if (present === "ban" || present === "join" || present === "invite") {
    throw forbidden(`You cannot knock on this room: your membership is ${present}`);
  }
}

/** What no server accepts in a content, whatever the room says. */
export function checkContent(type: string, content: JsonObject): void {
  if (type !== "m.room.message") return;
  for (const key of ["body", "msgtype", "format", "formatted_body"]) {
    const value = content[key];
    if (value !== undefined && typeof value !== "string") {
      throw new MatrixError(400, "M_UNKNOWN", `'${key}' not a string type`);
    }
  }
}
