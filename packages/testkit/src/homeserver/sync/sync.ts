import type { Account, AccountData, Device } from "../accounts/accounts.js";
import { oneTimeKeyCounts, unusedFallbackKeyTypes } from "../accounts/device-keys.js";
import type { JsonObject } from "../json.js";
import { objectField } from "../json.js";
import { presenceEvent, receiptEvent, shareRoom, typingEvent } from "../rooms/ephemeral.js";
import type { StoredEvent } from "../rooms/event.js";
import { strippedEvent, syncEvent } from "../rooms/event.js";
import { previewState } from "../rooms/membership.js";
import type { EventFilter } from "../rooms/pagination.js";
import { eventFilter, tokenAt } from "../rooms/pagination.js";
import type { Room } from "../rooms/room.js";
import { canSee } from "../rooms/visibility.js";
import type { World } from "../world.js";
import { deviceListsSince } from "./device-lists.js";
import { lazyMembers } from "./lazy-members.js";
import { unreadCounts } from "./unread.js";

const DEFAULT_TIMELINE_LIMIT = 10;
const MAX_TIMELINE_LIMIT = 1000;

export interface SyncRequest {
  readonly account: Account;
  readonly device: Device | undefined;
  /** Place in the stream up to which the client knows everything; 0 for an initial sync. */
  readonly since: number;
  readonly fullState: boolean;
  readonly filter: JsonObject;
}

export interface SyncAnswer {
  readonly body: JsonObject;
  /** Whether it tells anything new. */
  readonly isEmpty: boolean;
}

interface Scope extends SyncRequest {
  readonly world: World;
  readonly until: number;
  readonly timeline: EventFilter;
  readonly state: EventFilter;
  /** State names only the members who speak in the timeline. */
  readonly lazy: boolean;
  readonly includeLeave: boolean;
}

/** Builds the answer to `GET /sync` from what happened after `since`. */
export function buildSync(world: World, request: SyncRequest): SyncAnswer {
  const room = objectField(request.filter, "room") ?? {};
  const scope: Scope = {
    ...request,
    world,
    until: world.position,
    timeline: eventFilter(objectField(room, "timeline")),
    state: eventFilter(objectField(room, "state")),
    lazy: objectField(room, "state")?.["lazy_load_members"] === true,
    includeLeave: room["include_leave"] === true,
  };
  const rooms = roomSections(scope, roomChooser(room));
  const presence = presenceEvents(scope);
  const accountData = dataEvents(request.account.accountData, request.since);
  const toDevice = takeInbox(request.device, request.since);
  const lists =
    scope.since === 0
      ? { changed: [], left: [] }
      : deviceListsSince(world, request.account.userId, scope.since, scope.until);
  const news = [...Object.values(rooms), presence, accountData, toDevice, lists.changed, lists.left];
  const count = news.reduce((sum, part) => sum + (Array.isArray(part) ? part.length : Object.keys(part).length), 0);
  const body: JsonObject = {
    next_batch: tokenAt(scope.until),
    rooms: { ...rooms },
    presence: { events: presence },
    account_data: { events: accountData },
    to_device: { events: toDevice },
    device_lists: { ...lists },
    device_one_time_keys_count: request.device === undefined ? {} : oneTimeKeyCounts(request.device),
    device_unused_fallback_key_types: request.device === undefined ? [] : unusedFallbackKeyTypes(request.device),
  };
  return { body, isEmpty: count === 0 };
}

function roomChooser(filter: JsonObject): (room: Room) => boolean {
  const { rooms, not_rooms: notRooms } = filter;
  return (room) =>
    (!Array.isArray(rooms) || rooms.includes(room.id)) && !(Array.isArray(notRooms) && notRooms.includes(room.id));
}

type Sections = Record<"join" | "invite" | "knock" | "leave", Record<string, JsonObject>>;

function roomSections(scope: Scope, chosen: (room: Room) => boolean): Sections {
  const sections: Sections = { join: {}, invite: {}, knock: {}, leave: {} };
  const { userId } = scope.account;
  for (const room of scope.world.rooms.roomsOf(userId)) {
    if (!chosen(room)) continue;
    const member = room.state("m.room.member", userId);
    const isNews = (member?.position ?? 0) > scope.since;
    switch (room.membership(userId)) {
      case "join": {
        const joined = joinedRoom(scope, room);
        if (joined !== undefined) sections.join[room.id] = joined;
        break;
      }
      case "invite":
        if (isNews) sections.invite[room.id] = { invite_state: { events: preview(room, userId) } };
        break;
      case "knock":
        if (isNews) sections.knock[room.id] = { knock_state: { events: preview(room, userId) } };
        break;
      default:
        if (member !== undefined && isNews && (scope.since > 0 || scope.includeLeave)) {
          sections.leave[room.id] = leftRoom(scope, room, member);
        }
    }
  }
  return sections;
}

function preview(room: Room, userId: string): JsonObject[] {
  return [...previewState(room, userId)].map(strippedEvent);
}

