import type { Clock } from "../clock.js";
import { forbidden, MatrixError, notFound, tooLarge } from "../errors.js";
import { MAX_ID_BYTES, randomId, randomLetters } from "../ids.js";
import { jsonEquals } from "../json.js";
import { authorise, checkContent } from "./auth-rules.js";
import type { EventDraft, StoredEvent } from "./event.js";
import { relationOf } from "./event.js";
import type { RoomVersion } from "./room.js";
import { Room } from "./room.js";

/** Size of an event in canonical JSON that no server exceeds, in bytes (Client-Server API, "Size limits"). */
export const MAX_EVENT_BYTES = 65_536;
/** What hashes, signatures, `auth_events` and `prev_events` add to what the client sent. */
const ENVELOPE_BYTES = 700;

/** An alias and who made it. */
export interface AliasEntry {
  readonly roomId: string;
  readonly creator: string;
}

/** What the rest of the server does once an event is in its room. */
export type AppendListener = (event: StoredEvent, room: Room) => void;

/** All rooms, all events by id, and the one way by which an event enters a room. */
export class RoomStore {
  readonly rooms = new Map<string, Room>();
  readonly aliases = new Map<string, AliasEntry>();
  /** Rooms published to an application service's network: service id, then network id, then rooms. */
  readonly networkDirectory = new Map<string, Set<string>>();
  readonly #events = new Map<string, StoredEvent>();
  readonly #roomsOfUser = new Map<string, Set<Room>>();
  readonly #lookup = (roomId: string): Room | undefined => this.rooms.get(roomId);

  constructor(
    private readonly serverName: string,
    private readonly clock: Clock,
    private readonly nextPosition: () => number,
    private readonly onAppend: AppendListener,
  ) {}

  /** Makes the room and its create event. In version 12 the room id is the id of that event. */
  create(version: RoomVersion, draft: EventDraft): Room {
    const eventId = `$${randomId(32)}`;
    const id = version === "12" ? `!${eventId.slice(1)}` : `!${randomLetters(18)}:${this.serverName}`;
    const room = new Room(id, version, this.clock);
    if (version === "12") {
      room.creators.add(draft.sender);
      const additional = draft.content["additional_creators"];
      if (Array.isArray(additional)) {
        for (const userId of additional) if (typeof userId === "string") room.creators.add(userId);
      }
    }
    this.rooms.set(id, room);
    this.#persist(room, draft, eventId);
    return room;
  }

  /** @throws MatrixError 404 or 403 as Synapse answers for a room it does not know */
  require(roomId: string): Room {
    const room = this.rooms.get(roomId);
    if (room === undefined) throw new MatrixError(404, "M_NOT_FOUND", `Unknown room ${roomId}`);
    return room;
  }

  /** The room, where `userId` is joined to it. @throws MatrixError 403 */
  requireJoined(roomId: string, userId: string): Room {
    const room = this.rooms.get(roomId);
    if (room?.membership(userId) !== "join") throw forbidden(`User ${userId} not in room ${roomId}`);
    return room;
  }

  event(eventId: string): StoredEvent | undefined {
    return this.#events.get(eventId);
  }

  /** Rooms in which `userId` has or had any membership. */
  roomsOf(userId: string): ReadonlySet<Room> {
    return this.#roomsOfUser.get(userId) ?? new Set<Room>();
  }

  /** Takes the room out of the user's list, which a later membership puts back. */
  forget(room: Room, userId: string): void {
    this.#roomsOfUser.get(userId)?.delete(room);
  }

  /** Rooms that have `userId` as a joined member. */
  joinedRooms(userId: string): Room[] {
    return [...this.roomsOf(userId)].filter((room) => room.joined.has(userId));
  }

