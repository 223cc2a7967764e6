import { isNormal, TreeBuilder } from "./builder.js";
import { plainFormat, withColour, withSpoiler, type Format } from "./format.js";
import { codeLeaf, emojiLeaf, imageLeaf, mentionLeaf } from "./leaves.js";
import { cleanHref } from "./links.js";
import type { Leaf } from "./runs.js";
import type { Block, Colour, Inline, ListItem, Mention, MentionTarget, RichText, Spoiler, Styled } from "./tree.js";

/**
 * The one tree among all that look the same: text without control characters and lone surrogates, neighbours of one
 * look joined, wrappers in one order and never twice, nothing empty, colours, URLs and names in one spelling, quotes
 * and lists at most 24 levels deep. Every function here that returns a tree returns it in this form.
 *
 * Takes trees of any depth, in linear time.
 */
export function normalise(tree: RichText): RichText {
  if (isNormal(tree)) return tree;
  const builder = new TreeBuilder();
  feed(tree.blocks, builder, keep);
  return builder.finish();
}

/** The tree with each mention replaced by what `replace` returns: another mention, a text, or nothing. Normalised. */
export function mapMentions(tree: RichText, replace: (mention: Mention) => Inline | undefined): RichText {
  const builder = new TreeBuilder();
  feed(tree.blocks, builder, replace);
  return builder.finish();
}

/** Whom and what a text mentions, in order, repetitions included. */
export function mentionsOf(tree: RichText): readonly MentionTarget[] {
  const targets: MentionTarget[] = [];
  const steps: (Block | ListItem | Inline)[] = tree.blocks.toReversed();
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if ("target" in step) targets.push(step.target);
    const inside =
      "blocks" in step ? step.blocks : "items" in step ? step.items : "children" in step ? step.children : [];
    for (let index = inside.length - 1; index >= 0; index--) {
      const next = inside[index];
      if (next !== undefined) steps.push(next);
    }
  }
  return targets;
}

/** Whether there is nothing to see. */
export function isEmpty(tree: RichText): boolean {
  return normalise(tree).blocks.length === 0;
}

type Replace = (mention: Mention) => Inline | undefined;
const keep: Replace = (mention) => mention;

type Step =
  | { readonly do: "block"; readonly block: Block }
  | { readonly do: "item"; readonly item: ListItem }
  | { readonly do: "inline"; readonly inline: Inline; readonly format: Format; readonly replace: Replace }
  | { readonly do: "close" }
  | { readonly do: "end" };

/** Walks without recursion: a connector's tree may be as deep as a hostile network wants. */
function feed(blocks: readonly Block[], builder: TreeBuilder, replace: Replace): void {
  const steps: Step[] = [];
  pushBlocks(steps, blocks);
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    switch (step.do) {
      case "close":
        builder.close();
        break;
      case "end":
        builder.endBlock();
        break;
      case "item":
        builder.openItem();
        steps.push({ do: "close" });
        pushBlocks(steps, step.item.blocks);
        break;
      case "block":
        feedBlock(step.block, builder, steps, replace);
        break;
      case "inline":
        feedInline(step.inline, step.format, builder, steps, step.replace);
        break;
    }
  }
}

function pushBlocks(steps: Step[], blocks: readonly Block[]): void {
  for (let index = blocks.length - 1; index >= 0; index--) {
    const block = blocks[index];
    if (block !== undefined) steps.push({ do: "block", block });
  }
}

function pushInlines(steps: Step[], inlines: readonly Inline[], format: Format, replace: Replace): void {
  for (let index = inlines.length - 1; index >= 0; index--) {
    const inline = inlines[index];
    if (inline !== undefined) steps.push({ do: "inline", inline, format, replace });
  }
}

function feedBlock(block: Block, builder: TreeBuilder, steps: Step[], replace: Replace): void {
  switch (block.type) {
    case "paragraph":
    case "heading":
      if (block.type === "heading") builder.heading(block.level);
      steps.push({ do: "end" });
      pushInlines(steps, block.children, plainFormat, replace);
      break;
    case "codeBlock":
      builder.codeBlock(block.text, block.language);
      break;
    case "rule":
      builder.rule();
      break;
    case "quote":
      builder.openQuote();
      steps.push({ do: "close" });
      pushBlocks(steps, block.blocks);
      break;
    case "list":
      builder.openList(block.ordered, block.start);
      steps.push({ do: "close" });
      for (let index = block.items.length - 1; index >= 0; index--) {
        const item = block.items[index];
        if (item !== undefined) steps.push({ do: "item", item });
      }
      break;
  }
}

function feedInline(inline: Inline, format: Format, builder: TreeBuilder, steps: Step[], replace: Replace): void {
  switch (inline.type) {
    case "text":
      builder.text(inline.text, format);
      break;
    case "break":
      builder.leaf(inline, format);
      break;
    case "code":
      add(builder, codeLeaf(inline.text), format);
      break;
    case "mention": {
      const replaced = replace(inline);
      if (replaced?.type === "mention") add(builder, mentionLeaf(replaced), format);
      else if (replaced !== undefined) pushInlines(steps, [replaced], format, keep);
      break;
    }
    case "emoji":
      add(builder, emojiLeaf(inline.name, inline.url), format);
      break;
    case "image":
      add(builder, imageLeaf(inline.src, inline.alt), format);
      break;
    case "link": {
      const link = cleanHref(inline.href);
      const children =
        inline.children.length === 0 && link !== undefined ? [{ type: "text", text: link } as const] : inline.children;
      pushInlines(steps, children, link === undefined ? format : { ...format, link }, replace);
      break;
    }
    default:
      pushInlines(steps, inline.children, formatInside(inline, format), replace);
  }
}

function add(builder: TreeBuilder, leaf: Leaf | undefined, format: Format): void {
  if (leaf !== undefined) builder.leaf(leaf, format);
}

type Wrapper = Styled | Colour | Spoiler;

export function formatInside(wrapper: Wrapper, format: Format): Format {
  switch (wrapper.type) {
    case "spoiler":
      return withSpoiler(format, wrapper.reason);
    case "colour":
      return withColour(format, wrapper.foreground, wrapper.background);
    default:
      return format[wrapper.type] ? format : { ...format, [wrapper.type]: true };
  }
}
