import type { Inline, Styled } from "@trestle/rich-text";

/** The marks of XEP-0393 within a line, and what they stand for. */
export const directives = { "*": "bold", _: "italic", "~": "strike", "`": "code" } as const;
export type Directive = keyof typeof directives;

export function isDirective(character: string): character is Directive {
  return Object.hasOwn(directives, character);
}

/** Whether this is white space as XEP-0393 has it, or no character at all. */
export function isBlank(character: string | undefined): boolean {
  return character === undefined || character === "" || character === " " || white.test(character);
}

const white = /^[\p{White_Space}\p{Z}]$/u;

/** How the letters of a line become nodes. */
export interface LineText {
  inlines(part: string): Inline[];
  verbatim(part: string): string;
}

/** Reads the spans of one line (XEP-0393 §5.2), in linear time. */
export function readSpans(line: string, text: LineText): Inline[] {
  if (!/[*_~`]/.test(line)) return text.inlines(line);
  return new SpanReader(line, text).read(0, line.length);
}

class SpanReader {
  /** For each mark: where from each place on the next one stands that can close a span; -1 where there is none. */
  readonly #closers = new Map<Directive, Int32Array>();

  constructor(
    readonly line: string,
    readonly text: LineText,
  ) {}

  /** As deep as there are marks: within a span its own mark cannot close anything more. */
  read(from: number, to: number): Inline[] {
    const inlines: Inline[] = [];
    let plain = from;
    for (let at = from; at < to; at++) {
      const mark = this.line.charAt(at);
      const end = isDirective(mark) ? this.#end(mark, at, from, to) : -1;
      if (end < 0 || !isDirective(mark)) continue;
      for (const inline of this.text.inlines(this.line.slice(plain, at))) inlines.push(inline);
      inlines.push(this.#span(mark, at + 1, end));
      at = end;
      plain = end + 1;
    }
    for (const inline of this.text.inlines(this.line.slice(plain, to))) inlines.push(inline);
    return inlines;
  }

  /** Where the span ends that begins here; -1 where none does. A mark right behind its like opens and closes nothing. */
  #end(mark: Directive, at: number, from: number, to: number): number {
    const [before, after] = [this.line.charAt(at - 1), this.line.charAt(at + 1)];
    if ((at > from && !isBlank(before)) || isBlank(after) || after === mark) return -1;
    const end = this.#closersOf(mark)[at + 2] ?? -1;
    return end < to ? end : -1;
  }

  #closersOf(mark: Directive): Int32Array {
    const known = this.#closers.get(mark);
    if (known !== undefined) return known;
    const { line } = this;
    const next = new Int32Array(line.length + 1).fill(-1);
    for (let at = line.length - 1; at >= 0; at--) {
      const closes = line.charAt(at) === mark && at > 0 && !isBlank(line.charAt(at - 1));
      next[at] = closes ? at : (next[at + 1] ?? -1);
    }
    this.#closers.set(mark, next);
    return next;
  }

  #span(mark: Directive, from: number, to: number): Inline {
    const type: Styled["type"] | "code" = directives[mark];
    if (type === "code") return { type, text: this.text.verbatim(this.line.slice(from, to)) };
    return { type, children: this.read(from, to) };
  }
}
