import type { CancelTimer } from "../clock.js";
import type { JsonObject } from "../json.js";
import type { World } from "../world.js";
import type { Account } from "../accounts/accounts.js";
import type { Room } from "./room.js";

/** Longest time, in milliseconds, that a user counts as typing. */
const MAX_TYPING_MS = 120_000;

/** Lapses of typing notifications, one timer for all rooms, ended by {@link TypingClock.stop}. */
export class TypingClock {
  readonly #rooms = new Set<Room>();
  #timer: CancelTimer | undefined;

  constructor(private readonly world: World) {}

  set(room: Room, userId: string, timeoutMs: number | undefined): void {
    const was = room.typing.has(userId);
    if (timeoutMs === undefined) room.typing.delete(userId);
    else room.typing.set(userId, this.world.clock.now() + Math.min(timeoutMs, MAX_TYPING_MS));
    if (was !== room.typing.has(userId)) this.#changed(room);
    if (room.typing.size > 0) this.#rooms.add(room);
    this.#arm();
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer?.();
    this.#timer = undefined;
    let next = Infinity;
    for (const room of this.#rooms) for (const until of room.typing.values()) next = Math.min(next, until);
    if (next === Infinity) return;
    const { clock } = this.world;
    this.#timer = clock.after(Math.max(1, next - clock.now()), () => this.#lapse());
  }

  #lapse(): void {
    const now = this.world.clock.now();
    for (const room of this.#rooms) {
      const before = room.typing.size;
      for (const [userId, until] of room.typing) if (until <= now) room.typing.delete(userId);
      if (room.typing.size !== before) this.#changed(room);
      if (room.typing.size === 0) this.#rooms.delete(room);
    }
    this.#arm();
  }

  #changed(room: Room): void {
    room.typingPosition = this.world.nextPosition();
    this.world.pushEphemeral({ ...typingEvent(room), room_id: room.id }, (service) => service.watches(room));
    this.world.notifier.wakeRoom(room);
  }
}

export function typingEvent(room: Room): JsonObject {
  return { type: "m.typing", content: { user_ids: [...room.typing.keys()] } };
}

/** Stores a receipt and tells the members and application services. */
export function setReceipt(
  world: World,
  room: Room,
  userId: string,
  receipt: { type: string; eventId: string; threadId: string | undefined },
): void {
  const position = world.nextPosition();
  const { type, eventId, threadId } = receipt;
  const stored = { eventId, timestamp: world.clock.now(), threadId, position };
  const byUser = room.receipts.get(type) ?? new Map<string, typeof stored>();
  room.receipts.set(type, byUser);
  byUser.set(threadId === undefined ? userId : JSON.stringify([userId, threadId]), stored);
  const content = { [eventId]: { [type]: { [userId]: receiptBody(stored) } } };
  world.pushEphemeral({ type: "m.receipt", room_id: room.id, content }, (service) => {
    if (!service.watches(room)) return false;
    return type !== "m.read.private" || world.faults.leakPrivateReceipts || service.ownsUser(userId);
  });
  world.notifier.wakeRoom(room);
}

/** The receipts set after `since` that `viewer` may see, as an `m.receipt` event; `undefined` where there are none. */
export function receiptEvent(room: Room, viewer: string, since: number): JsonObject | undefined {
  const content: Record<string, Record<string, JsonObject>> = {};
  for (const [type, byUser] of room.receipts) {
    for (const [key, receipt] of byUser) {
      if (receipt.position <= since) continue;
      const userId = receipt.threadId === undefined ? key : userOfThreadKey(key);
      if (type === "m.read.private" && userId !== viewer) continue;
      const ofEvent = (content[receipt.eventId] ??= {});
      (ofEvent[type] ??= {})[userId] = receiptBody(receipt);
    }
  }
  return Object.keys(content).length === 0 ? undefined : { type: "m.receipt", content };
}

function userOfThreadKey(key: string): string {
  const parsed: unknown = JSON.parse(key);
  return Array.isArray(parsed) && typeof parsed[0] === "string" ? parsed[0] : key;
}

function receiptBody(receipt: { timestamp: number; threadId: string | undefined }): JsonObject {
  return { ts: receipt.timestamp, ...(receipt.threadId === undefined ? {} : { thread_id: receipt.threadId }) };
}

export function presenceEvent(account: Account, now: number): JsonObject {
  const { presence, statusMessage, lastActive } = account.presence;
  const content: JsonObject = { presence };
  if (statusMessage !== undefined) content["status_msg"] = statusMessage;
  if (lastActive > 0) content["last_active_ago"] = Math.max(0, now - lastActive);
  content["currently_active"] = presence === "online";
  return { type: "m.presence", sender: account.userId, content };
}

/** Whether the two users share a room, so that each may see the other's presence. */
export function shareRoom(world: World, left: string, right: string): boolean {
  return left === right || world.rooms.joinedRooms(left).some((room) => room.joined.has(right));
}
