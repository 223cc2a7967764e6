import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import { attributeOf, element, filledAttributeOf, isElement, ownChildrenOf, type XmlElement } from "../content/xml.js";
import { readForm, writeForm, type DataForm } from "./forms.js";
import { readResultSet, writeResultSet, type ResultSet } from "./rsm.js";

/** What something is (XEP-0030 §3.1), of the registry of categories and types: `conference` `text`, `gateway` `matrix`. */
export interface Identity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
  readonly language?: string;
}

/** What something is and can do (XEP-0030), with its extended information (XEP-0128). */
export interface DiscoInfo {
  readonly node?: string;
  readonly identities: readonly Identity[];
  readonly features: readonly string[];
  readonly forms: readonly DataForm[];
}

/** What is to be found at something (XEP-0030 §4). */
export interface DiscoItems {
  readonly node?: string;
  readonly items: readonly { readonly jid: string; readonly node?: string; readonly name?: string }[];
  readonly page?: ResultSet;
}

/** Reads a `<query/>` of `disco#info`, of a question or an answer. */
export function readDiscoInfo(query: XmlElement): DiscoInfo {
  return given({
    node: filledAttributeOf(query, "node"),
    identities: ownChildrenOf(query, "identity").map((identity) =>
      given({
        category: attributeOf(identity, "category") ?? "",
        type: attributeOf(identity, "type") ?? "",
        name: filledAttributeOf(identity, "name"),
        language: filledAttributeOf(identity, "xml:lang"),
      }),
    ),
    features: [
      ...new Set(ownChildrenOf(query, "feature").flatMap((feature) => filledAttributeOf(feature, "var") ?? [])),
    ],
    forms: query.children.filter((child): child is XmlElement => isElement(child, "x", ns.forms)).map(readForm),
  });
}

/** Writes a `<query/>` of `disco#info`. */
export function writeDiscoInfo({ node, identities, features, forms }: DiscoInfo): XmlElement {
  return element(
    "query",
    { xmlns: ns.discoInfo, node },
    ...identities.map(({ category, type, name, language }) =>
      element("identity", { category, type, name, "xml:lang": language }),
    ),
    ...features.map((feature) => element("feature", { var: feature })),
    ...forms.map(writeForm),
  );
}

/** Reads a `<query/>` of `disco#items`. Items without a JID are left out. */
export function readDiscoItems(query: XmlElement): DiscoItems {
  return given({
    node: filledAttributeOf(query, "node"),
    items: ownChildrenOf(query, "item").flatMap((item) => {
      const jid = filledAttributeOf(item, "jid");
      if (jid === undefined) return [];
      return [given({ jid, node: filledAttributeOf(item, "node"), name: filledAttributeOf(item, "name") })];
    }),
    page: readResultSet(query),
  });
}

/** Writes a `<query/>` of `disco#items`. */
export function writeDiscoItems({ node, items, page }: DiscoItems): XmlElement {
  return element(
    "query",
    { xmlns: ns.discoItems, node },
    ...items.map((item) => element("item", { jid: item.jid, node: item.node, name: item.name })),
    page && writeResultSet(page),
  );
}
