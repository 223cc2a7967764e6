import { normalise, type Block, type Inline, type RichText } from "@trestle/rich-text";
import { ns } from "../namespaces.js";
import { element, type Child, type XmlElement } from "../xml.js";
import type { MentionName } from "./styling-write.js";

/**
 * Writes a text as XHTML-IM (XEP-0071), `<html><body>…`, for clients that still read it. Pictures are their names, for
 * nobody on this side could fetch them.
 */
export function writeXhtml(tree: RichText, mentionName: MentionName = () => undefined): XmlElement {
  const body = normalise(tree).blocks.map((block) => blockElement(block, mentionName));
  return element("html", { xmlns: ns.xhtmlIm }, element("body", { xmlns: ns.xhtml }, body));
}

function blockElement(block: Block, mentionName: MentionName): XmlElement {
  switch (block.type) {
    case "paragraph":
      return element("p", {}, inlineChildren(block.children, mentionName));
    case "heading":
      return element(`h${block.level}`, {}, inlineChildren(block.children, mentionName));
    case "codeBlock":
      return element("pre", {}, element("code", {}, block.text));
    case "quote":
      return element(
        "blockquote",
        {},
        block.blocks.map((inside) => blockElement(inside, mentionName)),
      );
    case "list": {
      const items = block.items.map(({ blocks }) =>
        element(
          "li",
          {},
          blocks.map((inside) => blockElement(inside, mentionName)),
        ),
      );
      return element(block.ordered ? "ol" : "ul", { start: block.start }, items);
    }
    case "rule":
      return element("p", {}, "────────");
  }
}

function inlineChildren(inlines: readonly Inline[], mentionName: MentionName): Child[] {
  return inlines.map((inline) => inlineChild(inline, mentionName));
}

function inlineChild(inline: Inline, mentionName: MentionName): Child {
  switch (inline.type) {
    case "text":
      return spaced(inline.text);
    case "break":
      return element("br");
    case "code":
      return element("code", {}, inline.text);
    case "mention":
      return mentionName(inline.target) ?? inline.text;
    case "emoji":
      return /^[\w+-]+$/.test(inline.name) ? `:${inline.name}:` : inline.name;
    case "image":
      return inline.alt === "" ? "image" : inline.alt;
    case "link":
      return element("a", { href: inline.href }, inlineChildren(inline.children, mentionName));
    case "bold":
      return element("strong", {}, inlineChildren(inline.children, mentionName));
    case "italic":
      return element("em", {}, inlineChildren(inline.children, mentionName));
    default:
      return element("span", { style: styleOf(inline) }, inlineChildren(inline.children, mentionName));
  }
}

/** Several spaces end in one that collapses: the others are no-break spaces. */
function spaced(text: string): string {
  return text.replace(/ (?= )/g, "\u00a0").replaceAll("\t", "\u00a0\u00a0\u00a0\u00a0");
}

type StyledBySpan = Extract<Inline, { readonly type: "underline" | "strike" | "colour" | "spoiler" }>;

function styleOf(inline: StyledBySpan | Extract<Inline, { readonly children: readonly Inline[] }>): string | undefined {
  switch (inline.type) {
    case "underline":
      return "text-decoration: underline";
    case "strike":
      return "text-decoration: line-through";
    case "colour":
      return [
        inline.foreground === undefined ? [] : `color: ${inline.foreground}`,
        inline.background === undefined ? [] : `background-color: ${inline.background}`,
      ]
        .flat()
        .join("; ");
    default:
      return undefined;
  }
}
