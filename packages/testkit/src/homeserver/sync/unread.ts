import type { JsonObject } from "../json.js";
import { isStringArray, objectField } from "../json.js";
import type { StoredEvent } from "../rooms/event.js";
import type { Room } from "../rooms/room.js";

/** How far back messages are counted. */
const MOST = 1_000;

/** Messages of others since the user last read or spoke, and how many of them mention the user. */
export function unreadCounts(room: Room, userId: string): JsonObject {
  const read = new Set(
    ["m.read", "m.read.private"].flatMap((type) => room.receipts.get(type)?.get(userId)?.eventId ?? []),
  );
  let notifications = 0;
  let highlights = 0;
  for (let index = room.events.length - 1; index >= Math.max(0, room.events.length - MOST); index--) {
    const event = room.events[index];
    if (event === undefined || event.sender === userId || read.has(event.eventId)) break;
    if (!notifies(event)) continue;
    notifications++;
    if (mentions(event, userId)) highlights++;
  }
  return { notification_count: notifications, highlight_count: highlights };
}

function notifies(event: StoredEvent): boolean {
  if (event.redactedBecause !== undefined || event.content["msgtype"] === "m.notice") return false;
  if (objectField(event.content, "m.relates_to")?.["rel_type"] === "m.replace") return false;
  return event.type === "m.room.message" || event.type === "m.room.encrypted";
}

function mentions(event: StoredEvent, userId: string): boolean {
  const mentioned = objectField(event.content, "m.mentions");
  const users = mentioned?.["user_ids"];
  return mentioned?.["room"] === true || (isStringArray(users) && users.includes(userId));
}
