import { ns } from "../namespaces.js";
import { attributeOf, childOf, filledAttributeOf, ownTextOf, textOf, type XmlElement } from "../xml.js";
import { given } from "../given.js";
import { readOccupantId } from "./ids.js";
import { isBare } from "./jid.js";
import type { MessageType, MessageWhat } from "./message-types.js";
import { readTime } from "./time.js";

/** A retraction by the author or by a moderator, of today (`…:1`) or of the days when both were fastened (XEP-0422). */
export function readRetraction(message: XmlElement, type: MessageType): MessageWhat | undefined {
  return tombstoneOf(message) ?? retractOf(message, type) ?? fastenedOf(message, type);
}

function retractOf(message: XmlElement, type: MessageType): MessageWhat | undefined {
  const retract = childOf(message, "retract", ns.retraction);
  if (retract === undefined) return undefined;
  const target = filledAttributeOf(retract, "id");
  if (target === undefined) return { kind: "ignored", reason: "a retraction that does not say of what" };
  const moderated = childOf(retract, "moderated", ns.moderation);
  const reason = ownTextOf(retract, "reason");
  if (moderated === undefined) return given({ kind: "retraction", target, reason } as const);
  return moderationOf({ message, type, target, moderated, reason: reason ?? reasonOf(moderated) });
}

function fastenedOf(message: XmlElement, type: MessageType): MessageWhat | undefined {
  const fastening = childOf(message, "apply-to", ns.fastening);
  if (fastening === undefined) return undefined;
  const moderated = childOf(fastening, "moderated", ns.oldModeration);
  const retract = childOf(fastening, "retract", ns.oldRetraction) ?? childOf(fastening, "retract", ns.retraction);
  if (moderated === undefined && retract === undefined) return undefined;
  const target = filledAttributeOf(fastening, "id");
  if (target === undefined) return { kind: "ignored", reason: "a retraction that does not say of what" };
  if (moderated === undefined) return { kind: "retraction", target };
  return moderationOf({ message, type, target, moderated, reason: reasonOf(moderated) });
}

interface Moderated {
  readonly message: XmlElement;
  readonly type: MessageType;
  readonly target: string;
  readonly moderated: XmlElement;
  readonly reason: string | undefined;
}

/** Rooms pass on what occupants send: only what comes from the room itself is its word (XEP-0425 §7). */
function moderationOf({ message, type, target, moderated, reason }: Moderated): MessageWhat {
  const from = attributeOf(message, "from");
  if (type !== "groupchat" || from === undefined || !isBare(from))
    return { kind: "forged", reason: "a moderation that the room did not send" };
  return given({
    kind: "moderation",
    target,
    by: filledAttributeOf(moderated, "by"),
    byOccupantId: readOccupantId(moderated),
    reason,
  } as const);
}

function reasonOf(moderated: XmlElement): string | undefined {
  return ownTextOf(moderated, "reason");
}

function tombstoneOf(message: XmlElement): MessageWhat | undefined {
  const isHere = (within: XmlElement): XmlElement | undefined =>
    childOf(within, "retracted", ns.retraction) ?? childOf(within, "retracted", ns.oldRetraction);
  const oldModerated = childOf(message, "moderated", ns.oldModeration);
  const retracted = isHere(message) ?? (oldModerated && isHere(oldModerated));
  if (retracted === undefined) return undefined;
  const moderated = oldModerated ?? childOf(retracted, "moderated", ns.moderation);
  const reason =
    ownTextOf(retracted, "reason") ??
    (textOf(moderated && childOf(moderated, "reason", ns.oldModeration)).trim() || undefined);
  const at = readTime(attributeOf(retracted, "stamp") ?? "");
  return given({ kind: "tombstone", at, moderated: moderated !== undefined, reason } as const);
}
