import { randomUUID } from "node:crypto";
import { RemoteUserId } from "@trestle/core";
import { bareJidOf, parseJid } from "../address/index.js";
import { ns } from "../content/index.js";
import { xml, type Element } from "../stream/index.js";

export const NS = {
  muc: "http://jabber.org/protocol/muc",
  mucUser: "http://jabber.org/protocol/muc#user",
  mucOwner: "http://jabber.org/protocol/muc#owner",
  mucAdmin: "http://jabber.org/protocol/muc#admin",
  discoInfo: "http://jabber.org/protocol/disco#info",
  data: "jabber:x:data",
  stanzaIds: "urn:xmpp:sid:0",
  occupantId: "urn:xmpp:occupant-id:0",
  mam: "urn:xmpp:mam:2",
  rsm: "http://jabber.org/protocol/rsm",
  forward: "urn:xmpp:forward:0",
  delay: "urn:xmpp:delay",
  ping: "urn:xmpp:ping",
} as const;

/** XEP-0045 §7.2.2, without history: what was missed is asked of the archive. */
export function joinPresence(from: string, room: string, nick: string): Element {
  return xml(
    "presence",
    { from, to: `${room}/${nick}`, id: randomUUID() },
    xml("x", { xmlns: NS.muc }, xml("history", { maxstanzas: "0" })),
  );
}

/** XEP-0045 §7.6: another nick, of an occupant. */
export function nickPresence(from: string, room: string, nick: string): Element {
  return xml("presence", { from, to: `${room}/${nick}`, id: randomUUID() });
}

/** XEP-0045 §7.14. */
export function leavePresence(from: string, room: string, nick: string): Element {
  return xml("presence", { from, to: `${room}/${nick}`, type: "unavailable" });
}

/** XEP-0045 §10.1.2: accepts what a new room is like by default, which opens it. */
export function unlockQuery(from: string, room: string): Element {
  return xml(
    "iq",
    { type: "set", from, to: room },
    xml("query", { xmlns: NS.mucOwner }, xml("x", { xmlns: NS.data, type: "submit" })),
  );
}

/** The codes of a room's presence or message (XEP-0045 §15.6.2). */
export function statusesOf(stanza: Element): ReadonlySet<string> {
  const statuses = stanza.getChild("x", NS.mucUser)?.getChildren("status") ?? [];
  return new Set(statuses.flatMap(({ attrs }) => attrs["code"] ?? []));
}

/** What a room's presence says of its occupant. */
export function itemOf(stanza: Element): Readonly<Record<string, string>> {
  return stanza.getChild("x", NS.mucUser)?.getChild("item")?.attrs ?? {};
}

/** The nick from which something comes; `undefined` where it comes from the room itself. */
export function nickOf(stanza: Element): string | undefined {
  return parseJid(stanza.attrs["from"] ?? "")?.resource;
}

/** What a room can do, as it says (XEP-0030). */
export interface RoomFeatures {
  /** Messages have ids of the room's own, and an archive that can be asked for them. */
  readonly archive: boolean;
  /** Ids of occupants are the room's and no occupant's claim. */
  readonly occupantIds: boolean;
  /** Everybody sees everybody's address. */
  readonly nonAnonymous: boolean;
  /** Only its members can enter it. */
  readonly membersOnly: boolean;
  /** Only who has a voice can speak in it. */
  readonly moderated: boolean;
  /** Its moderators can take messages away (XEP-0425), in the way of today or of the days before. */
  readonly moderation: "now" | "before" | undefined;
  /** It has a vCard, with a picture (XEP-0486). */
  readonly card: boolean;
}

export function featuresOf(info: Element): RoomFeatures {
  const query = info.getChild("query", NS.discoInfo);
  const features = new Set(query?.getChildren("feature").flatMap(({ attrs }) => attrs["var"] ?? []));
  return {
    archive: features.has(NS.mam),
    occupantIds: features.has(NS.occupantId),
    nonAnonymous: features.has("muc_nonanonymous"),
    membersOnly: features.has("muc_membersonly"),
    moderated: features.has("muc_moderated"),
    moderation: features.has(ns.moderation) ? "now" : features.has(ns.oldModeration) ? "before" : undefined,
    card: features.has(ns.vcard),
  };
}

/**
 * Who is behind a nick: by the occupant id that the room gives, otherwise by the address where everybody sees it, otherwise
 * by the nick alone, which others may take later.
 */
export function remoteUserOf(room: string, nick: string, stanza: Element, features: RoomFeatures): RemoteUserId {
  const occupant = features.occupantIds ? stanza.getChild("occupant-id", NS.occupantId)?.attrs["id"] : undefined;
  if (occupant !== undefined && occupant !== "") return RemoteUserId(`occupant:${room}/${occupant.slice(0, 300)}`);
  const address = features.nonAnonymous ? bareJidOf(itemOf(stanza)["jid"] ?? "") : undefined;
  return RemoteUserId(address ?? `nick:${room}/${nick}`);
}

/** The id that the room gave a message (XEP-0359); only a room with an archive keeps others from making one up. */
export function stanzaIdOf(room: string, stanza: Element, features: RoomFeatures): string | undefined {
  if (!features.archive) return undefined;
  return stanza
    .getChildren("stanza-id", NS.stanzaIds)
    .find(({ attrs }) => bareJidOf(attrs["by"] ?? "") === room && attrs["id"] !== undefined && attrs["id"] !== "")
    ?.attrs["id"];
}

/** When something was sent that comes late (XEP-0203), in milliseconds since 1970. */
export function delayOf(element: Element): number | undefined {
  const at = Date.parse(element.getChild("delay", NS.delay)?.attrs["stamp"] ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/** The room's subject, where that is all that a message says (XEP-0045 §8.1). */
export function subjectOf(stanza: Element): string | undefined {
  const subject = stanza.getChildText("subject");
  return subject === null || stanza.getChild("body") || stanza.getChild("thread") ? undefined : subject;
}
