import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  childrenOf,
  countAttributeOf,
  ownChildOf,
  ownChildrenOf,
  ownTextOf,
  type XmlElement,
} from "../xml.js";
import { given } from "../given.js";

/** What somebody may do in a room for good (XEP-0045 §5.2). */
export const affiliations = ["owner", "admin", "member", "none", "outcast"] as const;
export type Affiliation = (typeof affiliations)[number];

/** What somebody may do in a room for as long as they are in it (XEP-0045 §5.1). */
export const roles = ["moderator", "participant", "visitor", "none"] as const;
export type Role = (typeof roles)[number];

/** An occupant, or somebody on a list of a room. */
export interface MucItem {
  readonly affiliation?: Affiliation;
  readonly role?: Role;
  /** The real JID, where the room tells it. */
  readonly jid?: string;
  readonly nick?: string;
  readonly reason?: string;
  /** Who did it. */
  readonly actor?: { readonly nick?: string; readonly jid?: string };
}

/** What `<x xmlns='…muc#user'>` says about an occupant. */
export interface MucUser {
  readonly items: readonly MucItem[];
  /** Numbers of XEP-0045 §15.6.2, such as 110 ("this is yourself"). */
  readonly statuses: readonly number[];
  readonly destroyed?: Destroyed;
}

/** A room is gone. */
export interface Destroyed {
  /** The room that people should go to. */
  readonly alternative?: string;
  readonly reason?: string;
  readonly password?: string;
}

/** Reads what a room says about an occupant or itself; `undefined` where the stanza has nothing of it. */
export function readMucUser(stanza: XmlElement): MucUser | undefined {
  const user = childOf(stanza, "x", ns.mucUser);
  if (user === undefined) return undefined;
  const destroy = ownChildOf(user, "destroy");
  return given({
    items: ownChildrenOf(user, "item").map(readMucItem),
    statuses: childrenOf(user, "status", ns.mucUser).flatMap((status) => countAttributeOf(status, "code") ?? []),
    destroyed: destroy && readDestroyed(destroy),
  });
}

/** Reads an `<item>` of `muc#user` or `muc#admin`. */
export function readMucItem(item: XmlElement): MucItem {
  const actor = ownChildOf(item, "actor");
  return given({
    affiliation: affiliations.find((name) => name === attributeOf(item, "affiliation")),
    role: roles.find((name) => name === attributeOf(item, "role")),
    jid: attributeOf(item, "jid") || undefined,
    nick: attributeOf(item, "nick") || undefined,
    reason: ownTextOf(item, "reason"),
    actor:
      actor && given({ nick: attributeOf(actor, "nick") || undefined, jid: attributeOf(actor, "jid") || undefined }),
  });
}

function readDestroyed(destroy: XmlElement): Destroyed {
  return given({
    alternative: attributeOf(destroy, "jid") || undefined,
    reason: ownTextOf(destroy, "reason"),
    password: ownTextOf(destroy, "password"),
  });
}
