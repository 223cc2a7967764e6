import { forbidden, missingParam } from "../errors.js";
import type { JsonObject } from "../json.js";
import { isStringArray, objectField, stringField } from "../json.js";
import type { World } from "../world.js";
import { isReserved } from "./aliases.js";
import { supportedVersion } from "./create-room.js";
import { changeMembership } from "./membership.js";
import type { Room } from "./room.js";

/** State that a server copies into the replacement room (Client-Server API, "Room upgrades"). */
const COPIED = [
  "m.room.join_rules",
  "m.room.name",
  "m.room.topic",
  "m.room.avatar",
  "m.room.history_visibility",
  "m.room.guest_access",
  "m.room.encryption",
  "m.room.server_acl",
  "m.space.parent",
  "m.space.child",
];

/** `POST /rooms/{roomId}/upgrade`: the replacement, the tombstone, the aliases moved, the old room closed to talk. */
export function upgradeRoom(world: World, old: Room, userId: string, request: JsonObject): Room {
  const named = stringField(request, "new_version");
  if (named === undefined) throw missingParam("Missing 'new_version'");
  const version = supportedVersion(world, named);
  if (old.power.user(userId) < old.power.required("m.room.tombstone", true)) {
    throw forbidden("You don't have permission to upgrade the room");
  }
  const replacement = makeReplacement(world, old, userId, version, request);
  world.rooms.send(old, {
    type: "m.room.tombstone",
    sender: userId,
    stateKey: "",
    content: { body: "This room has been replaced", replacement_room: replacement.id },
  });
  moveAliases(world, old, replacement, userId);
  silence(world, old, userId);
  return replacement;
}

function makeReplacement(world: World, old: Room, userId: string, version: "11" | "12", request: JsonObject): Room {
  const creation: JsonObject = { room_version: version, predecessor: predecessor(old, version) };
  for (const key of ["m.federate", "type"]) {
    const value = old.state("m.room.create")?.content[key];
    if (value !== undefined) creation[key] = value;
  }
  const additional = request["additional_creators"];
  if (version === "12" && isStringArray(additional)) creation["additional_creators"] = additional;
  const room = world.rooms.create(version, { type: "m.room.create", sender: userId, stateKey: "", content: creation });
  changeMembership(world, room, { sender: userId, target: userId, membership: "join" });
  const levels = { ...(old.state("m.room.power_levels")?.content ?? {}) };
  const listed = Object.entries(objectField(levels, "users") ?? {});
  const users = Object.fromEntries(listed.filter(([listedId]) => !room.creators.has(listedId)));
  if (version !== "12") users[userId] = 100;
  const send = (type: string, content: JsonObject, stateKey = ""): void => {
    world.rooms.send(room, { type, sender: userId, stateKey, content });
  };
  send("m.room.power_levels", { ...levels, users });
  for (const type of COPIED) {
    for (const [stateKey, event] of old.stateOfType(type)) send(type, event.content, stateKey);
  }
  for (const [target, event] of old.stateOfType("m.room.member")) {
    if (event.content["membership"] === "ban") {
      changeMembership(world, room, { sender: userId, target, membership: "ban" });
    }
  }
  return room;
}

/** Room version 12 names the room alone. */
function predecessor(old: Room, version: "11" | "12"): JsonObject {
  const last = old.events.at(-1);
  return version === "12" || last === undefined ? { room_id: old.id } : { room_id: old.id, event_id: last.eventId };
}

/** Those of an application service stay where they are: it is for that to move them. */
function moveAliases(world: World, old: Room, replacement: Room, userId: string): void {
  replacement.published = old.published;
  old.published = false;
  const moved = [...old.aliases].filter((alias) => !isReserved(world, alias));
  for (const alias of moved) {
    const entry = world.rooms.aliases.get(alias);
    if (entry === undefined) continue;
    world.rooms.aliases.set(alias, { ...entry, roomId: replacement.id });
    replacement.aliases.add(alias);
    old.aliases.delete(alias);
  }
  if (moved.length === 0) return;
  const canonical = old.state("m.room.canonical_alias");
  if (canonical === undefined) return;
  world.rooms.send(old, { type: "m.room.canonical_alias", sender: userId, stateKey: "", content: {} });
  world.rooms.send(replacement, {
    type: "m.room.canonical_alias",
    sender: userId,
    stateKey: "",
    content: canonical.redactedBecause === undefined ? canonical.content : {},
  });
}

/** Talking and inviting in the old room take more than the users' default level from now on. */
function silence(world: World, old: Room, userId: string): void {
  const levels = old.state("m.room.power_levels");
  if (levels === undefined) return;
  const restricted = Math.max(50, old.power.user("@nobody:nowhere.invalid") + 1);
  const own = old.power.user(userId);
  if (own < restricted) return;
  const content = { ...levels.content, events_default: restricted, invite: restricted };
  world.rooms.send(old, { type: "m.room.power_levels", sender: userId, stateKey: "", content });
}
