import { forbidden, invalidParam, MatrixError, missingParam, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { integerField, objectField, stringField } from "../json.js";
import { claimAlias, isReserved, resolveAlias } from "../rooms/aliases.js";
import type { Room } from "../rooms/room.js";
import { roomSummary } from "../rooms/summary.js";

/** Aliases and the room directories. */
export function directoryRoutes(router: Router): void {
  const alias = "/_matrix/client/v3/directory/room/{roomAlias}";
  router.add("GET", alias, getAlias, "optional");
  router.add("PUT", alias, putAlias);
  router.add("DELETE", alias, deleteAlias);
  router.add("GET", "/_matrix/client/v3/rooms/{roomId}/aliases", roomAliases);
  router.add("GET", "/_matrix/client/v3/directory/list/room/{roomId}", getVisibility, "optional");
  router.add("PUT", "/_matrix/client/v3/directory/list/room/{roomId}", putVisibility);
  router.add("PUT", "/_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}", putNetworkVisibility);
  router.add("GET", "/_matrix/client/v3/publicRooms", listRooms, "optional");
  router.add("POST", "/_matrix/client/v3/publicRooms", searchRooms);
}

async function getAlias(context: RequestContext): Promise<Reply> {
  const alias = context.param("roomAlias");
  if (!/^#[^:\0]*:.+/su.test(alias)) throw invalidParam("Room alias invalid");
  const room = await resolveAlias(context.world, alias);
  return ok({ room_id: room.id, servers: [context.world.serverName] });
}

function putAlias(context: RequestContext): Reply {
  const alias = context.param("roomAlias");
  const roomId = stringField(context.json(), "room_id");
  if (roomId === undefined) throw missingParam("Missing 'room_id'");
  const room = context.world.rooms.require(roomId);
  if (context.requester.service === undefined && room.membership(context.userId) !== "join") {
    throw forbidden("You must be in the room to create an alias for it");
  }
  if (context.world.rooms.aliases.has(alias)) {
    throw new MatrixError(409, "M_UNKNOWN", `Room alias ${alias} already exists`);
  }
  claimAlias(context.world, alias, context.requester.service?.info.id);
  context.world.rooms.aliases.set(alias, { roomId, creator: context.userId });
  room.aliases.add(alias);
  return ok();
}

function deleteAlias(context: RequestContext): Reply {
  const alias = context.param("roomAlias");
  const entry = context.world.rooms.aliases.get(alias);
  if (entry === undefined) throw notFound(`Room alias ${alias} not found`);
  const room = context.world.rooms.rooms.get(entry.roomId);
  const service = context.requester.service?.info;
  if (service === undefined && isReserved(context.world, alias))
    throw new MatrixError(400, "M_EXCLUSIVE", "This alias is reserved by an application service.");
  const allowed =
    entry.creator === context.userId || service?.ownsAlias(alias) === true || mayPublish(room, context.userId);
  if (!allowed) throw forbidden("You don't have permission to delete the alias.");
  context.world.rooms.aliases.delete(alias);
  room?.aliases.delete(alias);
  return ok();
}

function mayPublish(room: Room | undefined, userId: string): boolean {
  if (room?.membership(userId) !== "join") return false;
  return room.power.user(userId) >= room.power.required("m.room.canonical_alias", true);
}

function roomAliases(context: RequestContext): Reply {
  const room = context.world.rooms.require(context.param("roomId"));
  if (room.membership(context.userId) !== "join" && room.historyVisibility !== "world_readable") {
    throw forbidden(`User ${context.userId} not in room ${room.id}`);
  }
  return ok({ aliases: [...room.aliases] });
}

function getVisibility(context: RequestContext): Reply {
  return ok({ visibility: context.world.rooms.require(context.param("roomId")).published ? "public" : "private" });
}

function visibility(body: JsonObject, fallback: string | undefined): boolean {
  const value = body["visibility"] ?? fallback;
  if (value !== "public" && value !== "private") throw invalidParam("'visibility' must be public or private");
  return value === "public";
}

function putVisibility(context: RequestContext): Reply {
  const room = context.world.rooms.require(context.param("roomId"));
  if (!mayPublish(room, context.userId)) throw forbidden("You don't have permission to publish the room");
  room.published = visibility(context.json({ optional: true }), "public");
  return ok();
}

function putNetworkVisibility(context: RequestContext): Reply {
  const service = context.requester.service;
  if (service === undefined) throw forbidden("Only appservices can edit the appservice published room list");
  const key = `${service.info.id}|${context.param("networkId")}`;
  const room = context.world.rooms.require(context.param("roomId"));
  const network = context.world.rooms.networkDirectory.get(key) ?? new Set<string>();
  context.world.rooms.networkDirectory.set(key, network);
  if (visibility(context.json(), undefined)) network.add(room.id);
  else network.delete(room.id);
  return ok();
}

function listRooms(context: RequestContext): Reply {
  return roomPage(publishedRooms(context, {}), context.queryInteger("limit"), context.query.get("since") ?? undefined);
}

function searchRooms(context: RequestContext): Reply {
  const body = context.json({ optional: true });
  const term = stringField(objectField(body, "filter") ?? {}, "generic_search_term")?.toLowerCase();
  const rooms = publishedRooms(context, body).filter((room) => term === undefined || matchesTerm(room, term));
  return roomPage(rooms, integerField(body, "limit"), stringField(body, "since"));
}

function publishedRooms(context: RequestContext, body: JsonObject): Room[] {
  const { rooms, networkDirectory } = context.world.rooms;
  const instance = stringField(body, "third_party_instance_id");
  if (instance !== undefined && instance !== "") {
    return [...(networkDirectory.get(instance) ?? [])].flatMap((id) => rooms.get(id) ?? []);
  }
  const ids = new Set([...rooms.values()].filter((room) => room.published).map((room) => room.id));
  if (body["include_all_networks"] === true)
    for (const network of networkDirectory.values()) for (const id of network) ids.add(id);
  return [...ids].flatMap((id) => rooms.get(id) ?? []);
}

function matchesTerm(room: Room, term: string): boolean {
  const { name, topic, canonical_alias: alias } = roomSummary(room);
  return [name, topic, alias].some((text) => typeof text === "string" && text.toLowerCase().includes(term));
}

function roomPage(rooms: readonly Room[], limit: number | undefined, since: string | undefined): Reply {
  const start = since === undefined ? 0 : Number(since);
  if (!Number.isSafeInteger(start) || start < 0) throw invalidParam("Invalid 'since'");
  const sorted = rooms.toSorted((left, right) => right.joined.size - left.joined.size);
  const size = Math.max(1, limit ?? 100);
  const chunk = sorted.slice(start, start + size).map(roomSummary);
  return ok({
    chunk,
    total_room_count_estimate: sorted.length,
    ...(start + size < sorted.length ? { next_batch: String(start + size) } : {}),
    ...(start > 0 ? { prev_batch: String(Math.max(0, start - size)) } : {}),
  });
}
