import { forbidden, invalidParam, notFound } from "../errors.js";
import { authenticate } from "../http/authenticate.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { isStringArray } from "../json.js";
import { resolveAlias } from "../rooms/aliases.js";
import { clientEvent, relationOf, strippedEvent } from "../rooms/event.js";
import type { StoredEvent } from "../rooms/event.js";
import type { Room } from "../rooms/room.js";
import { detailedSummary, mayPreview } from "../rooms/summary.js";
import { canSee, readableUntil } from "../rooms/visibility.js";

const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;
const DEFAULT_DEPTH = 10;

/** Finding one's way: summaries, spaces, threads, the event at a time. */
export function exploringRoutes(router: Router): void {
  router.add("GET", "/_matrix/client/v1/room_summary/{roomIdOrAlias}", summary, "optional");
  router.add("GET", "/_matrix/client/v1/rooms/{roomId}/hierarchy", hierarchy);
  router.add("GET", "/_matrix/client/v1/rooms/{roomId}/threads", threads);
  router.add("GET", "/_matrix/client/v1/rooms/{roomId}/timestamp_to_event", eventAtTime);
}

async function summary(context: RequestContext): Promise<Reply> {
  const name = context.param("roomIdOrAlias");
  const { world } = context;
  const isAnonymous = context.headers.authorization === undefined && !context.query.has("access_token");
  const userId = isAnonymous ? undefined : authenticate(world, context.headers, context.query).userId;
  const room = name.startsWith("#") ? await resolveAlias(world, name) : world.rooms.rooms.get(name);
  if (room === undefined || !mayPreview(world, room, userId)) throw notFound("Room not found");
  const membership = userId === undefined ? undefined : (room.membership(userId) ?? "leave");
  return ok({ ...detailedSummary(room), ...(membership === undefined ? {} : { membership }) });
}

interface Found {
  readonly room: Room;
  readonly children: readonly StoredEvent[];
}

function hierarchy(context: RequestContext): Reply {
  const { world, userId } = context;
  const root = world.rooms.rooms.get(context.param("roomId"));
  if (root === undefined || !mayPreview(world, root, userId)) {
    throw forbidden(`User ${userId} not in room ${context.param("roomId")}, and room previews are disabled`);
  }
  const suggestedOnly = context.query.get("suggested_only") === "true";
  const found = walk(context, root, context.queryInteger("max_depth") ?? DEFAULT_DEPTH, suggestedOnly);
  const from = Number(context.query.get("from") ?? "0");
  if (!Number.isSafeInteger(from) || from < 0) throw invalidParam("Unknown pagination token");
  const limit = Math.min(context.queryInteger("limit") ?? DEFAULT_PAGE, MAX_PAGE);
  const rooms = found.slice(from, from + limit).map(({ room, children }): JsonObject => ({
    ...detailedSummary(room),
    children_state: children.map((event) => ({ ...strippedEvent(event), origin_server_ts: event.timestamp })),
  }));
  return ok({ rooms, ...(from + limit < found.length ? { next_batch: String(from + limit) } : {}) });
}

/** Depth first, each room once, children in the order of their `order`, then their age. */
function walk(context: RequestContext, root: Room, depth: number, suggestedOnly: boolean): Found[] {
  const { rooms } = context.world.rooms;
  const seen = new Set<string>();
  const found: Found[] = [];
  const visit = (room: Room, left: number): void => {
    if (seen.has(room.id) || !mayPreview(context.world, room, context.userId)) return;
    seen.add(room.id);
    const children = childrenOf(room).filter((event) => !suggestedOnly || event.content["suggested"] === true);
    found.push({ room, children });
    if (left <= 0) return;
    for (const child of children) {
      const next = rooms.get(child.stateKey ?? "");
      if (next !== undefined) visit(next, left - 1);
    }
  };
  visit(root, depth);
  return found;
}

function childrenOf(space: Room): StoredEvent[] {
  if (space.state("m.room.create")?.content["type"] !== "m.space") return [];
  const children = [...space.stateOfType("m.space.child").values()];
  const order = (event: StoredEvent): string => {
    const given = event.content["order"];
    return typeof given === "string" ? `0${given}` : `1${String(event.timestamp).padStart(16, "0")}`;
  };
  return children
    .filter((event) => isStringArray(event.content["via"]))
    .sort((left, right) => (order(left) < order(right) ? -1 : 1));
}

function readable(context: RequestContext): Room {
  const room = context.world.rooms.rooms.get(context.param("roomId"));
  if (room === undefined) throw forbidden(`User ${context.userId} not in room ${context.param("roomId")}`);
  readableUntil(room, context.userId);
  return room;
}

function threads(context: RequestContext): Reply {
  const room = readable(context);
  const { userId } = context;
  const include = context.query.get("include") ?? "all";
  if (include !== "all" && include !== "participated") throw invalidParam(`Unknown 'include' ${include}`);
  const latest = (root: StoredEvent): number => repliesOf(root).at(-1)?.position ?? 0;
  const roots = room.events
    .filter((event) => repliesOf(event).length > 0 && canSee(room, userId, event))
    .filter((event) => include === "all" || [event, ...repliesOf(event)].some(({ sender }) => sender === userId))
    .sort((left, right) => latest(right) - latest(left));
  const from = Number(context.query.get("from") ?? "0");
  if (!Number.isSafeInteger(from) || from < 0) throw invalidParam("Unknown pagination token");
  const limit = Math.min(context.queryInteger("limit") ?? DEFAULT_PAGE, MAX_PAGE);
  return ok({
    chunk: roots.slice(from, from + limit).map((event) => clientEvent(event, context.requester)),
    ...(from + limit < roots.length ? { next_batch: String(from + limit) } : {}),
  });
}

function repliesOf(event: StoredEvent): StoredEvent[] {
  return (event.children ?? []).filter((child) => relationOf(child.content)?.type === "m.thread");
}

function eventAtTime(context: RequestContext): Reply {
  const room = readable(context);
  const time = Number(context.queryString("ts"));
  if (!Number.isSafeInteger(time) || time < 0) throw invalidParam("Query parameter ts must be a positive integer");
  const forwards = context.queryString("dir") === "f";
  const visible = room.events.filter((event) => canSee(room, context.userId, event));
  const event = forwards
    ? visible.find((each) => each.timestamp >= time)
    : visible.findLast((each) => each.timestamp <= time);
  if (event === undefined) {
    throw notFound(`Unable to find event from ${time} in ${forwards ? "forward" : "backward"} direction`);
  }
  return ok({ event_id: event.eventId, origin_server_ts: event.timestamp });
}
