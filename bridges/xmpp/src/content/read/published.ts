import { ns } from "../namespaces.js";
import { childOf, elementsOf, filledAttributeOf, ownChildOf, ownChildrenOf, type XmlElement } from "../xml.js";
import { given } from "../given.js";
import type { MessageWhat } from "./message-types.js";

/** What a node has that it did not have (XEP-0060 §7.1.2); other news of nodes is nobody's business here. */
export function readPublished(message: XmlElement): MessageWhat | undefined {
  const event = childOf(message, "event", ns.pubsubEvent);
  if (event === undefined) return undefined;
  const items = ownChildOf(event, "items");
  const node = items && filledAttributeOf(items, "node");
  if (items === undefined || node === undefined) return { kind: "ignored", reason: "nothing of it is about items" };
  return {
    kind: "published",
    node,
    items: ownChildrenOf(items, "item").map((item) =>
      given({ id: filledAttributeOf(item, "id"), payload: elementsOf(item)[0] }),
    ),
    retracted: ownChildrenOf(items, "retract").flatMap((retract) => filledAttributeOf(retract, "id") ?? []),
  };
}
