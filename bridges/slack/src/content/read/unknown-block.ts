import type { Block } from "@trestle/rich-text";
import { isRecord, textIn, type JsonRecord } from "../json.js";
import { append } from "./append.js";
import { linked, paragraphOf, textBlocks } from "./parts.js";
import { textInlines } from "./inlines.js";
import type { Reader } from "./reader.js";

/** Fields under which Block Kit keeps what people read, in the order in which it is shown. */
const readable = [
  "title",
  "header",
  "subtitle",
  "label",
  "text",
  "body",
  "description",
  "alt_text",
  "fallback",
  "hint",
];
const nested = ["elements", "fields", "blocks", "child_blocks", "items", "rows", "accessory", "element", "actions"];
const maxDepth = 6;
const maxTexts = 200;

/** Reads a block of a type made after this was written: all the texts it is likely to show, and its link. */
export function unknownBlocks(block: JsonRecord, reader: Reader): Block[] {
  const found: Block[] = [];
  collect(block, reader, found, maxDepth);
  const url = textIn(block, "url") ?? textIn(block, "title_url");
  if (url !== undefined) found.push(...paragraphOf(linked(textInlines(url), url, reader)));
  return found;
}

function collect(value: unknown, reader: Reader, found: Block[], depth: number): void {
  if (depth === 0 || found.length >= maxTexts) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, reader, found, depth - 1);
    return;
  }
  if (!isRecord(value)) return;
  for (const field of readable) {
    if (Object.hasOwn(value, field)) append(found, textBlocks(value[field], reader));
  }
  for (const field of nested) {
    if (Object.hasOwn(value, field)) collect(value[field], reader, found, depth - 1);
  }
}
