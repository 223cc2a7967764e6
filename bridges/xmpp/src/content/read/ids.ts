import { ns } from "../namespaces.js";
import { attributeOf, childOf, childrenOf, filledAttributeOf, type XmlElement } from "../xml.js";
import { given } from "../given.js";
import { isBare, sameBare } from "./jid.js";

/** By which ids a message goes. */
export interface MessageIds {
  /** The attribute of the stanza: the sender's choice. */
  readonly id?: string;
  /** The sender's choice too (XEP-0359), and the only one that rooms leave as it is. */
  readonly originId?: string;
  /**
   * The archive's (XEP-0359): in a room what replies, reactions, retractions and moderation refer to. Only where the
   * room, or the own account, gave it; what anybody else claims is left out.
   */
  readonly stanzaId?: string;
}

/** For whom stanzas are read. */
export interface ReadContext {
  /** The bare JID of the account whose own server delivers them; absent for a component, which has none. */
  readonly account?: string;
}

/**
 * The ids of a message. A `stanza-id` is believed where `by` is the room that the message is from, or the own account,
 * for these replace what anybody put there (XEP-0359 §5). Of several by the same, none is: the message is forged.
 */
export function readIds(message: XmlElement, context: ReadContext): MessageIds {
  const from = attributeOf(message, "from");
  const authority = attributeOf(message, "type") === "groupchat" ? from : context.account;
  const [mine, ...others] = childrenOf(message, "stanza-id", ns.stanzaIds).filter((child) => {
    const by = attributeOf(child, "by");
    return by !== undefined && isBare(by) && sameBare(by, authority);
  });
  const origin = childOf(message, "origin-id", ns.stanzaIds);
  return given({
    id: filledAttributeOf(message, "id"),
    originId: origin && filledAttributeOf(origin, "id"),
    stanzaId: mine === undefined || others.length > 0 ? undefined : filledAttributeOf(mine, "id"),
  });
}

/** The same occupant of a room under every nick (XEP-0421). The room sets it, in what comes from the room alone. */
export function readOccupantId(stanza: XmlElement): string | undefined {
  const [mine, ...others] = childrenOf(stanza, "occupant-id", ns.occupantId);
  return mine === undefined || others.length > 0 ? undefined : filledAttributeOf(mine, "id");
}
