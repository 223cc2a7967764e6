import { withColour, withSpoiler, type Format } from "./format.js";
import { cleanHref, mentionTargetOf } from "./links.js";
import type { Heading, MentionTarget } from "./tree.js";

export type Attributes = ReadonlyMap<string, string>;

/** Elements whose content is no text of the message. */
export const dropped: ReadonlySet<string> = new Set([
  "mx-reply",
  "script",
  "style",
  "head",
  "title",
  "template",
  "iframe",
  "object",
  "noembed",
  "noframes",
  "svg",
]);

/** Elements that only end a paragraph, before and behind them. */
export const flowing: ReadonlySet<string> = new Set([
  "p",
  "div",
  "section",
  "article",
  "aside",
  "header",
  "footer",
  "main",
  "nav",
  "address",
  "figure",
  "figcaption",
  "details",
  "dl",
  "dt",
  "dd",
  "center",
  "form",
  "fieldset",
  "body",
  "html",
  "tbody",
  "thead",
  "tfoot",
]);

/** Elements of a line: what stands in one has its format. */
export function formatOf(name: string, attributes: Attributes, format: Format): Format {
  switch (name) {
    case "b":
    case "strong":
      return format.bold ? format : { ...format, bold: true };
    case "i":
    case "em":
      return format.italic ? format : { ...format, italic: true };
    case "u":
    case "ins":
      return format.underline ? format : { ...format, underline: true };
    case "del":
    case "s":
    case "strike":
      return format.strike ? format : { ...format, strike: true };
    case "font":
    case "span":
      return spanFormat(attributes, format);
    case "a": {
      const link = cleanHref(attributes.get("href") ?? "");
      return link === undefined ? format : { ...format, link };
    }
    default:
      return format;
  }
}

function spanFormat(attributes: Attributes, format: Format): Format {
  const reason = attributes.get("data-mx-spoiler");
  const hidden = reason === undefined ? format : withSpoiler(format, reason);
  const foreground = attributes.get("data-mx-color") ?? attributes.get("color");
  const background = attributes.get("data-mx-bg-color");
  return foreground === undefined && background === undefined ? hidden : withColour(hidden, foreground, background);
}

export const inlineElements: ReadonlySet<string> = new Set([
  "b",
  "strong",
  "i",
  "em",
  "u",
  "ins",
  "del",
  "s",
  "strike",
  "font",
  "span",
  "a",
]);

export const codeElements: ReadonlySet<string> = new Set(["code", "tt", "kbd", "samp"]);

/** Elements that hold lines but no blocks. */
export const lineBlocks: ReadonlySet<string> = new Set(["h1", "h2", "h3", "h4", "h5", "h6", "table", "summary"]);

/** Elements that bound the search for an element to close. */
export const boundaries: ReadonlySet<string> = new Set([
  "blockquote",
  "ul",
  "ol",
  "li",
  "table",
  "tr",
  "td",
  "th",
  "caption",
  "summary",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
]);

/** Which heading an element is. */
export const levels: ReadonlyMap<string, Heading["level"]> = new Map([
  ["h1", 1],
  ["h2", 2],
  ["h3", 3],
  ["h4", 4],
  ["h5", 5],
  ["h6", 6],
]);

/** Whom an `<a>` mentions. */
export function mentionOf(attributes: Attributes): MentionTarget | undefined {
  return mentionTargetOf((attributes.get("href") ?? "").trim());
}

/** `class="language-ts"` on the `<code>` of a `<pre>`. */
export function languageOf(attributes: Attributes): string | undefined {
  return /(?:^|\s)language-([A-Za-z0-9_+#.-]{1,64})(?:\s|$)/.exec(attributes.get("class") ?? "")?.[1];
}

/** `<ol start="3">`. */
export function startOf(attributes: Attributes): number | undefined {
  const start = /^\s*(-?\d{1,9})\s*$/.exec(attributes.get("start") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}
