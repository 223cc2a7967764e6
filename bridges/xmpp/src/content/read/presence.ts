import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  childrenOf,
  countAttributeOf,
  filledAttributeOf,
  ownChildOf,
  ownTextOf,
  textOf,
  type XmlElement,
} from "../xml.js";
import { readError, type StanzaError } from "./error.js";
import { given } from "../given.js";
import { readOccupantId } from "./ids.js";
import { readMucUser, type Destroyed, type MucItem } from "./muc-user.js";
import { readDelay, readTime, type Delay } from "./time.js";

export const shows = ["away", "chat", "dnd", "xa"] as const;
export type Show = (typeof shows)[number];

/** A presence, and what it means. */
export interface PresenceStanza {
  readonly stanza: "presence";
  readonly id?: string;
  readonly from?: string;
  readonly to?: string;
  readonly delay?: Delay;
  readonly what: PresenceWhat;
}

export type PresenceWhat =
  | ({ readonly kind: "available" } & Availability)
  | { readonly kind: "unavailable"; readonly status?: string }
  | {
      readonly kind: "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed";
      readonly status?: string;
      readonly nick?: string;
    }
  | { readonly kind: "probe" }
  /** Somebody wants to come into a room (XEP-0045 §7.2), or tells their presence there again. */
  | ({ readonly kind: "roomJoin" } & RoomJoin & Availability)
  /** Somebody is in a room, or something about them there changed. */
  | ({ readonly kind: "occupant" } & Occupant & Availability)
  | OccupantLeft
  | { readonly kind: "error"; readonly error: StanzaError; readonly isRoomJoin: boolean }
  /** It has a type that no specification knows. */
  | { readonly kind: "unknown"; readonly type: string };

/** What somebody tells of themselves. */
export interface Availability {
  /** Absent: simply there. */
  readonly show?: Show;
  readonly status?: string;
  /** -128 to 127; 0 where absent. */
  readonly priority: number;
  readonly nick?: string;
  /** The SHA-1 of the avatar in the vCard (XEP-0153), in lower case; empty where there is none. Absent: not told. */
  readonly avatarHash?: string;
  readonly caps?: { readonly node: string; readonly ver: string; readonly hash: string };
  /** Since when nobody has touched anything (XEP-0319), in milliseconds since 1970. */
  readonly idleSince?: number;
}

/** How somebody wants to come into a room. */
export interface RoomJoin {
  readonly password?: string;
  /** How much of what was said is wanted; as much as the room gives where absent. */
  readonly history: {
    readonly maxStanzas?: number;
    readonly maxCharacters?: number;
    readonly seconds?: number;
    readonly since?: number;
  };
}

/** Somebody in a room. */
export interface Occupant {
  readonly item: MucItem;
  /** Numbers of XEP-0045 §15.6.2. */
  readonly statuses: readonly number[];
  /** It is the own presence (110), the last of those that come on entering. */
  readonly isSelf: boolean;
  readonly occupantId?: string;
  /** Titles in the room (XEP-0317). */
  readonly hats: readonly string[];
}

/** Somebody is no longer in a room, or no longer under this nick. */
export interface OccupantLeft {
  readonly kind: "occupantLeft";
  readonly how: LeftHow;
  readonly item: MucItem;
  readonly statuses: readonly number[];
  readonly isSelf: boolean;
  readonly occupantId?: string;
  readonly status?: string;
  /** With `nick`: the new one. */
  readonly newNick?: string;
  /** With `destroyed`. */
  readonly destroyed?: Destroyed;
}

/**
 * - `disconnected`: kicked for an error of theirs, such as a bounce (333).
 * - `affiliation`, `membersOnly`: they may not stay in a room for members (321, 322).
 */
export type LeftHow =
  "left" | "nick" | "kicked" | "banned" | "disconnected" | "affiliation" | "membersOnly" | "shutdown" | "destroyed";

/** What a presence means. It never throws. */
export function readPresence(presence: XmlElement): PresenceStanza {
  return given({
    stanza: "presence",
    id: filledAttributeOf(presence, "id"),
    from: filledAttributeOf(presence, "from"),
    to: filledAttributeOf(presence, "to"),
    delay: readDelay(presence),
    what: whatOf(presence),
  } as const);
}

