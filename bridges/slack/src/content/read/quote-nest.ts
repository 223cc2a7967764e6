import type { Block } from "@trestle/rich-text";
import { append } from "./append.js";

/** Blocks within quotes within quotes, of which the last ones go on. */
export class QuoteNest {
  readonly blocks: Block[] = [];
  /** What the last block of each level is put into, the outermost first. */
  readonly #open: Block[][] = [this.blocks];

  /** Puts blocks into as many quotes as there are levels, the outermost `joined` of which go on from the block before. */
  add(blocks: readonly Block[], levels: number, joined: number): void {
    this.#open.length = Math.min(this.#open.length, joined + 1, levels + 1);
    let inside = this.#open.at(-1) ?? this.blocks;
    while (this.#open.length <= levels) {
      const quoted: Block[] = [];
      inside.push({ type: "quote", blocks: quoted });
      this.#open.push(quoted);
      inside = quoted;
    }
    append(inside, blocks);
  }
}
