import { ns } from "../content/namespaces.js";
import { readMucItem, type MucItem } from "../content/read/muc-user.js";
import { element, ownChildrenOf, textElement, type XmlElement } from "../content/xml.js";

/** Reads a list of a room (XEP-0045 §8, §9), asked for, told or changed. */
export function readMucAdmin(query: XmlElement): MucItem[] {
  return ownChildrenOf(query, "item").map(readMucItem);
}

/** Writes a list of a room: `{ nick, role: "none" }` kicks, `{ jid, affiliation: "outcast" }` bans. */
export function writeMucAdmin(items: readonly MucItem[]): XmlElement {
  return element("query", { xmlns: ns.mucAdmin }, ...items.map(mucItemElement));
}

/** Writes an `<item/>` of `muc#admin` or `muc#user`. */
export function mucItemElement({ affiliation, role, jid, nick, reason, actor }: MucItem): XmlElement {
  return element(
    "item",
    { affiliation, role, jid, nick },
    actor && element("actor", { nick: actor.nick, jid: actor.jid }),
    reason === undefined ? undefined : textElement("reason", reason),
  );
}
