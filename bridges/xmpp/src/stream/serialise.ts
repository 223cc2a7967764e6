import { refused, type Failure } from "@trestle/core";
import type { Element } from "./element.js";

// XML 1.0 (fifth edition) §2.2, production 2: everything that is no Char. With the flag u a lone surrogate is one too.
const ILLEGAL = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?$/;
const TEXT_ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;" };
const ATTRIBUTE_ESCAPES: Readonly<Record<string, string>> = {
  ...TEXT_ESCAPES,
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#x9;",
  "\n": "&#xA;",
};
/** Deeper than any stanza of any specification; servers and clients that parse recursively break far below. */
const DEEPEST = 100;

/** What may be sent. */
export interface OutputLimits {
  /** In UTF-8 bytes. Prosody drops a component for a stanza of more than 512 KiB. */
  readonly maxStanzaBytes: number;
}

/**
 * Writes an element as XML that every XML 1.0 parser accepts: characters that XML cannot carry (U+0000, U+000B, U+FFFE,
 * lone surrogates) become U+FFFD. A `permanent` failure says why an element cannot be sent.
 */
export function serialise(element: Element, limits: OutputLimits): string | Failure {
  const pieces: string[] = [];
  const wrong = write(element, pieces, 1);
  if (wrong !== undefined) return refused(`The stanza was not sent: ${wrong}.`);
  const text = pieces.join("");
  const bytes = Buffer.byteLength(text);
  if (bytes <= limits.maxStanzaBytes) return text;
  return refused(
    `The stanza was not sent: it has ${bytes} bytes, and servers take no more than ${limits.maxStanzaBytes}. Shorten it.`,
  );
}

/** Replaces what XML 1.0 cannot carry by U+FFFD. */
export function legalXmlText(text: string): string {
  return text.replace(ILLEGAL, "\uFFFD");
}

/** Returns what is wrong with the element, `undefined` where nothing is. */
function write(element: Element, pieces: string[], depth: number): string | undefined {
  if (depth > DEEPEST) return `it is nested more than ${DEEPEST} deep`;
  if (!NAME.test(element.name)) return `${JSON.stringify(element.name)} is no name of an element`;
  pieces.push("<", element.name);
  for (const [key, value] of Object.entries(element.attrs)) {
    if (!NAME.test(key)) return `${JSON.stringify(key)} is no name of an attribute`;
    pieces.push(" ", key, '="', escaped(value, /[&<>"'\t\n\r]/g, ATTRIBUTE_ESCAPES), '"');
  }
  if (element.children.length === 0) {
    pieces.push("/>");
    return undefined;
  }
  pieces.push(">");
  for (const child of element.children) {
    if (typeof child === "string") {
      pieces.push(escaped(child, /[&<>\r]/g, TEXT_ESCAPES));
      continue;
    }
    const wrong = write(child, pieces, depth + 1);
    if (wrong !== undefined) return wrong;
  }
  pieces.push("</", element.name, ">");
  return undefined;
}

function escaped(text: string, what: RegExp, escapes: Readonly<Record<string, string>>): string {
  return legalXmlText(text).replace(what, (character) => escapes[character] ?? "");
}
