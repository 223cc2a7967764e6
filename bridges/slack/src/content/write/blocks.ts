import type {
  DividerBlock,
  RichTextBlock,
  RichTextBlockElement,
  RichTextElement,
  RichTextList,
  RichTextPreformatted,
} from "@slack/types";
import { normalise, type Block, type Inline, type List, type RichText } from "@trestle/rich-text";
import { cutText } from "./cut.js";
import { elementsOf, type Style, type WriteContext } from "./elements.js";

/** The blocks that a text is written as. */
export type TextBlock = RichTextBlock | DividerBlock;

/** A list of Slack tells how many items of it came before, which its types leave out. */
export type OffsetList = RichTextList & { readonly offset?: number };

/** As deep as Slack's lists go. */
const maxIndent = 8;

/** Writes a text as `rich_text` blocks, with a divider for each line across. */
export function blocksOf(body: RichText, context: WriteContext): TextBlock[] {
  const writer = new BlockWriter(context);
  for (const block of normalise(body).blocks) writer.add(block, 0);
  return writer.finish();
}

class BlockWriter {
  readonly #blocks: TextBlock[] = [];
  #elements: RichTextBlockElement[] = [];
  /** The section under construction, one paragraph or several. */
  #section: RichTextElement[] = [];
  /** How many quotes the section stands in. */
  #quotes = 0;

  constructor(readonly context: WriteContext) {}

  finish(): TextBlock[] {
    this.#endBlock();
    return this.#blocks;
  }

  /** @param quotes how many quotes the block stands in */
  add(block: Block, quotes: number): void {
    switch (block.type) {
      case "paragraph":
        this.#paragraph(block.children, {}, quotes);
        break;
      case "heading":
        this.#paragraph(block.children, { bold: true }, quotes);
        break;
      case "codeBlock":
        this.#endSection();
        this.#elements.push(this.#code(block.text, quotes));
        break;
      case "rule":
        if (quotes > 0) {
          this.#paragraph([{ type: "text", text: "────────" }], {}, quotes);
        } else {
          this.#endBlock();
          this.#blocks.push({ type: "divider" });
        }
        break;
      case "quote":
        this.#endSection();
        for (const inside of block.blocks) this.add(inside, quotes + 1);
        this.#endSection(quotes + 1);
        break;
      case "list":
        this.#endSection(quotes);
        this.#list(block, 0, quotes);
        break;
    }
  }

  #paragraph(children: readonly Inline[], style: Style, quotes: number): void {
    const elements = elementsOf(children, this.context, style);
    if (elements.length === 0) return;
    if (this.#section.length > 0) this.#section.push({ type: "text", text: "\n\n" });
    for (const element of elements) this.#section.push(element);
    this.#quotes = quotes;
  }

  #endSection(quotes = this.#quotes): void {
    if (this.#section.length === 0) return;
    const elements = joinTexts(this.#section, this.context.limits.element);
    this.#elements.push(
      quotes === 0
        ? { type: "rich_text_section", elements }
        : { type: "rich_text_quote", elements, ...(quotes > 1 ? { border: 1 } : {}) },
    );
    this.#section = [];
  }

  #endBlock(): void {
    this.#endSection();
    if (this.#elements.length > 0) this.#blocks.push({ type: "rich_text", elements: this.#elements });
    this.#elements = [];
  }

  /** The language is left out: Slack sends one, but refuses blocks with fields that it does not document. */
  #code(text: string, quotes: number): RichTextPreformatted {
    const elements = cutText(text, this.context.limits.element).map((piece) => ({
      type: "text" as const,
      text: piece,
    }));
    return { type: "rich_text_preformatted", elements, ...(quotes > 0 ? { border: 1 } : {}) };
  }

  /** A list within an item is a list of its own behind it, further in; then the outer one goes on. */
  #list(list: List, indent: number, quotes: number): void {
    let open: OffsetList | undefined;
    for (const [index, item] of list.items.entries()) {
      const [lines, rest] = itemParts(item.blocks);
      if (open === undefined) this.#elements.push((open = this.#emptyList(list, index, indent, quotes)));
      const children = lines.flatMap((line, at): RichTextElement[] => [
        ...(at === 0 ? [] : [{ type: "text", text: "\n" } as const]),
        ...elementsOf(line.children, this.context, line.style),
      ]);
      open.elements.push({ type: "rich_text_section", elements: joinTexts(children, this.context.limits.element) });
      if (rest.length > 0) open = undefined;
      for (const block of rest) {
        if (block.type === "list") this.#list(block, Math.min(indent + 1, maxIndent), quotes);
        else this.add(block, quotes);
      }
      this.#endSection();
    }
  }

  #emptyList({ ordered, start = 1 }: List, before: number, indent: number, quotes: number): OffsetList {
    const offset = start - 1 + before;
    return {
      type: "rich_text_list",
      style: ordered ? "ordered" : "bullet",
      indent,
      ...(ordered && offset > 0 ? { offset } : {}),
      ...(quotes > 0 ? { border: 1 } : {}),
      elements: [],
    };
  }
}

/** The lines that an item begins with, and what does not fit in them. */
function itemParts(
  blocks: readonly Block[],
): readonly [lines: { readonly children: readonly Inline[]; readonly style: Style }[], rest: readonly Block[]] {
  const lines: { readonly children: readonly Inline[]; readonly style: Style }[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block.type !== "paragraph" && block.type !== "heading") return [lines, blocks.slice(index)];
    lines.push({ children: block.children, style: block.type === "heading" ? { bold: true } : {} });
  }
  return [lines, []];
}

/** Neighbours of plain text as one, so that the same text always gives the same elements. */
function joinTexts(elements: readonly RichTextElement[], limit: number): RichTextElement[] {
  const joined: RichTextElement[] = [];
  for (const element of elements) {
    const last = joined.at(-1);
    const isPlain = element.type === "text" && element.style === undefined;
    if (isPlain && last?.type === "text" && last.style === undefined && last.text.length + element.text.length <= limit)
      joined[joined.length - 1] = { type: "text", text: last.text + element.text };
    else joined.push(element);
  }
  return joined;
}
