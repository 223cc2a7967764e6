import { normalise, type Block, type Inline, type RichText } from "@trestle/rich-text";

/** The text with all of it hidden (XEP-0382), under a hint where there is one. */
export function spoiled(tree: RichText, hint: string): RichText {
  return normalise({ blocks: tree.blocks.map((block) => spoiledBlock(block, hint)) });
}

function spoiledBlock(block: Block, hint: string): Block {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return { ...block, children: [hidden(block.children, hint)] };
    case "codeBlock": {
      const lines = block.text
        .split("\n")
        .flatMap((line, index): Inline[] => [
          ...(index === 0 ? [] : [{ type: "break" } as const]),
          ...(line === "" ? [] : [{ type: "code", text: line } as const]),
        ]);
      return { type: "paragraph", children: [hidden(lines, hint)] };
    }
    case "quote":
      return { ...block, blocks: block.blocks.map((inside) => spoiledBlock(inside, hint)) };
    case "list":
      return {
        ...block,
        items: block.items.map(({ blocks }) => ({ blocks: blocks.map((inside) => spoiledBlock(inside, hint)) })),
      };
    case "rule":
      return block;
  }
}

function hidden(children: readonly Inline[], hint: string): Inline {
  return { type: "spoiler", ...(hint === "" ? {} : { reason: hint }), children };
}

/** Whether something in a text is hidden, and under which hint: the first there is. */
export function spoilerIn(tree: RichText): { readonly hint: string } | undefined {
  const hints = tree.blocks.flatMap(hintsInBlock);
  return hints.length === 0 ? undefined : { hint: hints.find((hint) => hint !== "") ?? "" };
}

function hintsInBlock(block: Block): string[] {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return block.children.flatMap(hintsInInline);
    case "quote":
      return block.blocks.flatMap(hintsInBlock);
    case "list":
      return block.items.flatMap(({ blocks }) => blocks.flatMap(hintsInBlock));
    case "codeBlock":
    case "rule":
      return [];
  }
}

function hintsInInline(inline: Inline): string[] {
  if (inline.type === "spoiler") return [inline.reason ?? ""];
  return "children" in inline ? inline.children.flatMap(hintsInInline) : [];
}
