import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  filledAttributeOf,
  ownChildOf,
  ownChildrenOf,
  ownTextOf,
  textOf,
  type XmlElement,
} from "../xml.js";
import { given } from "../given.js";
import { bareOf } from "./jid.js";
import type { MessageWhat } from "./message-types.js";

/** An invitation into a room, an answer to one, or the wish that a room of ours send one. */
export function readInvite(message: XmlElement): MessageWhat | undefined {
  const user = childOf(message, "x", ns.mucUser);
  const mediated = user && (mediatedInvite(message, user) ?? inviteRequest(user) ?? decline(message, user));
  return mediated ?? directInvite(message);
}

function mediatedInvite(message: XmlElement, user: XmlElement): MessageWhat | undefined {
  const invite = ownChildrenOf(user, "invite").find((child) => filledAttributeOf(child, "from") !== undefined);
  if (invite === undefined) return undefined;
  const room = attributeOf(message, "from");
  if (room === undefined) return { kind: "ignored", reason: "an invitation into no room" };
  const continued = ownChildOf(invite, "continue");
  return given({
    kind: "invite",
    how: "mediated",
    // Some rooms send it in the name of the occupant who asked for it.
    room: bareOf(room),
    by: filledAttributeOf(invite, "from"),
    reason: ownTextOf(invite, "reason"),
    password: ownTextOf(user, "password"),
    thread: continued && filledAttributeOf(continued, "thread"),
  } as const);
}

function inviteRequest(user: XmlElement): MessageWhat | undefined {
  const invites = ownChildrenOf(user, "invite");
  const to = invites.flatMap((invite) => filledAttributeOf(invite, "to") ?? []);
  if (invites[0] === undefined) return undefined;
  if (to.length === 0) return { kind: "ignored", reason: "an invitation of nobody" };
  return given({ kind: "inviteRequest", to, reason: ownTextOf(invites[0], "reason") } as const);
}

function decline(message: XmlElement, user: XmlElement): MessageWhat | undefined {
  const declined = ownChildOf(user, "decline");
  if (declined === undefined) return undefined;
  const reason = ownTextOf(declined, "reason");
  const by = filledAttributeOf(declined, "from");
  const room = attributeOf(message, "from");
  if (by === undefined)
    return given({ kind: "declineRequest", to: filledAttributeOf(declined, "to"), reason } as const);
  if (room === undefined) return { kind: "ignored", reason: "a refusal to come to no room" };
  return given({ kind: "inviteDeclined", room: bareOf(room), by, reason } as const);
}

function directInvite(message: XmlElement): MessageWhat | undefined {
  const direct = childOf(message, "x", ns.directInvite);
  const room = direct && filledAttributeOf(direct, "jid");
  if (direct === undefined || room === undefined) return undefined;
  return given({
    kind: "invite",
    how: "direct",
    room,
    by: filledAttributeOf(message, "from"),
    reason: filledAttributeOf(direct, "reason") ?? (textOf(direct).trim() || undefined),
    password: filledAttributeOf(direct, "password"),
    thread: filledAttributeOf(direct, "thread"),
  } as const);
}
