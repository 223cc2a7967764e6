import { escapeHtml, parseMatrixHtml, type RichText } from "@trestle/rich-text";
import { ns } from "../namespaces.js";
import { attributeOf, childOf, localName, type XmlElement } from "../xml.js";
import { styleTags } from "./xhtml-style.js";

/** Elements of XHTML-IM (XEP-0071 §8) whose markup is kept; of every other one the text is. */
const kept = new Set([
  "a",
  "blockquote",
  "br",
  "cite",
  "code",
  "dfn",
  "div",
  "em",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "img",
  "kbd",
  "li",
  "ol",
  "p",
  "pre",
  "q",
  "samp",
  "span",
  "strong",
  "ul",
  "var",
  // Not of the profile, but sent by many.
  "b",
  "del",
  "hr",
  "i",
  "s",
  "strike",
  "u",
]);

/** Elements whose text is no text of the message. */
const dropped = new Set(["script", "style", "head", "title", "template", "iframe", "object", "svg", "math"]);

/** What XHTML calls by another name than Matrix. */
const renamed: Readonly<Record<string, string>> = { cite: "em", dfn: "em", var: "em", kbd: "code", samp: "code" };

/** How many elements are read; the text of the others is kept. */
const maxElements = 5_000;

/**
 * Reads the formatted text of a message (XEP-0071) into a tree; `undefined` where the message has none or it is empty.
 * What is not on the list is dropped and its text kept. Nothing but names, links, alternative texts and a few styles
 * gets through, so that it does not matter what is hidden in it.
 */
export function readXhtml(message: XmlElement): RichText | undefined {
  const html = childOf(message, "html", ns.xhtmlIm);
  const body = html === undefined ? undefined : childOf(html, "body", ns.xhtml);
  if (body === undefined) return undefined;
  const tree = parseMatrixHtml(matrixHtmlOf(body));
  return tree.blocks.length === 0 ? undefined : tree;
}

type Step = XmlElement | string | { readonly end: string };

/** Writes what is allowed as Matrix HTML. Without recursion: it may be nested as deep as a hostile peer wants. */
function matrixHtmlOf(body: XmlElement): string {
  const written: string[] = [];
  const steps: Step[] = body.children.toReversed();
  let elements = 0;
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if (typeof step === "string") {
      written.push(escapeHtml(step));
    } else if ("end" in step) {
      written.push(step.end);
    } else {
      const name = localName(step).toLowerCase();
      if (dropped.has(name)) continue;
      const tags = kept.has(name) && ++elements <= maxElements ? tagsOf(name, step) : { start: "", end: "" };
      written.push(tags.start);
      steps.push({ end: tags.end });
      for (let index = step.children.length - 1; index >= 0; index--) {
        const child = step.children[index];
        if (child !== undefined) steps.push(child);
      }
    }
  }
  return written.join("");
}

interface Tags {
  readonly start: string;
  readonly end: string;
}

function tagsOf(name: string, element: XmlElement): Tags {
  switch (name) {
    case "br":
    case "hr":
      return { start: `<${name}>`, end: "" };
    case "img":
      return { start: imageOf(element), end: "" };
    case "q":
      return { start: "“", end: "”" };
    case "a": {
      const link = attributed("a", "href", attributeOf(element, "href"));
      return styled(link, element);
    }
    case "ol":
      return styled(attributed("ol", "start", attributeOf(element, "start")), element);
    default: {
      const tag = renamed[name] ?? name;
      return styled({ start: `<${tag}>`, end: `</${tag}>` }, element);
    }
  }
}

function attributed(tag: string, attribute: string, value: string | undefined): Tags {
  const written = value === undefined ? "" : ` ${attribute}="${escapeHtml(value)}"`;
  return { start: `<${tag}${written}>`, end: `</${tag}>` };
}

/** A picture is a link to it, or its alternative text: only `https:` and `http:` reach out of the stanza. */
function imageOf(element: XmlElement): string {
  const [src = "", alt = ""] = [attributeOf(element, "src"), attributeOf(element, "alt")];
  const label = alt.trim() === "" ? "image" : alt;
  return /^https?:\/\//i.test(src) ? `<a href="${escapeHtml(src)}">${escapeHtml(label)}</a>` : escapeHtml(label);
}

function styled({ start, end }: Tags, element: XmlElement): Tags {
  const tags = styleTags(attributeOf(element, "style") ?? "");
  return { start: start + tags.start, end: tags.end + end };
}
