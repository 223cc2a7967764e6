import type { Run } from "./runs.js";
import { TreeBuilder } from "./builder.js";
import { formatInside } from "./normalise.js";
import { plainFormat, type Format } from "./format.js";
import type { Block, CodeBlock, Heading, Inline, RichText, Rule } from "./tree.js";

/** A quote, a list or an item; the same object for everything that stands in it. */
export type Container =
  | { readonly type: "quote" }
  | { readonly type: "list"; readonly ordered: boolean }
  | { readonly type: "item"; readonly marker: string; readonly number: number };

/** A block that holds no other, with everything around it: what a tree is cut into. */
export interface Piece {
  readonly path: readonly Container[];
  readonly content: Lines | CodeBlock | Rule | { readonly type: "nothing" };
}

export interface Lines {
  readonly type: "lines";
  readonly level: Heading["level"] | undefined;
  readonly runs: readonly Run[];
}

/** The pieces of a tree in its normal form. */
export function piecesOf(tree: RichText): Piece[] {
  const pieces: Piece[] = [];
  for (const block of tree.blocks) addPieces(block, [], pieces);
  return pieces;
}

function addPieces(block: Block, path: readonly Container[], pieces: Piece[]): void {
  switch (block.type) {
    case "paragraph":
      pieces.push({ path, content: { type: "lines", level: undefined, runs: runsOf(block.children) } });
      break;
    case "heading":
      pieces.push({ path, content: { type: "lines", level: block.level, runs: runsOf(block.children) } });
      break;
    case "codeBlock":
    case "rule":
      pieces.push({ path, content: block });
      break;
    case "quote": {
      const inside = [...path, { type: "quote" } as const];
      for (const child of block.blocks) addPieces(child, inside, pieces);
      break;
    }
    case "list": {
      const list: Container = { type: "list", ordered: block.ordered };
      for (const [index, { blocks }] of block.items.entries()) {
        const number = (block.start ?? 1) + index;
        const item: Container = { type: "item", number, marker: block.ordered ? `${number}. ` : "- " };
        const inside = [...path, list, item];
        if (blocks.length === 0) pieces.push({ path: inside, content: { type: "nothing" } });
        for (const child of blocks) addPieces(child, inside, pieces);
      }
      break;
    }
  }
}

function runsOf(inlines: readonly Inline[]): Run[] {
  const runs: Run[] = [];
  addRuns(inlines, plainFormat, runs);
  return runs;
}

function addRuns(inlines: readonly Inline[], format: Format, runs: Run[]): void {
  for (const inline of inlines) {
    if (!("children" in inline)) runs.push({ leaf: inline, format });
    else if (inline.type === "link") addRuns(inline.children, { ...format, link: inline.href }, runs);
    else addRuns(inline.children, formatInside(inline, format), runs);
  }
}

/** The tree of some pieces: what stood in one container stands in one again. */
export function treeOf(pieces: readonly Piece[]): RichText {
  const builder = new TreeBuilder();
  let open: readonly Container[] = [];
  for (const { path, content } of pieces) {
    let common = 0;
    while (common < open.length && open[common] === path[common]) common++;
    for (let index = open.length; index > common; index--) builder.close();
    for (let index = common; index < path.length; index++) openContainer(builder, path, index);
    open = path;
    addContent(builder, content);
  }
  return builder.finish();
}

function openContainer(builder: TreeBuilder, path: readonly Container[], index: number): void {
  const container = path[index];
  const inner = path[index + 1];
  if (container?.type === "quote") builder.openQuote();
  if (container?.type === "list")
    builder.openList(container.ordered, inner?.type === "item" ? inner.number : undefined);
  if (container?.type === "item") builder.openItem();
}

function addContent(builder: TreeBuilder, content: Piece["content"]): void {
  switch (content.type) {
    case "lines":
      if (content.level !== undefined) builder.heading(content.level);
      for (const { leaf, format } of content.runs) builder.leaf(leaf, format);
      builder.endBlock();
      break;
    case "codeBlock":
      builder.codeBlock(content.text, content.language);
      break;
    case "rule":
      builder.rule();
      break;
    case "nothing":
      break;
  }
}
