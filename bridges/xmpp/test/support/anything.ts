import { UserId, type TextContent } from "@trestle/core";
import { parseMatrixHtml, parsePlainText } from "@trestle/rich-text";
import fc from "fast-check";
import { legalXmlText } from "../../dist/stream/index.js";

/** Markup that would do harm if it were ever taken for such. */
const harmful = [
  "</body></message><message to='alice@localhost' from='admin@localhost'><body>owned",
  "</message></stream:stream>",
  "<presence type='unavailable'/>",
  "<iq type='set' id='1' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'/></iq>",
  '" to="alice@localhost',
  "' type='error",
  "]]>",
  "<![CDATA[",
  "<!--",
  "<?xml version='1.0'?>",
  "&foo;",
  "&#0;",
  "&amp;lt;",
];
const characters = Array.from(
  "\u0000\u0001\u000b\u001f\u007f\u0085\u200b\u202e\u2028\ufeff\ufffe\uffff\ud800\udfff \t\r\n&<>\"'/\\:@^=+%_#!Aäß😀שﬁ",
);
/** Any text, and every kind that did harm anywhere. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.array(fc.constantFrom(...characters, ...harmful), { maxLength: 12 }).map((parts) => parts.join("")),
);
const tag = fc.constantFrom(
  "b",
  "i",
  "a",
  "code",
  "pre",
  "blockquote",
  "span",
  "font",
  "p",
  "message",
  "stream:stream",
);
const anyHtml = fc
  .array(
    fc.oneof(
      anyText,
      fc
        .tuple(tag, anyText, anyText)
        .map(([name, value, text]) => `<${name} href="${value}" class='x'>${text}</${name}>`),
      fc.tuple(tag, anyText).map(([name, text]) => `<${name}>${text}`),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));
/** What a message says, as text or as HTML. */
export const anyBody: fc.Arbitrary<TextContent["body"]> = fc.oneof(
  anyText.map((text) => parsePlainText(`.${text}`)),
  anyHtml.map((html) => parseMatrixHtml(`.${html}`)),
);
/** Anybody on Matrix. */
export const anyUser = fc
  .oneof(anyText, fc.stringMatching(/^[a-z0-9._=/+-]{1,40}$/))
  .map((text) => UserId(`@${text.replaceAll(":", "").toWellFormed().slice(0, 70)}:example.org`));

/** Line ends are written in several ways by parsers on the way, and what XML does not have is replaced. */
export function withoutEnds(text: string): string {
  return legalXmlText(text).replace(/\r\n?/g, "\n").trim();
}
