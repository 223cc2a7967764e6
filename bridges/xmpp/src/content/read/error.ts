import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  elementsOf,
  localName,
  namespaceOf,
  ownChildOf,
  textOf,
  type XmlElement,
} from "../xml.js";
import { given } from "../given.js";

/** What an error asks of who sent the stanza (RFC 6120 §8.3.2). */
export const errorTypes = ["auth", "cancel", "continue", "modify", "wait"] as const;
export type ErrorType = (typeof errorTypes)[number];

/** Why a stanza was not delivered or not obeyed (RFC 6120 §8.3). */
export interface StanzaError {
  /** `wait` says that it may be tried again; `cancel` where the error has none. */
  readonly type: ErrorType;
  /** A condition of RFC 6120 §8.3.3, such as `item-not-found`; `undefined-condition` where there is none. */
  readonly condition: string;
  /** For people, in the words of the other server. */
  readonly text?: string;
  /** Who found the error. */
  readonly by?: string;
  /** Where to go instead, with `gone` and `redirect`. */
  readonly address?: string;
  /** The condition of the protocol that was spoken. */
  readonly detail?: { readonly name: string; readonly namespace: string };
}

/** The error of a stanza of type `error`. One without an `<error>` gives `undefined-condition`. */
export function readError(stanza: XmlElement): StanzaError {
  const error = ownChildOf(stanza, "error");
  if (error === undefined) return { type: "cancel", condition: "undefined-condition" };
  const inside = elementsOf(error);
  const defined = inside.find((child) => namespaceOf(child) === ns.stanzaErrors && localName(child) !== "text");
  const detail = inside.find((child) => namespaceOf(child) !== ns.stanzaErrors && namespaceOf(child) !== undefined);
  const isElsewhere = defined !== undefined && ["gone", "redirect"].includes(localName(defined));
  return given({
    type: errorTypes.find((type) => type === attributeOf(error, "type")) ?? "cancel",
    condition: defined === undefined ? conditionOfCode(attributeOf(error, "code")) : localName(defined),
    text:
      textOf(childOf(error, "text", ns.stanzaErrors) ?? (defined === undefined ? error : undefined)).trim() ||
      undefined,
    by: attributeOf(error, "by") || undefined,
    address: (isElsewhere && textOf(defined).trim()) || undefined,
    detail: detail && { name: localName(detail), namespace: namespaceOf(detail) ?? "" },
  });
}

/** The numbers of XEP-0086, from before conditions had names. */
const codes: Readonly<Record<string, string>> = {
  "400": "bad-request",
  "401": "not-authorized",
  "403": "forbidden",
  "404": "item-not-found",
  "405": "not-allowed",
  "406": "not-acceptable",
  "407": "registration-required",
  "409": "conflict",
  "500": "internal-server-error",
  "501": "feature-not-implemented",
  "503": "service-unavailable",
  "504": "remote-server-timeout",
};

function conditionOfCode(code = ""): string {
  return (Object.hasOwn(codes, code) ? codes[code] : undefined) ?? "undefined-condition";
}
