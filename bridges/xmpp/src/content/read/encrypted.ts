import { ns } from "../namespaces.js";
import { childOf, filledAttributeOf, type XmlElement } from "../xml.js";
import type { MessageWhat } from "./message-types.js";

const methods: readonly (readonly [string, string, string])[] = [
  ["encrypted", ns.omemo, "OMEMO"],
  ["encrypted", ns.oldOmemo, "OMEMO"],
  ["openpgp", ns.openPgp, "OpenPGP"],
  ["x", ns.oldOpenPgp, "OpenPGP"],
];

/** Whether only the recipient can read a message, and how it is encrypted (XEP-0380, and the methods themselves). */
export function readEncryption(message: XmlElement): MessageWhat | undefined {
  const named = childOf(message, "encryption", ns.encryption);
  const method =
    methods.find(([name, namespace]) => childOf(message, name, namespace) !== undefined)?.[2] ??
    (named && (filledAttributeOf(named, "name") ?? filledAttributeOf(named, "namespace") ?? "unknown"));
  return method === undefined ? undefined : { kind: "encrypted", method };
}
