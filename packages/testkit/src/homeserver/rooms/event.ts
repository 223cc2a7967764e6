import type { Clock } from "../clock.js";
import type { Json, JsonObject } from "../json.js";
import { objectField, stringField } from "../json.js";

/** An event as the room store keeps it. Only redaction and relations change it after it was appended. */
export interface StoredEvent {
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  /** `undefined` for a message-like event; the empty string is a state key. */
  readonly stateKey: string | undefined;
  /** `origin_server_ts`, milliseconds since the epoch. */
  readonly timestamp: number;
  content: JsonObject;
  /** The event that an `m.room.redaction` redacts. */
  readonly redacts: string | undefined;
  /** Measures its age. */
  readonly clock: Clock;
  /** Place in the stream of everything that happens on the server. */
  readonly position: number;
  /** Place in the room's timeline. */
  readonly index: number;
  /** The state event of the same type and key that this one replaced. */
  readonly replaces: StoredEvent | undefined;
  /** Who sent it under which client transaction id; returned only to that device. */
  readonly transaction: ClientTransaction | undefined;
  redactedBecause: StoredEvent | undefined;
  /** Of an invitation or a knock: what the user may see of the room. Application services get it. */
  preview: JsonObject[] | undefined;
  /** Events that relate to this one (`m.relates_to`), oldest first, redacted ones removed. */
  children: StoredEvent[] | undefined;
}

export interface ClientTransaction {
  readonly userId: string;
  readonly deviceId: string | undefined;
  readonly txnId: string;
}

/** What a caller asks to have appended to a room. */
export interface EventDraft {
  readonly type: string;
  readonly sender: string;
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  readonly timestamp?: number | undefined;
  readonly redacts?: string | undefined;
  readonly transaction?: ClientTransaction | undefined;
}

export interface Relation {
  readonly type: string;
  readonly eventId: string;
  readonly key: string | undefined;
}

/** The `m.relates_to` of a content, if it names a relation type and an event. */
export function relationOf(content: JsonObject): Relation | undefined {
  const relates = objectField(content, "m.relates_to");
  if (relates === undefined) return undefined;
  const type = stringField(relates, "rel_type");
  const eventId = stringField(relates, "event_id");
  return type === undefined || eventId === undefined ? undefined : { type, eventId, key: stringField(relates, "key") };
}

/** Who the event is shown to; decides about `unsigned.transaction_id`. */
export interface Viewer {
  readonly userId: string;
  readonly deviceId?: string | undefined;
}

/** Client-Server API, "ClientEvent". */
export function clientEvent(event: StoredEvent, viewer?: Viewer): JsonObject {
  const body: JsonObject = {
    type: event.type,
    room_id: event.roomId,
    sender: event.sender,
    content: event.content,
    event_id: event.eventId,
    origin_server_ts: event.timestamp,
    unsigned: unsignedOf(event, viewer),
  };
  if (event.stateKey !== undefined) body["state_key"] = event.stateKey;
  if (event.redacts !== undefined) body["redacts"] = event.redacts;
  return body;
}

/** The form of `/sync`, which leaves the room id to the enclosing key. */
export function syncEvent(event: StoredEvent, viewer?: Viewer): JsonObject {
  const body = clientEvent(event, viewer);
  delete body["room_id"];
  return body;
}

/** What the first releases of the specification had beside `unsigned`, and Synapse still has there as well. */
const ONCE_BESIDE_UNSIGNED = [
  "age",
  "redacted_because",
  "replaces_state",
  "prev_content",
  "invite_room_state",
  "knock_room_state",
];

/** The form of a transaction; with `legacy` the extras of the first releases of the specification. */
export function appServiceEvent(event: StoredEvent, legacy: boolean): JsonObject {
  const body = clientEvent(event);
  const unsigned = { ...objectField(body, "unsigned") };
  body["unsigned"] = unsigned;
  if (event.preview !== undefined) {
    unsigned[event.content["membership"] === "knock" ? "knock_room_state" : "invite_room_state"] = event.preview;
  }
  if (!legacy) return body;
  body["user_id"] = event.sender;
  for (const key of ONCE_BESIDE_UNSIGNED) {
    const value = unsigned[key];
    if (value !== undefined) body[key] = value;
  }
  return body;
}

function ageOf(event: StoredEvent): number {
  return Math.max(0, event.clock.now() - event.timestamp);
}

/** The stripped form in `invite_state` and `knock_state`. */
export function strippedEvent(event: StoredEvent): JsonObject {
  return { type: event.type, state_key: event.stateKey ?? "", sender: event.sender, content: event.content };
}

function unsignedOf(event: StoredEvent, viewer: Viewer | undefined): JsonObject {
  const unsigned: JsonObject = { age: ageOf(event) };
  const transaction = event.transaction;
  if (
    transaction !== undefined &&
    viewer?.deviceId !== undefined &&
    transaction.userId === viewer.userId &&
    transaction.deviceId === viewer.deviceId
  ) {
    unsigned["transaction_id"] = transaction.txnId;
  }
  if (event.replaces !== undefined) {
    unsigned["prev_content"] = event.replaces.content;
    unsigned["prev_sender"] = event.replaces.sender;
    unsigned["replaces_state"] = event.replaces.eventId;
  }
  if (event.redactedBecause !== undefined) {
    unsigned["redacted_by"] = event.redactedBecause.eventId;
    unsigned["redacted_because"] = clientEvent(event.redactedBecause);
  } else if (event.children !== undefined) {
    const relations = bundledRelations(event, event.children, viewer);
    if (relations !== undefined) unsigned["m.relations"] = relations;
  }
  return unsigned;
}

function bundledRelations(
  event: StoredEvent,
  children: readonly StoredEvent[],
  viewer: Viewer | undefined,
): JsonObject | undefined {
  const relations: JsonObject = {};
  const edit = children.findLast(
    (child) => relationOf(child.content)?.type === "m.replace" && child.sender === event.sender,
  );
  if (edit !== undefined) relations["m.replace"] = clientEvent(edit);
  const thread = children.filter((child) => relationOf(child.content)?.type === "m.thread");
  const latest = thread.at(-1);
  if (latest !== undefined) {
    relations["m.thread"] = {
      latest_event: clientEvent(latest),
      count: thread.length,
      current_user_participated: [event, ...thread].some(({ sender }) => sender === viewer?.userId),
    };
  }
  return Object.keys(relations).length > 0 ? relations : undefined;
}

const KEPT_CONTENT: Readonly<Record<string, readonly string[]>> = {
  "m.room.member": ["membership", "join_authorised_via_users_server"],
  "m.room.join_rules": ["join_rule", "allow"],
  "m.room.power_levels": [
    "ban",
    "events",
    "events_default",
    "invite",
    "kick",
    "redact",
    "state_default",
    "users",
    "users_default",
  ],
  "m.room.history_visibility": ["history_visibility"],
  "m.room.redaction": ["redacts"],
};

/** What is left of `content` after a redaction under the rules of room versions 11 and 12. */
export function redactedContent(type: string, content: JsonObject): JsonObject {
  if (type === "m.room.create") return content;
  const kept: JsonObject = {};
  for (const key of KEPT_CONTENT[type] ?? []) {
    const value: Json | undefined = content[key];
    if (value !== undefined) kept[key] = value;
  }
  if (type === "m.room.member") {
    const signed = objectField(content, "third_party_invite")?.["signed"];
    if (signed !== undefined) kept["third_party_invite"] = { signed };
  }
  return kept;
}
