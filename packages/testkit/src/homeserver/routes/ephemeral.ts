import { forbidden, invalidParam, MatrixError, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import { integerField, stringField } from "../json.js";
import type { Account } from "../accounts/accounts.js";
import { presenceEvent, setReceipt, shareRoom } from "../rooms/ephemeral.js";
import type { Room } from "../rooms/room.js";
import { setRoomAccountData } from "./account-data.js";

const DEFAULT_TYPING_MS = 30_000;

/** Typing, receipts, read markers, presence. */
export function ephemeralRoutes(router: Router): void {
  router.add("PUT", "/_matrix/client/v3/rooms/{roomId}/typing/{userId}", typing);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}", receipt);
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/read_markers", readMarkers);
  router.add("GET", "/_matrix/client/v3/presence/{userId}/status", getPresence);
  router.add("PUT", "/_matrix/client/v3/presence/{userId}/status", putPresence);
}

function joinedRoom(context: RequestContext): Room {
  return context.world.rooms.requireJoined(context.param("roomId"), context.userId);
}

function typing(context: RequestContext): Reply {
  if (context.param("userId") !== context.userId) {
    throw new MatrixError(400, "M_FORBIDDEN", "Cannot set another user's typing state");
  }
  const body = context.json();
  const isTyping = body["typing"];
  if (typeof isTyping !== "boolean") throw invalidParam("'typing' must be a boolean");
  const timeout = integerField(body, "timeout") ?? DEFAULT_TYPING_MS;
  context.world.typing.set(joinedRoom(context), context.userId, isTyping ? timeout : undefined);
  return ok();
}

function receipt(context: RequestContext): Reply {
  const room = joinedRoom(context);
  const type = context.param("receiptType");
  const eventId = context.param("eventId");
  if (type === "m.fully_read") {
    setFullyRead(context, room, eventId);
    return ok();
  }
  if (type !== "m.read" && type !== "m.read.private") {
    throw new MatrixError(400, "M_UNKNOWN", `Receipt type ${type} is not supported`);
  }
  const threadId = context.json({ optional: true })["thread_id"];
  if (threadId !== undefined && (typeof threadId !== "string" || threadId === "")) {
    throw invalidParam("'thread_id' must be a non-empty string");
  }
  setReceipt(context.world, room, context.userId, { type, eventId, threadId });
  return ok();
}

function setFullyRead(context: RequestContext, room: Room, eventId: string): void {
  setRoomAccountData(context.world, context.account, room.id, "m.fully_read", { event_id: eventId });
}

function readMarkers(context: RequestContext): Reply {
  const room = joinedRoom(context);
  const body = context.json();
  const fullyRead = stringField(body, "m.fully_read");
  if (fullyRead !== undefined) setFullyRead(context, room, fullyRead);
  for (const type of ["m.read", "m.read.private"]) {
    const eventId = stringField(body, type);
    if (eventId !== undefined) setReceipt(context.world, room, context.userId, { type, eventId, threadId: undefined });
  }
  return ok();
}

function presenceAccount(context: RequestContext): Account {
  const account = context.world.accounts.get(context.param("userId"));
  if (account === undefined) throw notFound("There is no presence for this user");
  return account;
}

function getPresence(context: RequestContext): Reply {
  const account = presenceAccount(context);
  if (!shareRoom(context.world, context.userId, account.userId)) {
    throw forbidden("You are not allowed to see their presence.");
  }
  return ok(presenceContent(account, context.world.clock.now()));
}

function presenceContent(account: Account, now: number): Record<string, string | number | boolean> {
  const { presence, statusMessage, lastActive } = account.presence;
  return {
    presence,
    currently_active: presence === "online",
    ...(lastActive > 0 ? { last_active_ago: Math.max(0, now - lastActive) } : {}),
    ...(statusMessage === undefined ? {} : { status_msg: statusMessage }),
  };
}

function putPresence(context: RequestContext): Reply {
  if (context.param("userId") !== context.userId) throw forbidden("Cannot set presence state of another user");
  const { account, world } = context;
  const body = context.json();
  const presence = body["presence"];
  if (presence !== "online" && presence !== "offline" && presence !== "unavailable") {
    throw invalidParam("'presence' must be online, offline or unavailable");
  }
  account.presence = {
    presence,
    statusMessage: stringField(body, "status_msg"),
    lastActive: world.clock.now(),
    position: world.nextPosition(),
  };
  const rooms = world.rooms.joinedRooms(account.userId);
  world.pushEphemeral(presenceEvent(account, world.clock.now()), (service) => {
    return service.ownsUser(account.userId) || rooms.some((room) => service.watches(room));
  });
  for (const room of rooms) world.notifier.wakeRoom(room);
  return ok();
}
