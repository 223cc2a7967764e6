import { invalidParam } from "../errors.js";
import type { JsonObject } from "../json.js";
import { integerField, isStringArray, parseJson, isObject } from "../json.js";
import type { StoredEvent } from "./event.js";
import type { Room } from "./room.js";

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1000;

/** The token of the place in the stream just after `position`. */
export function tokenAt(position: number): string {
  return `s${position}`;
}

/** @throws MatrixError 400 for what this server never gave out */
export function positionOf(token: string): number {
  const match = /^s(\d{1,15})$/u.exec(token);
  if (match === null) throw invalidParam(`Invalid token '${token}'`);
  return Number(match[1]);
}

/** The parts of a RoomEventFilter that choose events. */
export interface EventFilter {
  readonly limit: number | undefined;
  matches(event: StoredEvent): boolean;
}

const EVERYTHING: EventFilter = { limit: undefined, matches: () => true };

/** Reads a RoomEventFilter given as JSON text. @throws MatrixError 400 */
export function parseFilter(text: string | null): EventFilter {
  if (text === null) return EVERYTHING;
  const value = parseJson(text);
  if (!isObject(value)) throw invalidParam("'filter' is not a JSON object");
  return eventFilter(value);
}

export function eventFilter(filter: JsonObject | undefined): EventFilter {
  if (filter === undefined) return EVERYTHING;
  const types = patterns(filter, "types");
  const notTypes = patterns(filter, "not_types");
  const senders = list(filter, "senders");
  const notSenders = list(filter, "not_senders");
  const rooms = list(filter, "rooms");
  const notRooms = list(filter, "not_rooms");
  const containsUrl = filter["contains_url"];
  return {
    limit: integerField(filter, "limit"),
    matches(event) {
      if (types?.some((pattern) => pattern.test(event.type)) === false) return false;
      if (notTypes?.some((pattern) => pattern.test(event.type)) === true) return false;
      if (senders?.includes(event.sender) === false || notSenders?.includes(event.sender) === true) return false;
      if (rooms?.includes(event.roomId) === false || notRooms?.includes(event.roomId) === true) return false;
      return typeof containsUrl !== "boolean" || (typeof event.content["url"] === "string") === containsUrl;
    },
  };
}

function list(filter: JsonObject, key: string): string[] | undefined {
  const value = filter[key];
  if (value === undefined) return undefined;
  if (!isStringArray(value)) throw invalidParam(`'${key}' of the filter is not a list of strings`);
  return value;
}

function patterns(filter: JsonObject, key: string): RegExp[] | undefined {
  return list(filter, key)?.map(
    (pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/gu, "\\$&").replaceAll("*", ".*")}$`, "su"),
  );
}

export interface PageRequest {
  readonly backwards: boolean;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly limit: number | undefined;
  readonly matches: (event: StoredEvent) => boolean;
}

export interface Page {
  readonly events: readonly StoredEvent[];
  readonly start: string;
  /** Absent where the room has nothing further in that direction. */
  readonly end: string | undefined;
}

/** One page of a room's timeline. */
export function page(room: Room, request: PageRequest): Page {
  const from = request.from ?? (request.backwards ? room.lastPosition : 0);
  const limit = Math.min(request.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
  const step = request.backwards ? -1 : 1;
  const events: StoredEvent[] = [];
  let index = room.indexAfter(from) + (request.backwards ? -1 : 0);
  let event = room.events[index];
  const inRange = (position: number): boolean =>
    request.to === undefined || (request.backwards ? position > request.to : position <= request.to);
  while (event !== undefined && events.length < limit && inRange(event.position)) {
    if (request.matches(event)) events.push(event);
    index += step;
    event = room.events[index];
  }
  const more = event !== undefined && inRange(event.position);
  const reached = room.events[index - step]?.position ?? from;
  return {
    events,
    start: tokenAt(from),
    end: more ? tokenAt(request.backwards ? reached - 1 : reached) : undefined,
  };
}
