import { element, ns, type ErrorType, type XmlElement } from "../content/index.js";

/** Why something was not done (RFC 6120 §8.3), for the client and for the person. */
export interface Refusal {
  readonly type: ErrorType;
  readonly condition: string;
  readonly text: string;
  /** Where to go instead, with `gone` and `redirect`. */
  readonly address?: string;
}

export const refusal = (type: ErrorType, condition: string, text: string): Refusal => ({ type, condition, text });

/** The answer to a stanza that was refused; `undefined` where it must not be answered. */
export function refused(stanza: XmlElement, { type, condition, text, address = "" }: Refusal): XmlElement | undefined {
  const { from, to, id, type: of } = stanza.attrs;
  if (of === "error" || (stanza.name === "iq" && of === "result") || from === undefined) return undefined;
  const muc = stanza.name === "presence" ? element("x", { xmlns: ns.muc }) : undefined;
  return element(
    stanza.name,
    { from: to, to: from, id, type: "error" },
    muc,
    element(
      "error",
      { type, by: stanza.name === "presence" ? to?.split("/", 1)[0] : undefined },
      element(condition, { xmlns: ns.stanzaErrors }, address),
      element("text", { xmlns: ns.stanzaErrors }, text),
    ),
  );
}
