import { badJson, invalidParam, MatrixError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import { isObject, isStringArray, objectField, stringField } from "../json.js";
import type { World } from "../world.js";
import { claimAlias } from "./aliases.js";
import { changeMembership } from "./membership.js";
import type { Room, RoomVersion } from "./room.js";

type Preset = "private_chat" | "public_chat" | "trusted_private_chat";

/** Who creates the room, and by which application service, which may use its exclusive aliases. */
export interface RoomCreator {
  readonly userId: string;
  readonly serviceId: string | undefined;
}

interface Plan {
  readonly version: RoomVersion;
  readonly preset: Preset;
  readonly invite: readonly string[];
  readonly creationContent: JsonObject;
  readonly initialState: readonly JsonObject[];
  readonly alias: string | undefined;
}

/** `POST /createRoom`. @throws MatrixError 400 before anything was made */
export function createRoom(world: World, creator: RoomCreator, request: JsonObject): Room {
  const plan = readPlan(world, request);
  const powerLevels = initialPowerLevels(plan, creator.userId, request);
  if (plan.alias !== undefined) claimAlias(world, plan.alias, creator.serviceId);
  const room = world.rooms.create(plan.version, {
    type: "m.room.create",
    sender: creator.userId,
    stateKey: "",
    content: { ...plan.creationContent, room_version: plan.version },
  });
  changeMembership(world, room, { sender: creator.userId, target: creator.userId, membership: "join" });
  const set = (type: string, content: JsonObject, stateKey = ""): void => {
    world.rooms.send(room, { type, sender: creator.userId, stateKey, content });
  };
  set("m.room.power_levels", powerLevels);
  if (plan.alias !== undefined) {
    world.rooms.aliases.set(plan.alias, { roomId: room.id, creator: creator.userId });
    room.aliases.add(plan.alias);
    set("m.room.canonical_alias", { alias: plan.alias });
  }
  applyPreset(plan, set);
  for (const state of plan.initialState) {
    set(stringField(state, "type") ?? "", objectField(state, "content") ?? {}, stringField(state, "state_key") ?? "");
  }
  const name = stringField(request, "name");
  if (name !== undefined) set("m.room.name", { name });
  const topic = stringField(request, "topic");
  if (topic !== undefined) set("m.room.topic", { topic, "m.topic": { "m.text": [{ body: topic }] } });
  if (request["visibility"] === "public") room.published = true;
  const extra: JsonObject = request["is_direct"] === true ? { is_direct: true } : {};
  for (const target of plan.invite) {
    changeMembership(world, room, { sender: creator.userId, target, membership: "invite", extra });
  }
  return room;
}

function readPlan(world: World, request: JsonObject): Plan {
  const named = request["room_version"] ?? world.settings.defaultRoomVersion;
  if (typeof named !== "string") throw badJson("'room_version' must be a string");
  const version = supportedVersion(world, named);
  const invite = request["invite"] ?? [];
  if (!isStringArray(invite)) throw badJson("'invite' must be a list of user ids");
  const bad = invite.find((userId) => !/^@[^:]*:.+/su.test(userId));
  if (bad !== undefined) throw new MatrixError(400, "M_UNKNOWN", `Invalid user_id: ${bad}`);
  const preset = readPreset(request);
  return {
    version,
    preset,
    invite,
    creationContent: readCreationContent(version, preset, request, invite),
    initialState: readInitialState(request),
    alias: readAlias(world, request),
  };
}

/** @throws MatrixError 400 `M_UNSUPPORTED_ROOM_VERSION` */
export function supportedVersion(world: World, name: string): RoomVersion {
  const version = world.profile.roomVersions.find((each) => each === name);
  if (version !== undefined) return version;
  throw new MatrixError(400, "M_UNSUPPORTED_ROOM_VERSION", `This server does not support room version ${name}`);
}

function readPreset(request: JsonObject): Preset {
  const preset = request["preset"] ?? (request["visibility"] === "public" ? "public_chat" : "private_chat");
  if (preset === "private_chat" || preset === "public_chat" || preset === "trusted_private_chat") return preset;
  throw invalidParam(`'${JSON.stringify(preset)}' is not a valid preset`);
}

function readCreationContent(
  version: RoomVersion,
  preset: Preset,
  request: JsonObject,
  invite: readonly string[],
): JsonObject {
  const content = { ...(objectField(request, "creation_content") ?? {}) };
  delete content["creator"];
  if (version !== "12") return content;
  const additional: Json = content["additional_creators"] ?? [];
  if (!isStringArray(additional) || additional.some((userId) => !/^@[^:]*:.+/su.test(userId))) {
    throw invalidParam("'additional_creators' must be a list of user ids");
  }
  const all = preset === "trusted_private_chat" ? [...new Set([...additional, ...invite])] : additional;
  if (all.length > 0) content["additional_creators"] = all;
  return content;
}

function readInitialState(request: JsonObject): JsonObject[] {
  const initial = request["initial_state"] ?? [];
  if (!Array.isArray(initial)) throw badJson("'initial_state' must be a list");
  return initial.map((state) => {
    if (!isObject(state) || stringField(state, "type") === undefined || objectField(state, "content") === undefined) {
      throw badJson("Every entry of 'initial_state' needs a 'type' and a 'content'");
    }
    return state;
  });
}

function readAlias(world: World, request: JsonObject): string | undefined {
  const name = request["room_alias_name"];
  if (name === undefined || name === null) return undefined;
  if (typeof name !== "string" || name === "" || /[\s:]/u.test(name)) {
    throw new MatrixError(400, "M_UNKNOWN", "Invalid characters in room alias");
  }
  return `#${name}:${world.serverName}`;
}

function initialPowerLevels(plan: Plan, creator: string, request: JsonObject): JsonObject {
  const isNew = plan.version === "12";
  const isPublic = plan.preset === "public_chat";
  const users: JsonObject = isNew ? {} : { [creator]: 100 };
  if (!isNew && plan.preset === "trusted_private_chat") for (const userId of plan.invite) users[userId] = 100;
  const levels: JsonObject = {
    users,
    users_default: 0,
    events: {
      "m.room.name": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.canonical_alias": 50,
      "m.room.avatar": 50,
      "m.room.tombstone": isNew ? 150 : 100,
      "m.room.server_acl": 100,
      "m.room.encryption": 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: isPublic ? 50 : 0,
    historical: 100,
  };
  // Beside the events, not among them: so does Synapse.
  if (isPublic) levels["m.call.invite"] = 50;
  Object.assign(levels, objectField(request, "power_level_content_override"));
  if (isNew) {
    const additional = plan.creationContent["additional_creators"];
    const creators = new Set([creator, ...(isStringArray(additional) ? additional : [])]);
    const listed = Object.keys(objectField(levels, "users") ?? {}).find((userId) => creators.has(userId));
    if (listed !== undefined) {
      throw new MatrixError(400, "M_UNKNOWN", `Creator user ${listed} must not appear in content.users`);
    }
  }
  return levels;
}

function applyPreset(plan: Plan, set: (type: string, content: JsonObject) => void): void {
  const given = new Set(plan.initialState.map((state) => stringField(state, "type")));
  const isPublic = plan.preset === "public_chat";
  if (!given.has("m.room.join_rules")) set("m.room.join_rules", { join_rule: isPublic ? "public" : "invite" });
  if (!given.has("m.room.history_visibility")) set("m.room.history_visibility", { history_visibility: "shared" });
  if (!given.has("m.room.guest_access") && !isPublic) set("m.room.guest_access", { guest_access: "can_join" });
}
