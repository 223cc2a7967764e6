import type { Inline, RichText } from "@trestle/rich-text";

export function renderLines(body: RichText): string[] {
  const lines: string[] = [];
  for (const block of body.blocks) {
    if (block.type === "paragraph") lines.push(...plain(block.children).split("\n"));
  }
  return lines.filter((line) => line.trim() !== "");
}

function plain(inlines: readonly Inline[]): string {
  return inlines.map((inline) => ("text" in inline ? inline.text : inline.type === "break" ? "\n" : "children" in inline ? plain(inline.children) : "")).join("");
}
