import type { Block, Heading, Inline, List, ListItem } from "@trestle/rich-text";
import { joinLines } from "./inlines.js";
import { markdownInlines } from "./markdown-line.js";
import type { Reader } from "./reader.js";

/**
 * Reads the Markdown of a `markdown` block, in linear time: headings, fenced code, quotes, lists, rules, and within
 * lines bold, italic, strike, code and links. What Markdown has beyond that stays as it was written.
 */
export function markdownBlocks(source: string, reader: Reader): Block[] {
  const blocks: Block[] = [];
  const lines = source.split(/\r\n|\r|\n/);
  let text: Inline[][] = [];
  const endText = (): void => {
    if (text.length > 0) blocks.push({ type: "paragraph", children: joinLines(text) });
    text = [];
  };
  for (let at = 0; at < lines.length;) {
    const found = blockAt(lines, at, reader);
    if (found === undefined) {
      const line = lines[at] ?? "";
      if (line.trim() === "") endText();
      else text.push(markdownInlines(line, reader));
      at++;
      continue;
    }
    endText();
    blocks.push(found.block);
    at = found.next;
  }
  endText();
  return blocks;
}

interface Found {
  readonly block: Block;
  /** The line behind it. */
  readonly next: number;
}

function blockAt(lines: readonly string[], at: number, reader: Reader): Found | undefined {
  const line = lines[at] ?? "";
  const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/.exec(line);
  if (fence !== null) return codeAt(lines, at, fence[1] ?? "", fence[2] ?? "");
  if (/^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/.test(line)) return { block: { type: "rule" }, next: at + 1 };
  const heading = /^ {0,3}(#{1,6}) +(.*)$/.exec(line);
  if (heading !== null) {
    const children = markdownInlines((heading[2] ?? "").trim(), reader);
    return { block: { type: "heading", level: levelOf(heading[1]?.length ?? 1), children }, next: at + 1 };
  }
  if (/^ {0,3}>/.test(line)) return quoteAt(lines, at, reader);
  return itemOf(line) === undefined ? undefined : listAt(lines, at, reader);
}

function levelOf(count: number): Heading["level"] {
  const levels = [1, 2, 3, 4, 5, 6] as const;
  return levels[count - 1] ?? 6;
}

function codeAt(lines: readonly string[], at: number, fence: string, language: string): Found {
  let end = at + 1;
  while (end < lines.length && lines[end]?.trim().startsWith(fence) !== true) end++;
  const text = lines.slice(at + 1, end).join("\n");
  return { block: { type: "codeBlock", text, ...(language === "" ? {} : { language }) }, next: end + 1 };
}

/** A quote within a quote keeps its `>`: it is one level here. */
function quoteAt(lines: readonly string[], at: number, reader: Reader): Found {
  const inside: Inline[][] = [];
  let end = at;
  for (; /^ {0,3}>/.test(lines[end] ?? ""); end++) {
    inside.push(markdownInlines((lines[end] ?? "").replace(/^ {0,3}> ?/, ""), reader));
  }
  return { block: { type: "quote", blocks: [{ type: "paragraph", children: joinLines(inside) }] }, next: end };
}

interface Item {
  readonly indent: number;
  readonly ordered: boolean;
  readonly number: number;
  readonly text: string;
}

function itemOf(line: string): Item | undefined {
  const [, space = "", marker, text] = /^( {0,40})([-*+]|\d{1,9}[.)]) +(.*)$/.exec(line) ?? [];
  if (marker === undefined || text === undefined) return undefined;
  const ordered = /^\d/.test(marker);
  return { indent: space.length, ordered, number: ordered ? Number.parseInt(marker, 10) : 1, text };
}

/** A row of items; those that stand further in belong to the item before them. */
function listAt(lines: readonly string[], at: number, reader: Reader): Found {
  const items: Item[] = [];
  let end = at;
  for (let item = itemOf(lines[end] ?? ""); item !== undefined; item = itemOf(lines[end] ?? "")) {
    if (items.length > 0 && item.indent <= (items[0]?.indent ?? 0) && item.ordered !== items[0]?.ordered) break;
    items.push(item);
    end++;
  }
  return { block: listOf(items, reader, 8), next: end };
}

function listOf(items: readonly Item[], reader: Reader, levels: number): List {
  const { indent = 0, ordered = false, number = 1 } = items[0] ?? {};
  const made: ListItem[] = [];
  for (let at = 0; at < items.length;) {
    let end = at + 1;
    while (levels > 0 && end < items.length && (items[end]?.indent ?? 0) > indent + 1) end++;
    const paragraph: Block = { type: "paragraph", children: markdownInlines(items[at]?.text ?? "", reader) };
    const inside = items.slice(at + 1, end);
    made.push({ blocks: inside.length === 0 ? [paragraph] : [paragraph, listOf(inside, reader, levels - 1)] });
    at = end;
  }
  return { type: "list", ordered, ...(ordered && number !== 1 ? { start: number } : {}), items: made };
}
