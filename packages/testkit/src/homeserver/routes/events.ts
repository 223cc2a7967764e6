import { forbidden, invalidParam, MatrixError, notFound } from "../errors.js";
import { oncePerTransaction } from "../http/client-transaction.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { stringField } from "../json.js";
import type { EventDraft, StoredEvent } from "../rooms/event.js";
import { clientEvent } from "../rooms/event.js";
import { memberProfile } from "../rooms/membership.js";
import type { Room } from "../rooms/room.js";

/** Longest time that an answer to a send waits for the application service, in milliseconds. */
const PUSH_WAIT_MS = 5_000;

/** Sending events, state, redactions. */
export function eventRoutes(router: Router): void {
  router.add("PUT", "/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}", sendMessage);
  router.add("PUT", "/_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}", redact);
  router.add("PUT", "/_matrix/client/v3/rooms/{roomId}/state/{eventType}", (context) => sendState(context, ""));
  router.add("PUT", "/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}", (context) =>
    sendState(context, context.param("stateKey")),
  );
}

/** Appends the event and answers with its id, after the application services have it where the fault says so. */
function append(context: RequestContext, room: Room, draft: EventDraft): Reply | Promise<Reply> {
  const { rooms, faults } = context.world;
  const event = rooms.send(room, draft, context.body.length);
  const reply = ok({ event_id: event.eventId });
  if (!faults.pushBeforeResponse) return reply;
  return context.world.pushed(event, room, PUSH_WAIT_MS).then(() => reply);
}

function sendMessage(context: RequestContext): Reply | Promise<Reply> {
  return oncePerTransaction(context, () => {
    const content = context.eventContent();
    const room = context.world.rooms.requireJoined(context.param("roomId"), context.userId);
    const type = context.param("eventType");
    const draft = draftOf(context, type, content);
    if (type !== "m.room.redaction") return append(context, room, draft);
    const redacts = stringField(content, "redacts");
    if (redacts === undefined) throw new MatrixError(400, "M_BAD_JSON", "'redacts' must be an event id");
    return append(context, room, { ...draft, redacts });
  });
}

function redact(context: RequestContext): Reply | Promise<Reply> {
  return oncePerTransaction(context, () => {
    const body = context.body.length === 0 ? {} : context.eventContent();
    const room = context.world.rooms.requireJoined(context.param("roomId"), context.userId);
    const redacts = context.param("eventId");
    const content: JsonObject = { ...body, redacts };
    // Massaged timestamps are for /send and /state alone.
    const draft = { ...draftOf(context, "m.room.redaction", content), timestamp: undefined };
    return append(context, room, { ...draft, redacts });
  });
}

function draftOf(context: RequestContext, type: string, content: JsonObject): EventDraft {
  const { userId, deviceId } = context.requester;
  const transaction = { userId, deviceId, txnId: context.param("txnId") };
  return { type, sender: userId, content, timestamp: context.timestamp, transaction };
}

function sendState(context: RequestContext, stateKey: string): Reply | Promise<Reply> {
  const content = context.eventContent();
  const type = context.param("eventType");
  const room = context.world.rooms.require(context.param("roomId"));
  if (type === "m.room.create") throw forbidden("A room has one m.room.create event only");
  if (type === "m.room.canonical_alias") checkCanonicalAlias(context, room, content);
  if (type === "m.room.member" && content["membership"] === "join" && stateKey === context.userId) {
    const profile = memberProfile(context.world, context.userId);
    for (const [key, value] of Object.entries(profile)) content[key] ??= value;
  }
  return append(context, room, { type, sender: context.userId, stateKey, content, timestamp: context.timestamp });
}

/** New aliases must be well-formed and point to the room. @throws MatrixError 400 */
function checkCanonicalAlias(context: RequestContext, room: Room, content: JsonObject): void {
  const before = room.state("m.room.canonical_alias")?.content ?? {};
  const old = new Set(aliasesIn(before));
  for (const alias of aliasesIn(content)) {
    if (old.has(alias)) continue;
    if (!/^#[^:\0]*:.+/su.test(alias)) throw invalidParam(`Room alias ${alias} is not valid`);
    if (context.world.rooms.aliases.get(alias)?.roomId !== room.id) {
      throw new MatrixError(400, "M_BAD_ALIAS", `Room alias ${alias} does not point to the room`);
    }
  }
}

function aliasesIn(content: JsonObject): string[] {
  const others = content["alt_aliases"];
  const alias = stringField(content, "alias");
  const list = Array.isArray(others) ? others.filter((entry) => typeof entry === "string") : [];
  return alias === undefined || alias === "" ? list : [alias, ...list];
}

/** The answer to a state request: the content, or with `format=event` the whole event. */
export function stateReply(context: RequestContext, event: StoredEvent | undefined): Reply {
  if (event === undefined) throw notFound("Event not found.");
  const format = context.query.get("format") ?? "content";
  if (format === "event") return ok(clientEvent(event, context.requester));
  if (format !== "content") throw invalidParam(`Unknown format ${format}`);
  return ok(event.content);
}
