import type { Block, Inline } from "@trestle/rich-text";
import { joinLines } from "./inlines.js";
import { lineInlines, literalText } from "./mrkdwn-line.js";
import type { Reader } from "./reader.js";

/**
 * Reads mrkdwn, in linear time. With `styled` false (a message with `mrkdwn: false`), only escapes, mentions, links and
 * emoji are read.
 */
export function mrkdwnBlocks(source: string, reader: Reader, styled = true): Block[] {
  return new MrkdwnReader(source.replace(/\r\n?/g, "\n"), reader, styled).read();
}

/** Reads mrkdwn where only one line is shown, such as in a title. */
export function mrkdwnInlines(source: string, reader: Reader): Inline[] {
  return joinLines(source.split(/\r\n|\r|\n/).map((line) => lineInlines(line, reader)));
}

/** Slack escapes the `>` of quotes, apps do not always. */
const quoteMark = /(?:&gt;|>) ?/y;
const longQuoteMark = /(?:&gt;|>){3} ?/y;
const fence = "```";

class MrkdwnReader {
  readonly #blocks: Block[] = [];
  /** The blocks of the quote that is being read, if one is. */
  #quote: Block[] | undefined;
  #lines: Inline[][] = [];
  /** A quote that began with `>>>`, and reaches to the end. */
  #long = false;
  readonly #lastFence: number;
  #at = 0;
  #lineEnd = 0;
  /** Where the next code begins, if `#at` has not passed it. */
  #fence = -1;

  constructor(
    readonly source: string,
    readonly reader: Reader,
    readonly styled: boolean,
  ) {
    this.#lastFence = source.lastIndexOf(fence);
  }

  read(): Block[] {
    let atLineStart = true;
    while (this.#at < this.source.length) {
      if (atLineStart) {
        this.#begin();
        const newline = this.source.indexOf("\n", this.#at);
        this.#lineEnd = newline === -1 ? this.source.length : newline;
      }
      atLineStart = this.#code() ?? this.#line();
    }
    this.#endQuote();
    return this.#blocks;
  }

  /** Reads the quote mark of a line, and begins or ends a quote by it. */
  #begin(): void {
    if (this.#long || !this.styled) return;
    const long = this.#skip(longQuoteMark);
    this.#long = long;
    if (long || this.#skip(quoteMark)) {
      if (this.#quote === undefined) {
        this.#endLines();
        this.#quote = [];
      }
    } else if (this.#quote !== undefined) {
      this.#endQuote();
    }
  }

  #skip(mark: RegExp): boolean {
    mark.lastIndex = this.#at;
    const found = mark.exec(this.source);
    if (found !== null) this.#at += found[0].length;
    return found !== null;
  }

  /** Reads what is left of a line, when no code begins in it. */
  #line(): true {
    this.#lines.push(lineInlines(this.source.slice(this.#at, this.#lineEnd), this.reader, this.styled));
    this.#at = this.#lineEnd + 1;
    return true;
  }

  /**
   * Reads the code that begins in this line, and what stands before it. Returns whether a new line follows; `undefined`
   * where there is no code.
   */
  #code(): boolean | undefined {
    if (this.#fence < this.#at) this.#fence = this.#fenceFrom(this.#at);
    const start = this.#fence;
    if (!this.styled || start >= this.#lineEnd) return undefined;
    const closing = this.#fenceFrom(start + fence.length);
    const code = this.source.slice(start + fence.length, closing);
    if (closing === Number.POSITIVE_INFINITY || code.trim() === "") return undefined;
    const before = this.source.slice(this.#at, start).trimEnd();
    if (before !== "") this.#lines.push(lineInlines(before, this.reader));
    this.#endLines();
    const own = this.#quote === undefined || this.#long ? code : code.replace(/^(?:&gt;|>) ?/gm, "");
    const text = literalText(own.startsWith("\n") ? own.slice(1) : own, this.reader);
    (this.#quote ?? this.#blocks).push({ type: "codeBlock", text });
    this.#at = closing + fence.length;
    return this.#afterCode();
  }

  #afterCode(): boolean {
    if (this.#at > this.#lineEnd) {
      const newline = this.source.indexOf("\n", this.#at);
      this.#lineEnd = newline === -1 ? this.source.length : newline;
    }
    while (this.source.charAt(this.#at) === " ") this.#at++;
    const ends = this.#at >= this.#lineEnd;
    if (ends) this.#at++;
    return ends;
  }

  #fenceFrom(index: number): number {
    const found = index > this.#lastFence ? -1 : this.source.indexOf(fence, index);
    return found === -1 ? Number.POSITIVE_INFINITY : found;
  }

  #endLines(): void {
    const children = joinLines(this.#lines);
    this.#lines = [];
    if (children.length > 0) (this.#quote ?? this.#blocks).push({ type: "paragraph", children });
  }

  #endQuote(): void {
    this.#endLines();
    if (this.#quote !== undefined && this.#quote.length > 0) this.#blocks.push({ type: "quote", blocks: this.#quote });
    this.#quote = undefined;
  }
}
