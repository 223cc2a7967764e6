import { element, ns, readIq, type XmlElement } from "../content/index.js";
import { writeDiscoInfo, writeDiscoItems } from "../protocol/index.js";

const mostListed = 1_000;

/** What the domain says of itself as a service of rooms (XEP-0045 §6.1, §6.3); `undefined` where something else is asked. */
export function serviceAnswer(
  stanza: XmlElement,
  rooms: readonly { readonly jid: string; readonly name: string }[],
): XmlElement | undefined {
  if (stanza.name !== "iq" || stanza.attrs["type"] !== "get") return undefined;
  const { what, from, to, id } = readIq(stanza);
  const result = (payload: XmlElement): XmlElement =>
    element("iq", { from: to, to: from, id, type: "result" }, payload);
  if (what.kind === "discoInfo" && what.info.node === undefined) {
    return result(
      writeDiscoInfo({
        identities: [{ category: "conference", type: "text", name: "Matrix rooms" }],
        features: [ns.discoInfo, ns.discoItems, ns.muc, ns.ping],
        forms: [],
      }),
    );
  }
  if (what.kind !== "discoItems" || what.items.node !== undefined) return undefined;
  return result(writeDiscoItems({ items: rooms.slice(0, mostListed) }));
}
