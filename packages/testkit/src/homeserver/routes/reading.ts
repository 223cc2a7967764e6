import { forbidden, invalidParam, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import type { StoredEvent } from "../rooms/event.js";
import { clientEvent, relationOf } from "../rooms/event.js";
import { page, parseFilter, positionOf, tokenAt } from "../rooms/pagination.js";
import type { Room } from "../rooms/room.js";
import { membershipOf } from "../rooms/room.js";
import { requireEvent } from "../rooms/room-store.js";
import { canSee, lastSeen, readableUntil } from "../rooms/visibility.js";
import { stateReply } from "./events.js";

/** Reading a room: state, members, timeline, single events, relations. */
export function readingRoutes(router: Router): void {
  const room = "/_matrix/client/v3/rooms/{roomId}";
  router.add("GET", `${room}/state`, allState);
  router.add("GET", `${room}/state/{eventType}`, (context) => oneState(context, ""));
  router.add("GET", `${room}/state/{eventType}/{stateKey}`, (context) => oneState(context, context.param("stateKey")));
  router.add("GET", `${room}/event/{eventId}`, oneEvent);
  router.add("GET", `${room}/context/{eventId}`, eventContext);
  router.add("GET", `${room}/messages`, messages);
  router.add("GET", `${room}/members`, members);
  router.add("GET", `${room}/joined_members`, joinedMembers);
  const relations = "/_matrix/client/v1/rooms/{roomId}/relations/{eventId}";
  router.add("GET", relations, (context) => relationPage(context, undefined, undefined));
  router.add("GET", `${relations}/{relType}`, (context) => relationPage(context, context.param("relType"), undefined));
  router.add("GET", `${relations}/{relType}/{eventType}`, (context) =>
    relationPage(context, context.param("relType"), context.param("eventType")),
  );
}

/** The state the requester may read, and the place in the stream at which it reads it. */
function readableState(context: RequestContext): { room: Room; until: number } {
  const room = context.world.rooms.rooms.get(context.param("roomId"));
  if (room === undefined) throw forbidden(`User ${context.userId} not in room ${context.param("roomId")}`);
  return { room, until: readableUntil(room, context.userId) };
}

function allState(context: RequestContext): Reply {
  const { room, until } = readableState(context);
  return ok([...room.stateAt(until)].map((event) => clientEvent(event, context.requester)));
}

function oneState(context: RequestContext, stateKey: string): Reply {
  const { room, until } = readableState(context);
  let event = room.state(context.param("eventType"), stateKey);
  while (event !== undefined && event.position > until) event = event.replaces;
  return stateReply(context, event);
}

function visibleEvent(context: RequestContext): { room: Room; event: StoredEvent } {
  const room = context.world.rooms.rooms.get(context.param("roomId"));
  if (room === undefined) throw notFound("Event not found.");
  const event = requireEvent(room, context.world.rooms.event(context.param("eventId")));
  if (!canSee(room, context.userId, event)) throw notFound("Event not found.");
  return { room, event };
}

function oneEvent(context: RequestContext): Reply {
  return ok(clientEvent(visibleEvent(context).event, context.requester));
}

function eventContext(context: RequestContext): Reply {
  const { room, event } = visibleEvent(context);
  const limit = context.queryInteger("limit") ?? 10;
  const matches = visibleMatcher(context, room);
  const half = Math.floor(limit / 2);
  const before = page(room, { backwards: true, from: event.position - 1, to: undefined, limit: half, matches });
  const after = page(room, { backwards: false, from: event.position, to: undefined, limit: half, matches });
  const last = after.events.at(-1) ?? event;
  return ok({
    start: before.end ?? tokenAt((before.events.at(-1) ?? event).position - 1),
    end: tokenAt(last.position),
    event: clientEvent(event, context.requester),
    events_before: before.events.map((each) => clientEvent(each, context.requester)),
    events_after: after.events.map((each) => clientEvent(each, context.requester)),
    state: [...room.stateAt(last.position)].map((each) => clientEvent(each, context.requester)),
  });
}

function visibleMatcher(context: RequestContext, room: Room): (event: StoredEvent) => boolean {
  const filter = parseFilter(context.query.get("filter"));
  return (event) => filter.matches(event) && canSee(room, context.userId, event);
}

function direction(context: RequestContext, fallback?: string): boolean {
  const dir = context.query.get("dir") ?? fallback;
  if (dir !== "b" && dir !== "f") throw invalidParam("Query parameter dir must be one of b, f");
  return dir === "b";
}

function tokenParameter(context: RequestContext, name: string): number | undefined {
  const token = context.query.get(name);
  return token === null ? undefined : positionOf(token);
}

function messages(context: RequestContext): Reply {
  const { room } = readableState(context);
  const backwards = direction(context);
  const filter = parseFilter(context.query.get("filter"));
  // Who has left sees nothing later here, not even in a world-readable room.
  const last = lastSeen(room, context.userId);
  const found = page(room, {
    backwards,
    from: tokenParameter(context, "from"),
    to: tokenParameter(context, "to"),
    limit: context.queryInteger("limit") ?? filter.limit,
    matches: (event) => event.position <= last && filter.matches(event) && canSee(room, context.userId, event),
  });
  const chunk = found.events.map((event) => clientEvent(event, context.requester));
  return ok({ chunk, start: found.start, ...(found.end === undefined ? {} : { end: found.end }) });
}

function members(context: RequestContext): Reply {
  const { room, until } = readableState(context);
  const at = Math.min(until, tokenParameter(context, "at") ?? Infinity);
  const wanted = context.query.get("membership");
  const unwanted = context.query.get("not_membership");
  const chunk: JsonObject[] = [];
  for (const event of room.stateAt(at)) {
    if (event.type !== "m.room.member") continue;
    const membership = membershipOf(event.content);
    if (wanted !== null && membership !== wanted) continue;
    if (unwanted !== null && membership === unwanted) continue;
    chunk.push(clientEvent(event, context.requester));
  }
  return ok({ chunk });
}

/** Joined members only may ask; in Synapse also an application service with any joined user of its own. */
function joinedMembers(context: RequestContext): Reply {
  const room = context.world.rooms.rooms.get(context.param("roomId"));
  const service = context.requester.service?.info;
  const anyGhost = context.world.profile.membersByAnyGhost && service !== undefined;
  const allowed =
    room !== undefined &&
    (room.membership(context.userId) === "join" || (anyGhost && (room.interest.get(service.id) ?? 0) > 0));
  if (!allowed) throw forbidden(`User ${context.userId} not in room ${context.param("roomId")}`);
  const joined: JsonObject = {};
  for (const userId of room.joined) {
    const content = room.state("m.room.member", userId)?.content ?? {};
    const { displayname, avatar_url: avatarUrl } = content;
    joined[userId] = {
      ...(typeof displayname === "string" ? { display_name: displayname } : {}),
      ...(typeof avatarUrl === "string" ? { avatar_url: avatarUrl } : {}),
    };
  }
  return ok({ joined });
}

function relationPage(context: RequestContext, relType: string | undefined, eventType: string | undefined): Reply {
  const { room, event } = visibleEvent(context);
  const backwards = direction(context, "b");
  const from = tokenParameter(context, "from");
  const limit = Math.min(context.queryInteger("limit") ?? 5, 1000);
  const children = (event.children ?? []).filter((child) => {
    if (relType !== undefined && relationOf(child.content)?.type !== relType) return false;
    if (eventType !== undefined && child.type !== eventType) return false;
    if (from !== undefined && (backwards ? child.position > from : child.position <= from)) return false;
    return canSee(room, context.userId, child);
  });
  if (backwards) children.reverse();
  const chunk = children.slice(0, limit);
  const last = chunk.at(-1);
  const next =
    children.length > limit && last !== undefined ? tokenAt(backwards ? last.position - 1 : last.position) : undefined;
  return ok({
    chunk: chunk.map((child) => clientEvent(child, context.requester)),
    ...(next === undefined ? {} : { next_batch: next }),
  });
}
