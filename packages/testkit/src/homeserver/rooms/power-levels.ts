import type { JsonObject } from "../json.js";
import { integerField, objectField } from "../json.js";

/** Room version 12, "creators have infinite power". */
export const CREATOR_POWER = Number.POSITIVE_INFINITY;

/** The `m.room.power_levels` of a room, read with the defaults of the specification. */
export interface PowerLevels {
  readonly ban: number;
  readonly kick: number;
  readonly invite: number;
  readonly redact: number;
  user(userId: string): number;
  /** The level that sending an event of `type` takes. */
  required(type: string, isState: boolean): number;
}

/**
 * @param content of the power levels event, or `undefined` where the room has none yet
 * @param creators users with infinite power (room version 12)
 * @param creator sender of the create event: level 100 while there is no power levels event (up to version 11)
 */
export function readPowerLevels(
  content: JsonObject | undefined,
  creators: ReadonlySet<string>,
  creator: string | undefined,
): PowerLevels {
  const levels = content ?? {};
  const users = objectField(levels, "users") ?? {};
  const events = objectField(levels, "events") ?? {};
  const usersDefault = integerField(levels, "users_default") ?? 0;
  const eventsDefault = integerField(levels, "events_default") ?? 0;
  const stateDefault = integerField(levels, "state_default") ?? (content === undefined ? 0 : 50);
  return {
    ban: integerField(levels, "ban") ?? 50,
    kick: integerField(levels, "kick") ?? 50,
    invite: integerField(levels, "invite") ?? 0,
    redact: integerField(levels, "redact") ?? 50,
    user(userId) {
      if (creators.has(userId)) return CREATOR_POWER;
      if (content === undefined) return creator === userId ? 100 : 0;
      return integerField(users, userId) ?? usersDefault;
    },
    required: (type, isState) => integerField(events, type) ?? (isState ? stateDefault : eventsDefault),
  };
}

const LEVEL_KEYS = ["users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"] as const;

/** A key of a power levels content whose value is not an integer where it must be one, or `undefined`. */
export function invalidLevel(content: JsonObject): string | undefined {
  for (const key of LEVEL_KEYS) {
    if (content[key] !== undefined && integerField(content, key) === undefined) return key;
  }
  for (const map of ["users", "events", "notifications"]) {
    if (content[map] === undefined) continue;
    const levels = objectField(content, map);
    if (levels === undefined) return map;
    const bad = Object.keys(levels).find((key) => integerField(levels, key) === undefined);
    if (bad !== undefined) return `${map}.${bad}`;
  }
  return undefined;
}

/**
 * Why `sender`, whose level is `own`, may not turn the levels `before` into `after`; `undefined` where they may.
 * Authorisation rules of the room versions, rule "if type is m.room.power_levels".
 */
export function refusedLevelChange(
  before: JsonObject,
  after: JsonObject,
  sender: string,
  own: number,
): string | undefined {
  for (const [name, old, next] of changedLevels(before, after)) {
    if (next !== undefined && next > own) return `You cannot set ${name} to ${next}: your own power is ${own}`;
    if (old === undefined) continue;
    if (old > own) return `You cannot change ${name} from ${old}: your own power is ${own}`;
    if (old === own && name.startsWith("users.") && name !== `users.${sender}`) {
      return `You cannot change the power of ${name.slice(6)}, which equals your own`;
    }
  }
  return undefined;
}

function* changedLevels(
  before: JsonObject,
  after: JsonObject,
): Iterable<readonly [name: string, old: number | undefined, next: number | undefined]> {
  for (const key of LEVEL_KEYS) {
    const old = integerField(before, key);
    const next = integerField(after, key);
    if (old !== next) yield [key, old, next];
  }
  for (const map of ["users", "events", "notifications"]) {
    const old = objectField(before, map) ?? {};
    const next = objectField(after, map) ?? {};
    for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
      const from = integerField(old, key);
      const to = integerField(next, key);
      if (from !== to) yield [`${map}.${key}`, from, to];
    }
  }
}
