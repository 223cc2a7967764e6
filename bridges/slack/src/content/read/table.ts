import type { Block, Inline } from "@trestle/rich-text";
import { isRecord, listIn, textIn, type JsonRecord } from "../json.js";
import { joinLines, textInlines } from "./inlines.js";
import { bold, joined, paragraphOf } from "./parts.js";
import type { Reader } from "./reader.js";
import { elementsInlines } from "./rich-text-block.js";

/** A table: a line for each row, ` | ` between the cells, the first row bold, as tables from Matrix are kept. */
export function tableBlocks(block: JsonRecord, reader: Reader): Block[] {
  const rows = listIn(block, "rows").filter((row): row is readonly unknown[] => Array.isArray(row));
  const lines = rows.map((row, index) =>
    joined(
      row.map((cell) => {
        const inlines = cellInlines(cell, reader);
        return index === 0 ? bold(inlines) : inlines;
      }),
      " | ",
    ),
  );
  const caption = textInlines(textIn(block, "caption") ?? "");
  return [...paragraphOf(bold(caption)), ...paragraphOf(joinLines(lines.filter((line) => line.length > 0)))];
}

/** A cell is one line: what would be several stands beside each other. */
function cellInlines(cell: unknown, reader: Reader): Inline[] {
  if (!isRecord(cell)) return [];
  if (textIn(cell, "type") !== "rich_text") {
    const text = textIn(cell, "text") ?? (typeof cell.value === "number" ? String(cell.value) : "");
    return textInlines(text.replace(/[\r\n]+/g, " "));
  }
  const parts = listIn(cell, "elements")
    .filter(isRecord)
    .map((part) =>
      textIn(part, "type") === "rich_text_list"
        ? joined(
            listIn(part, "elements")
              .filter(isRecord)
              .map((item) => elementsInlines(item, reader)),
            ", ",
          )
        : elementsInlines(part, reader),
    );
  return joined(parts, " ").map((inline) => (inline.type === "break" ? { type: "text", text: " " } : inline));
}