function whatOf(presence: XmlElement): PresenceWhat {
  const type = attributeOf(presence, "type");
  const status = ownTextOf(presence, "status");
  switch (type) {
    case undefined:
    case "":
    case "available":
      return hereOf(presence);
    case "unavailable":
      return leftOf(presence) ?? given({ kind: type, status } as const);
    case "subscribe":
    case "subscribed":
    case "unsubscribe":
    case "unsubscribed":
      return given({ kind: type, status, nick: nickOf(presence) } as const);
    case "probe":
      return { kind: type };
    case "error":
      return { kind: type, error: readError(presence), isRoomJoin: childOf(presence, "x", ns.muc) !== undefined };
    default:
      return { kind: "unknown", type };
  }
}

function hereOf(presence: XmlElement): PresenceWhat {
  const join = childOf(presence, "x", ns.muc);
  const user = readMucUser(presence);
  const availability = availabilityOf(presence);
  if (user?.items[0] !== undefined) {
    const hats = childOf(presence, "hats", ns.hats);
    return given({
      kind: "occupant",
      ...availability,
      item: user.items[0],
      statuses: user.statuses,
      isSelf: user.statuses.includes(110),
      occupantId: readOccupantId(presence),
      hats:
        hats === undefined
          ? []
          : childrenOf(hats, "hat", ns.hats).flatMap((hat) => filledAttributeOf(hat, "title") ?? []),
    } as const);
  }
  if (join === undefined) return { kind: "available", ...availability };
  return { kind: "roomJoin", ...availability, ...joinOf(join) };
}

function joinOf(join: XmlElement): RoomJoin {
  const history = ownChildOf(join, "history");
  const count = (name: string): number | undefined => history && countAttributeOf(history, name);
  return given({
    password: ownTextOf(join, "password"),
    history: given({
      maxStanzas: count("maxstanzas"),
      maxCharacters: count("maxchars"),
      seconds: count("seconds"),
      since: readTime((history && attributeOf(history, "since")) ?? ""),
    }),
  });
}

function availabilityOf(presence: XmlElement): Availability {
  const priority = ownTextOf(presence, "priority") ?? "";
  const idle = childOf(presence, "idle", ns.idle);
  return given({
    show: shows.find((show) => show === ownTextOf(presence, "show")),
    status: ownTextOf(presence, "status"),
    priority: /^[+-]?\d{1,3}$/.test(priority) ? Math.max(-128, Math.min(127, Number(priority))) : 0,
    nick: nickOf(presence),
    avatarHash: avatarHashOf(presence),
    caps: capsOf(presence),
    idleSince: readTime((idle && attributeOf(idle, "since")) ?? ""),
  });
}

function nickOf(presence: XmlElement): string | undefined {
  return textOf(childOf(presence, "nick", ns.nick)).trim() || undefined;
}

/** An empty `<photo/>` says that there is no avatar; an `<x/>` without one that it is not known yet (XEP-0153 §4.1). */
function avatarHashOf(presence: XmlElement): string | undefined {
  const update = childOf(presence, "x", ns.vcardUpdate);
  const photo = update && ownChildOf(update, "photo");
  const hash = textOf(photo).trim().toLowerCase();
  return photo !== undefined && /^(?:[0-9a-f]{40})?$/.test(hash) ? hash : undefined;
}

function capsOf(presence: XmlElement): Availability["caps"] {
  const caps = childOf(presence, "c", ns.caps);
  const [node, ver, hash] =
    caps === undefined ? [] : ["node", "ver", "hash"].map((name) => filledAttributeOf(caps, name));
  return node === undefined || ver === undefined || hash === undefined ? undefined : { node, ver, hash };
}

const leftBy: ReadonlyMap<number, LeftHow> = new Map([
  [303, "nick"],
  [301, "banned"],
  // A kick for an error (333) is a kick (307) too.
  [333, "disconnected"],
  [307, "kicked"],
  [321, "affiliation"],
  [322, "membersOnly"],
  [332, "shutdown"],
]);

function leftOf(presence: XmlElement): OccupantLeft | undefined {
  const user = readMucUser(presence);
  if (user === undefined || (user.items.length === 0 && user.statuses.length === 0 && user.destroyed === undefined))
    return undefined;
  const item = user.items[0] ?? {};
  const told = [...leftBy].find(([code]) => user.statuses.includes(code))?.[1];
  const isRename = told === "nick" && item.nick !== undefined;
  const how = user.destroyed !== undefined ? "destroyed" : told === "nick" && !isRename ? "left" : (told ?? "left");
  return given({
    kind: "occupantLeft",
    how,
    item,
    statuses: user.statuses,
    isSelf: user.statuses.includes(110),
    occupantId: readOccupantId(presence),
    status: ownTextOf(presence, "status"),
    newNick: isRename ? item.nick : undefined,
    destroyed: user.destroyed,
  } as const);
}
