import { createHash } from "node:crypto";
import { ns } from "../content/namespaces.js";
import { element, type XmlElement } from "../content/xml.js";
import type { DiscoInfo } from "./disco.js";
import type { DataForm } from "./forms.js";

/**
 * The verification string of what something is and can do (XEP-0115 §5), by SHA-1, in base64. `undefined` where the
 * information is ill-formed (§5.4): something is there twice, so that its hash would stand for something else too.
 */
export function capsHash(info: DiscoInfo): string | undefined {
  const identities = info.identities.map(({ category, type, language = "", name = "" }) =>
    [category, type, language, name].join("/"),
  );
  const formTypes = info.forms.map(({ formType }) => formType ?? "");
  if (hasTwice(identities) || hasTwice(info.features) || hasTwice(formTypes)) return undefined;
  const lines = [
    ...identities.toSorted(byBytes),
    ...info.features.toSorted(byBytes),
    ...info.forms
      .filter(({ formType }) => formType !== undefined)
      .toSorted((a, b) => byBytes(a.formType ?? "", b.formType ?? ""))
      .flatMap(formLines),
  ];
  return createHash("sha1")
    .update(lines.map((line) => `${line.replaceAll("<", "&lt;")}<`).join(""))
    .digest("base64");
}

function formLines({ formType = "", fields }: DataForm): string[] {
  const named = fields.filter(({ name }) => name !== undefined).toSorted((a, b) => byBytes(a.name ?? "", b.name ?? ""));
  return [formType, ...named.flatMap(({ name = "", values }) => [name, ...values.toSorted(byBytes)])];
}

/** By the bytes of UTF-8, which is the order of the code points (`i;octet`). */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function hasTwice(texts: readonly string[]): boolean {
  return new Set(texts).size < texts.length;
}

/** What a presence says of it (XEP-0115 §4). A question for `node#ver` must be answered with the same information. */
export function capsElement(node: string, ver: string): XmlElement {
  return element("c", { xmlns: ns.caps, hash: "sha-1", node, ver });
}
