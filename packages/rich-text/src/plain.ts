import type { Format } from "./format.js";
import { normalise } from "./normalise.js";
import type { Leaf } from "./runs.js";
import { utf8Length } from "./text.js";
import type { Block, Inline, List, Mention, RichText } from "./tree.js";

/** How plain text is written. */
export interface PlainTextOptions {
  /**
   * `markdown` (the default) writes the marks people type: `**bold**`, `_italic_`, `` `code` ``, `~~strike~~`,
   * `||spoiler||`, `[text](url)`. `none` leaves them out; a link is then `text (url)`, and code stands as it is.
   */
  readonly marks?: "markdown" | "none";
  /** How a mention is written; its text where absent. */
  readonly mention?: (mention: Mention) => string;
}

/**
 * The text without formatting, readable by people: quotes with `> `, lists with `- ` or their numbers, an empty line
 * between blocks. No newline at the end; the empty string for an empty tree.
 */
export function toPlainText(tree: RichText, options: PlainTextOptions = {}): string {
  return plainTextOf(normalise(tree), options);
}

/** The same for a tree in its normal form. */
export function plainTextOf(tree: RichText, options: PlainTextOptions = {}): string {
  return blocksText(tree.blocks, "\n\n", options);
}

function blocksText(blocks: readonly Block[], separator: string, options: PlainTextOptions): string {
  return blocks.map((block) => blockText(block, options)).join(separator);
}

function blockText(block: Block, options: PlainTextOptions): string {
  const marked = options.marks !== "none";
  switch (block.type) {
    case "paragraph":
      return inlinesText(block.children, options);
    case "heading":
      return (marked ? `${"#".repeat(block.level)} ` : "") + inlinesText(block.children, options);
    case "codeBlock":
      return marked ? fenced(block.text, block.language) : block.text;
    case "quote":
      return prefixLines(blocksText(block.blocks, "\n\n", options), "> ", "> ");
    case "list":
      return listText(block, options);
    case "rule":
      return "---";
  }
}

/** A fence is longer than any row of backticks in the code. */
export function fenceLength(text: string): number {
  return Math.max(3, longestRow(text) + 1);
}

function fenced(text: string, language = ""): string {
  const fence = "`".repeat(fenceLength(text));
  return `${fence}${language}\n${text}\n${fence}`;
}

function longestRow(text: string): number {
  let longest = 0;
  for (const row of text.match(/`+/g) ?? []) longest = Math.max(longest, row.length);
  return longest;
}

function listText(list: List, options: PlainTextOptions): string {
  const items = list.items.map((item, index) => {
    const marker = list.ordered ? `${(list.start ?? 1) + index}. ` : "- ";
    return prefixLines(blocksText(item.blocks, "\n", options), marker, " ".repeat(marker.length));
  });
  return items.join("\n");
}

function prefixLines(text: string, first: string, others: string): string {
  return text
    .split("\n")
    .map((line, index) => {
      const prefix = index === 0 ? first : others;
      return line === "" ? prefix.trimEnd() : prefix + line;
    })
    .join("\n");
}

function inlinesText(inlines: readonly Inline[], options: PlainTextOptions): string {
  return inlines.map((inline) => inlineText(inline, options)).join("");
}

function inlineText(inline: Inline, options: PlainTextOptions): string {
  const marked = options.marks !== "none";
  switch (inline.type) {
    case "text":
      return inline.text;
    case "break":
      return "\n";
    case "code":
      return marked ? codeText(inline.text) : inline.text;
    case "mention":
      return options.mention?.(inline) ?? inline.text;
    case "emoji":
      return /^[\w+-]+$/.test(inline.name) ? `:${inline.name}:` : inline.name;
    case "image":
      return inline.alt === "" ? "image" : inline.alt;
    case "link":
      return linkText(inlinesText(inline.children, options), inline.href, marked);
    default: {
      const text = inlinesText(inline.children, options);
      if (!marked) return text;
      const reason = inline.type === "spoiler" && inline.reason !== undefined ? `(${inline.reason}) ` : "";
      const mark = marks[inline.type];
      return `${mark}${reason}${text}${mark}`;
    }
  }
}

/** How many bytes the marks around a leaf take that stands alone; within a wrapper that it shares it takes less. */
export function marksLength(format: Format, options: PlainTextOptions): number {
  const marked = options.marks !== "none";
  const link = format.link === undefined ? 0 : utf8Length(format.link) + (marked ? "[]()" : " ()").length;
  if (!marked) return link;
  const spoiler =
    format.spoiler === undefined ? 0 : 4 + (format.spoiler === "" ? 0 : utf8Length(format.spoiler) + "() ".length);
  return link + spoiler + (format.bold ? 4 : 0) + (format.italic ? 2 : 0) + (format.strike ? 4 : 0);
}

const marks = { bold: "**", italic: "_", underline: "", strike: "~~", colour: "", spoiler: "||" } as const;

/** The text of a leaf without what is around it. */
export function leafText(leaf: Leaf, options: PlainTextOptions): string {
  return inlineText(leaf, options);
}

function codeText(text: string): string {
  const ticks = "`".repeat(longestRow(text) + 1);
  const padding = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${ticks}${padding}${text}${padding}${ticks}`;
}

function linkText(text: string, href: string, marked: boolean): string {
  const shown = href.replace(/^mailto:/, "");
  if (text === href || text === shown) return text;
  return marked ? `[${text}](${href})` : `${text} (${href})`;
}