  /**
   * The whole way of an event into its room: limits, authorisation, the same state again, redaction, relations.
   * @param bodyBytes size of the request body; a bound that spares measuring small events
   */
  send(room: Room, draft: EventDraft, bodyBytes = Infinity): StoredEvent {
    checkSize(room, draft, bodyBytes);
    checkContent(draft.type, draft.content);
    authorise(room, draft, this.#lookup);
    if (draft.stateKey !== undefined) {
      const same = room.state(draft.type, draft.stateKey);
      if (same?.sender === draft.sender && jsonEquals(same.content, draft.content)) return same;
    }
    const target = draft.redacts === undefined ? undefined : this.#redactionTarget(room, draft, draft.redacts);
    const parent = this.#relationTarget(room, draft);
    const event = this.#persist(room, draft, undefined);
    if (parent !== undefined) room.relate(parent, event);
    if (target !== undefined) room.redact(target, event, this.#relationTarget(room, target));
    this.onAppend(event, room);
    return event;
  }

  #persist(room: Room, draft: EventDraft, eventId: string | undefined): StoredEvent {
    const event = room.append(draft, this.nextPosition(), eventId);
    this.#events.set(event.eventId, event);
    if (event.type === "m.room.member" && event.stateKey !== undefined) {
      const rooms = this.#roomsOfUser.get(event.stateKey);
      if (rooms === undefined) this.#roomsOfUser.set(event.stateKey, new Set([room]));
      else rooms.add(room);
    }
    if (event.type === "m.room.create") this.onAppend(event, room);
    return event;
  }

  #redactionTarget(room: Room, draft: EventDraft, eventId: string): StoredEvent | undefined {
    const target = this.#events.get(eventId);
    if (target === undefined) return undefined;
    if (target.roomId !== room.id) {
      throw new MatrixError(400, "M_UNKNOWN", "Cannot redact event from a different room");
    }
    if (target.type === "m.room.create") throw forbidden("Redacting create events is not permitted");
    if (target.sender !== draft.sender && room.power.user(draft.sender) < room.power.redact) {
      throw forbidden("You don't have permission to redact events");
    }
    return target.redactedBecause === undefined ? target : undefined;
  }

  #relationTarget(room: Room, draft: EventDraft | StoredEvent): StoredEvent | undefined {
    const relation = relationOf(draft.content);
    if (relation === undefined) return undefined;
    const target = this.#events.get(relation.eventId);
    if (target?.roomId !== room.id) return undefined;
    if (relation.type === "m.annotation" && relation.key !== undefined && !("eventId" in draft)) {
      if (room.annotation(relation.eventId, relation.key, draft.sender, draft.type) !== undefined) {
        throw new MatrixError(400, "M_DUPLICATE_ANNOTATION", "Can't send same reaction twice");
      }
    }
    return target;
  }
}

function checkSize(room: Room, draft: EventDraft, bodyBytes: number): void {
  const ids: readonly (readonly [string, string | undefined])[] = [
    ["room_id", room.id],
    ["sender", draft.sender],
    ["type", draft.type],
    ["state_key", draft.stateKey],
  ];
  for (const [name, id] of ids) {
    // A UTF-16 unit is at most three bytes, so that most ids need no second look.
    if (id !== undefined && id.length * 3 > MAX_ID_BYTES && Buffer.byteLength(id) > MAX_ID_BYTES) {
      throw tooLarge(`'${name}' too large: the limit is ${MAX_ID_BYTES} bytes`);
    }
  }
  if (bodyBytes + 4 * MAX_ID_BYTES + ENVELOPE_BYTES <= MAX_EVENT_BYTES) return;
  const bytes = Buffer.byteLength(
    JSON.stringify({
      content: draft.content,
      origin_server_ts: 0,
      redacts: draft.redacts,
      room_id: room.id,
      sender: draft.sender,
      state_key: draft.stateKey,
      type: draft.type,
    }),
  );
  if (bytes + ENVELOPE_BYTES > MAX_EVENT_BYTES) throw tooLarge(`event too large: ${bytes + ENVELOPE_BYTES} bytes`);
}

/** @throws MatrixError 404 */
export function requireEvent(room: Room, event: StoredEvent | undefined): StoredEvent {
  if (event?.roomId !== room.id) throw notFound("Event not found.");
  return event;
}
