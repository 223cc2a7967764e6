import { sameFormat, type Format } from "./format.js";
import { inlinesOf, settleRuns, type Leaf, type Run } from "./runs.js";
import { cleanText, trimEndOf } from "./text.js";
import type { Block, Heading, ListItem, RichText } from "./tree.js";

/**
 * How deep quotes and lists nest; deeper ones are flattened. A list counts twice, for itself and its items. It bounds
 * the depth of the HTML (100 in the Matrix specification) and how much longer than the text its plain form can be, in
 * which every line repeats the marks of all levels.
 */
export const maxDepth = 24;

/** Trees known to be in their normal form, so that normalising them again costs nothing. */
const normal = new WeakSet<RichText>();

/** Whether a tree was built here. */
export function isNormal(tree: RichText): boolean {
  return normal.has(tree);
}

interface BlockFrame {
  readonly type: "root" | "quote" | "item" | "flat";
  readonly blocks: Block[];
  readonly implicit: boolean;
}

interface ListFrame {
  readonly type: "list";
  readonly ordered: boolean;
  readonly start: number | undefined;
  readonly items: ListItem[];
  readonly implicit: false;
}

/** Builds a tree in its normal form from a stream of leaves and of containers that open and close. */
export class TreeBuilder {
  readonly #root: BlockFrame = { type: "root", blocks: [], implicit: false };
  readonly #frames: (BlockFrame | ListFrame)[] = [this.#root];
  readonly #everyone: boolean;
  #depth = 0;
  #runs: Run[] = [];
  #heading: Heading["level"] | undefined;

  /** With `everyone`, the text `@room` becomes a mention of everyone. */
  constructor(options: { readonly everyone?: boolean } = {}) {
    this.#everyone = options.everyone === true;
  }

  /** Whether the block under construction has no content yet. */
  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Adds text as it stands, its newlines as line breaks. */
  text(text: string, format: Format): void {
    const cleaned = cleanText(text);
    if (!cleaned.includes("\n")) {
      this.#line(cleaned, format);
      return;
    }
    for (const [index, line] of cleaned.split("\n").entries()) {
      if (index > 0) this.#runs.push({ leaf: { type: "break" }, format });
      this.#line(line, format);
    }
  }

  #line(text: string, format: Format): void {
    if (text === "") return;
    const last = this.#runs.at(-1);
    if (last?.leaf.type === "text" && sameFormat(last.format, format)) {
      this.#runs[this.#runs.length - 1] = { leaf: { type: "text", text: last.leaf.text + text }, format: last.format };
    } else {
      this.#runs.push({ leaf: { type: "text", text }, format });
    }
  }

  /** Adds a leaf that is clean already. A mention is a link of its own: it stands in no other. */
  leaf(leaf: Leaf, format: Format): void {
    const outside = leaf.type === "mention" && format.link !== undefined;
    this.#runs.push({ leaf, format: outside ? { ...format, link: undefined } : format });
  }

  heading(level: Heading["level"]): void {
    this.endBlock();
    this.#heading = level;
  }

  /** Ends the paragraph or heading under construction, if there is one. */
  endBlock(): void {
    const runs = this.#runs;
    const level = this.#heading;
    this.#heading = undefined;
    if (runs.length === 0) return;
    this.#runs = [];
    const settled = settleRuns(this.#everyone ? runs.flatMap(splitEveryone) : runs);
    if (settled.length === 0) return;
    const children = inlinesOf(settled);
    this.#push(level === undefined ? { type: "paragraph", children } : { type: "heading", level, children });
  }

  codeBlock(text: string, language: string | undefined): void {
    this.endBlock();
    const cleaned = trimEndOf(cleanText(text), "\n");
    if (cleaned === "") return;
    const named = language !== undefined && /^[A-Za-z0-9_+#.-]{1,64}$/.test(language);
    this.#push({ type: "codeBlock", text: cleaned, ...(named ? { language } : {}) });
  }

  rule(): void {
    this.endBlock();
    this.#push({ type: "rule" });
  }

  openQuote(): void {
    this.endBlock();
    this.#open({ type: "quote", blocks: [], implicit: false }, 1);
  }

  openList(ordered: boolean, start: number | undefined): void {
    this.endBlock();
    this.#reopenItem();
    const named = ordered && start !== undefined && start !== 1 && Number.isSafeInteger(start) ? start : undefined;
    this.#open({ type: "list", ordered, start: named, items: [], implicit: false }, 2);
  }

  /** Outside of a list it changes nothing. */
  openItem(): void {
    this.endBlock();
    this.#closeImplicit();
    const isList = this.#frames.at(-1)?.type === "list";
    this.#frames.push(isList ? { type: "item", blocks: [], implicit: false } : this.#flat());
  }

  /** Closes what `openQuote`, `openList` or `openItem` opened last. */
  close(): void {
    this.endBlock();
    this.#closeImplicit();
    if (this.#frames.length > 1) this.#attach();
  }

  finish(): RichText {
    this.endBlock();
    while (this.#frames.length > 1) this.#attach();
    const tree: RichText = { blocks: this.#root.blocks };
    normal.add(tree);
    return tree;
  }

  #open(frame: BlockFrame | ListFrame, levels: number): void {
    if (this.#depth + levels > maxDepth) {
      this.#frames.push(this.#flat());
      return;
    }
    this.#depth += levels;
    this.#frames.push(frame);
  }

  #flat(): BlockFrame {
    return { type: "flat", blocks: this.#target(), implicit: false };
  }

  /** A list that stands directly in a list belongs to the item before it. */
  #reopenItem(): void {
    const top = this.#frames.at(-1);
    const item = top?.type === "list" ? top.items.pop() : undefined;
    if (item !== undefined) this.#frames.push({ type: "item", blocks: [...item.blocks], implicit: true });
  }

  #closeImplicit(): void {
    if (this.#frames.at(-1)?.implicit === true) this.#attach();
  }

  #attach(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) return;
    if (frame.type === "quote") {
      this.#depth -= 1;
      if (frame.blocks.length > 0) this.#push({ type: "quote", blocks: frame.blocks });
    } else if (frame.type === "list") {
      this.#depth -= 2;
      const { ordered, start, items } = frame;
      if (items.length > 0) this.#push({ type: "list", ordered, ...(start === undefined ? {} : { start }), items });
    } else if (frame.type === "item") {
      const list = this.#frames.at(-1);
      if (list?.type === "list") list.items.push({ blocks: frame.blocks });
    }
  }

  #push(block: Block): void {
    this.#target().push(block);
  }

  #target(): Block[] {
    const top = this.#frames.at(-1) ?? this.#root;
    if (top.type !== "list") return top.blocks;
    const item: BlockFrame = { type: "item", blocks: [], implicit: true };
    this.#frames.push(item);
    return item.blocks;
  }
}

function splitEveryone(run: Run): readonly Run[] {
  if (run.leaf.type !== "text" || run.format.link !== undefined || !run.leaf.text.includes("@room")) return [run];
  const parts = run.leaf.text.split(/(?<![\p{L}\p{N}_])@room(?![\p{L}\p{N}_:-])/u);
  return parts.flatMap((text, index): Run[] => [
    ...(index === 0
      ? []
      : [{ leaf: { type: "mention", target: { kind: "everyone" }, text: "@room" }, format: run.format } as const]),
    ...(text === "" ? [] : [{ leaf: { type: "text", text }, format: run.format } as const]),
  ]);
}
