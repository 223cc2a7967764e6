import { badJson, invalidParam, MatrixError, missingParam } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { stringField } from "../json.js";
import { resolveAlias } from "../rooms/aliases.js";
import { createRoom } from "../rooms/create-room.js";
import { changeMembership } from "../rooms/membership.js";
import type { Membership, Room } from "../rooms/room.js";
import { upgradeRoom } from "../rooms/upgrade.js";

/** Creating, upgrading, and everything that changes a membership. */
export function roomRoutes(router: Router): void {
  router.add("POST", "/_matrix/client/v3/createRoom", create);
  router.add("POST", "/_matrix/client/v3/join/{roomIdOrAlias}", joinByIdOrAlias);
  router.add("POST", "/_matrix/client/v3/knock/{roomIdOrAlias}", knock);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/join", joinById);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/invite", (context) => target(context, "invite"));
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/kick", kick);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/ban", (context) => target(context, "ban"));
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/unban", unban);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/leave", leave);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/forget", forget);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/upgrade", upgrade);
  router.add("GET", "/_matrix/client/v3/joined_rooms", joinedRooms);
}

function create(context: RequestContext): Reply {
  const creator = { userId: context.userId, serviceId: context.requester.service?.info.id };
  return ok({ room_id: createRoom(context.world, creator, context.json()).id });
}

function upgrade(context: RequestContext): Reply {
  const room = context.world.rooms.requireJoined(context.param("roomId"), context.userId);
  return ok({ replacement_room: upgradeRoom(context.world, room, context.userId, context.json()).id });
}

function joinedRooms(context: RequestContext): Reply {
  return ok({ joined_rooms: context.world.rooms.joinedRooms(context.userId).map((room) => room.id) });
}

async function namedRoom(context: RequestContext): Promise<Room> {
  const name = context.param("roomIdOrAlias");
  if (name.startsWith("#")) return resolveAlias(context.world, name);
  if (!name.startsWith("!")) throw new MatrixError(400, "M_UNKNOWN", `${name} was not legal room ID or room alias`);
  return knownRoom(context, name);
}

/** An id this server has no room for: a join needs the name of another server, and there is none. */
function knownRoom(context: RequestContext, roomId: string): Room {
  const room = context.world.rooms.rooms.get(roomId);
  if (room === undefined)
    throw new MatrixError(
      404,
      "M_UNKNOWN",
      "Can't join remote room because no servers that are in the room have been provided.",
    );
  return room;
}

async function joinByIdOrAlias(context: RequestContext): Promise<Reply> {
  return join(context, await namedRoom(context));
}

function joinById(context: RequestContext): Reply {
  return join(context, knownRoom(context, context.param("roomId")));
}

function join(context: RequestContext, room: Room): Reply {
  const body = context.json({ optional: true });
  changeMembership(context.world, room, {
    sender: context.userId,
    target: context.userId,
    membership: "join",
    reason: stringField(body, "reason"),
  });
  return ok({ room_id: room.id });
}

async function knock(context: RequestContext): Promise<Reply> {
  const room = await namedRoom(context);
  const reason = stringField(context.json({ optional: true }), "reason");
  changeMembership(context.world, room, {
    sender: context.userId,
    target: context.userId,
    membership: "knock",
    reason,
  });
  return ok({ room_id: room.id });
}

function targetOf(body: JsonObject): string {
  const userId = body["user_id"];
  if (userId === undefined) throw missingParam("Missing 'user_id'");
  if (typeof userId !== "string") throw badJson("'user_id' must be a string");
  if (!/^@[^:]*:.+/su.test(userId)) throw invalidParam(`'${userId}' is not a user id`);
  return userId;
}

function target(context: RequestContext, membership: Membership): Reply {
  const body = context.json();
  const room = context.world.rooms.require(context.param("roomId"));
  const change = { sender: context.userId, target: targetOf(body), membership, reason: stringField(body, "reason") };
  changeMembership(context.world, room, change);
  return ok();
}

function kick(context: RequestContext): Reply {
  const userId = targetOf(context.json());
  const membership = context.world.rooms.require(context.param("roomId")).membership(userId);
  if (membership === "ban") throw new MatrixError(403, "M_BAD_STATE", "Cannot kick user who was banned");
  if (membership !== "join" && membership !== "invite" && membership !== "knock") {
    throw new MatrixError(403, "M_FORBIDDEN", `The target user is not in the room`);
  }
  return target(context, "leave");
}

function unban(context: RequestContext): Reply {
  const userId = targetOf(context.json());
  if (context.world.rooms.require(context.param("roomId")).membership(userId) !== "ban") {
    throw new MatrixError(403, "M_BAD_STATE", "Cannot unban user who was not banned.");
  }
  return target(context, "leave");
}

function leave(context: RequestContext): Reply {
  const reason = stringField(context.json({ optional: true }), "reason");
  const room = context.world.rooms.require(context.param("roomId"));
  if (room.membership(context.userId) === "leave") return ok();
  changeMembership(context.world, room, {
    sender: context.userId,
    target: context.userId,
    membership: "leave",
    reason,
  });
  return ok();
}

function forget(context: RequestContext): Reply {
  const room = context.world.rooms.require(context.param("roomId"));
  const membership = room.membership(context.userId);
  if (membership === "join" || membership === "invite" || membership === "knock") {
    throw new MatrixError(400, "M_UNKNOWN", `User ${context.userId} is in room ${room.id}`);
  }
  context.world.rooms.forget(room, context.userId);
  return ok();
}
