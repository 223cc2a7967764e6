import { mucItemElement } from "../../protocol/muc-admin.js";
import { ns } from "../namespaces.js";
import type { MucUser } from "../read/muc-user.js";
import type { Availability, RoomJoin } from "../read/presence.js";
import { writeTime } from "../read/time.js";
import { element, textElement, type Child, type XmlElement } from "../xml.js";
import { signalOf, type Envelope } from "./envelope.js";

/** Asks somebody to come to a room, from one person to another (XEP-0249). */
export function writeDirectInvite(
  envelope: Envelope,
  invite: { readonly room: string; readonly reason?: string; readonly password?: string },
): XmlElement {
  return signalOf(
    envelope,
    element("x", { xmlns: ns.directInvite, jid: invite.room, reason: invite.reason, password: invite.password }),
  );
}

/** Asks a room to invite somebody (XEP-0045 §7.8.2); the message goes to the room. */
export function writeInviteRequest(envelope: Envelope, who: string, reason?: string): XmlElement {
  return signalOf(envelope, element("x", { xmlns: ns.mucUser }, element("invite", { to: who }, reasonOf(reason))));
}

/** Invites somebody into a room of ours in the name of who asked for it; the message is from the room. */
export function writeMediatedInvite(
  envelope: Envelope,
  invite: { readonly by: string; readonly reason?: string; readonly password?: string },
): XmlElement {
  return signalOf(
    envelope,
    element(
      "x",
      { xmlns: ns.mucUser },
      element("invite", { from: invite.by }, reasonOf(invite.reason)),
      invite.password === undefined ? undefined : textElement("password", invite.password),
    ),
  );
}

/** Would rather not come: to the room, which tells who asked. */
export function writeDecline(envelope: Envelope, to: string, reason?: string): XmlElement {
  return signalOf(envelope, element("x", { xmlns: ns.mucUser }, element("decline", { to }, reasonOf(reason))));
}

/** Tells who asked that somebody would rather not come into a room of ours; the message is from the room. */
export function writeDeclined(envelope: Envelope, by: string, reason?: string): XmlElement {
  return signalOf(envelope, element("x", { xmlns: ns.mucUser }, element("decline", { from: by }, reasonOf(reason))));
}

function reasonOf(reason: string | undefined): Child {
  return reason === undefined ? undefined : textElement("reason", reason);
}

/** How one comes into a room (XEP-0045 §7.2). Nothing of what was said is wanted where `history` is left out. */
export function roomJoin(join: Partial<RoomJoin> = {}): XmlElement {
  const { password, history = { maxCharacters: 0 } } = join;
  return element(
    "x",
    { xmlns: ns.muc },
    element("history", {
      maxstanzas: history.maxStanzas,
      maxchars: history.maxCharacters,
      seconds: history.seconds,
      since: history.since === undefined ? undefined : writeTime(history.since),
    }),
    password === undefined ? undefined : textElement("password", password),
  );
}

/** What a room of ours says about an occupant or itself. */
export function mucUser({ items, statuses, destroyed }: MucUser): XmlElement {
  return element(
    "x",
    { xmlns: ns.mucUser },
    ...items.map(mucItemElement),
    ...statuses.map((code) => element("status", { code })),
    destroyed &&
      element(
        "destroy",
        { jid: destroyed.alternative },
        reasonOf(destroyed.reason),
        destroyed.password === undefined ? undefined : textElement("password", destroyed.password),
      ),
  );
}

/** A presence, with what somebody tells of themselves; `extra` holds what rooms, avatars and capabilities add. */
export function writePresence(presence: {
  readonly from?: string;
  readonly to?: string;
  readonly id?: string;
  readonly type?: "unavailable" | "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed" | "probe";
  readonly show?: Availability["show"];
  readonly status?: string;
  readonly extra?: readonly XmlElement[];
}): XmlElement {
  const { from, to, id, type, show, status, extra = [] } = presence;
  return element(
    "presence",
    { from, to, id, type },
    show === undefined ? undefined : textElement("show", show),
    status === undefined ? undefined : textElement("status", status),
    ...extra,
  );
}