interface Timeline {
  readonly events: readonly StoredEvent[];
  readonly limited: boolean;
  /** Place in the stream just before the first event. */
  readonly start: number;
  /** Place in the stream just after the last event. */
  readonly until: number;
}

function timelineOf(scope: Scope, room: Room, since: number, until: number): Timeline {
  const limit = Math.min(scope.timeline.limit ?? DEFAULT_TIMELINE_LIMIT, MAX_TIMELINE_LIMIT);
  const events: StoredEvent[] = [];
  let index = room.indexAfter(until) - 1;
  let event = room.events[index];
  let start = until;
  while (event !== undefined && event.position > since && events.length < limit) {
    if (scope.timeline.matches(event) && canSee(room, scope.account.userId, event)) events.push(event);
    start = event.position - 1;
    event = room.events[--index];
  }
  const limited = event !== undefined && event.position > since;
  return { events: events.reverse(), limited, start: limited ? start : since, until };
}

function joinedRoom(scope: Scope, room: Room): JsonObject | undefined {
  const { account, since, until } = scope;
  const isNew = since === 0 || room.membershipAt(account.userId, since) !== "join";
  const from = isNew ? 0 : since;
  const timeline = timelineOf(scope, room, from, until);
  const ephemeral = ephemeralEvents(room, account.userId, from);
  const accountData = dataEvents(account.roomAccountData.get(room.id), from);
  if (!isNew && !scope.fullState && timeline.events.length + ephemeral.length + accountData.length === 0)
    return undefined;
  return {
    timeline: timelineBody(scope, timeline),
    state: { events: stateBefore(scope, room, timeline, isNew || scope.fullState ? 0 : since) },
    ephemeral: { events: ephemeral },
    account_data: { events: accountData },
    unread_notifications: unreadCounts(room, account.userId),
    summary: summaryOf(room, account.userId),
  };
}

function timelineBody(scope: Scope, timeline: Timeline): JsonObject {
  const viewer = { userId: scope.account.userId, deviceId: scope.device?.deviceId };
  return {
    events: timeline.events.map((event) => syncEvent(event, viewer)),
    limited: timeline.limited,
    prev_batch: tokenAt(timeline.start),
  };
}

/** State changes between `since` and the start of the timeline; the whole state there for a room that is new. */
function stateBefore(scope: Scope, room: Room, timeline: Timeline, since: number): JsonObject[] {
  const shown = new Set(timeline.events);
  const viewer = { userId: scope.account.userId, deviceId: scope.device?.deviceId };
  const chosen: StoredEvent[] = [];
  for (const event of room.stateAt(timeline.limited ? timeline.start : timeline.until)) {
    if (event.position > since && !shown.has(event) && scope.state.matches(event)) chosen.push(event);
  }
  const events = scope.lazy ? lazyMembers(room, chosen, timeline.events, viewer.userId) : chosen;
  return events.map((event) => syncEvent(event, viewer));
}

function leftRoom(scope: Scope, room: Room, member: StoredEvent): JsonObject {
  const timeline = timelineOf(scope, room, scope.since, member.position);
  return {
    timeline: timelineBody(scope, timeline),
    state: { events: stateBefore(scope, room, timeline, scope.since) },
    account_data: { events: [] },
  };
}

function summaryOf(room: Room, userId: string): JsonObject {
  const members = [...room.stateOfType("m.room.member").values()];
  const invited = members.filter((event) => event.content["membership"] === "invite").length;
  const heroes = [...room.joined].filter((member) => member !== userId).slice(0, 5);
  return { "m.heroes": heroes, "m.joined_member_count": room.joined.size, "m.invited_member_count": invited };
}

function ephemeralEvents(room: Room, userId: string, since: number): JsonObject[] {
  const events: JsonObject[] = [];
  if (room.typingPosition > since && (since > 0 || room.typing.size > 0)) events.push(typingEvent(room));
  const receipts = receiptEvent(room, userId, since);
  if (receipts !== undefined) events.push(receipts);
  return events;
}

function dataEvents(data: ReadonlyMap<string, AccountData> | undefined, since: number): JsonObject[] {
  const events: JsonObject[] = [];
  for (const [type, { content, position }] of data ?? []) if (position > since) events.push({ type, content });
  return events;
}

function presenceEvents(scope: Scope): JsonObject[] {
  const events: JsonObject[] = [];
  for (const other of scope.world.accounts.all()) {
    if (other.presence.position <= scope.since) continue;
    if (shareRoom(scope.world, scope.account.userId, other.userId))
      events.push(presenceEvent(other, scope.world.clock.now()));
  }
  return events;
}

/** The messages after `since`; those up to it were received, as the client has the token that came with them. */
function takeInbox(device: Device | undefined, since: number): JsonObject[] {
  if (device === undefined) return [];
  device.inbox = device.inbox.filter((message) => message.position > since);
  return device.inbox.map((message) => message.event);
}
