import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  countAttributeOf,
  element,
  elementsOf,
  filledAttributeOf,
  ownChildOf,
  ownChildrenOf,
  type XmlElement,
} from "../content/xml.js";
import { writeForm } from "./forms.js";

/** What a node holds or is asked for (XEP-0060 §6.5), or what is put into it (§7.1). */
export interface PubsubItems {
  readonly action: "items" | "publish" | "retract";
  readonly node: string;
  readonly maxItems?: number;
  readonly items: readonly { readonly id?: string; readonly payload?: XmlElement }[];
}

/** Reads `<pubsub/>`; `undefined` where it is about something else than items. */
export function readPubsub(pubsub: XmlElement): PubsubItems | undefined {
  for (const action of ["items", "publish", "retract"] as const) {
    const found = ownChildOf(pubsub, action);
    const node = found && filledAttributeOf(found, "node");
    if (found === undefined || node === undefined) continue;
    return given({
      action,
      node,
      maxItems: countAttributeOf(found, "max_items"),
      items: ownChildrenOf(found, "item").map((item) =>
        given({ id: filledAttributeOf(item, "id"), payload: elementsOf(item)[0] }),
      ),
    });
  }
  return undefined;
}

/** Asks for what a node holds: the items of these ids, or the last ones. */
export function pubsubRequest(
  node: string,
  options: { readonly ids?: readonly string[]; readonly max?: number } = {},
): XmlElement {
  const items = (options.ids ?? []).map((id) => element("item", { id }));
  return element("pubsub", { xmlns: ns.pubsub }, element("items", { node, max_items: options.max }, ...items));
}

/** Puts an item into a node. With `open`, anybody may read it, where the server lets one say so (XEP-0060 §7.1.5). */
export function pubsubPublish(
  node: string,
  item: { readonly id: string; readonly payload: XmlElement },
  options: { readonly open?: boolean } = {},
): XmlElement {
  const form = writeForm({
    type: "submit",
    formType: "http://jabber.org/protocol/pubsub#publish-options",
    fields: [{ name: "pubsub#access_model", values: ["open"] }],
  });
  return element(
    "pubsub",
    { xmlns: ns.pubsub },
    element("publish", { node }, element("item", { id: item.id }, item.payload)),
    options.open === true ? element("publish-options", {}, form) : undefined,
  );
}

/** Tells that a node has an item, as a server does (XEP-0163): for the contacts of somebody who is on Matrix. */
export function pubsubEvent(node: string, item: { readonly id: string; readonly payload: XmlElement }): XmlElement {
  return element(
    "event",
    { xmlns: ns.pubsubEvent },
    element("items", { node }, element("item", { id: item.id }, item.payload)),
  );
}

/** Answers with what a node holds. */
export function pubsubAnswer(
  node: string,
  items: readonly { readonly id: string; readonly payload: XmlElement }[],
): XmlElement {
  return element(
    "pubsub",
    { xmlns: ns.pubsub },
    element("items", { node }, ...items.map(({ id, payload }) => element("item", { id }, payload))),
  );
}
