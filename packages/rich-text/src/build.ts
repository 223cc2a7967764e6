import type { Block, Inline, RichText } from "./tree.js";

/** A tree of plain text: one paragraph, in which each `\n` (or `\r\n`) is a line break. */
export function richTextOf(plain: string): RichText {
  if (plain === "") return { blocks: [] };
  const children: Inline[] = [];
  for (const [index, line] of plain.split(/\r\n|\r|\n/).entries()) {
    if (index > 0) children.push({ type: "break" });
    if (line !== "") children.push({ type: "text", text: line });
  }
  return { blocks: [{ type: "paragraph", children }] };
}

/** A tree of one paragraph. */
export function paragraph(...children: readonly Inline[]): RichText {
  const block: Block = { type: "paragraph", children };
  return { blocks: [block] };
}
