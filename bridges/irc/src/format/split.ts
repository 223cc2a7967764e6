import { withoutCodes } from "../wire/formatting-codes.js";
import type { StyledLine } from "./render.js";
import { parseRuns, PLAIN, type Style, transition } from "./runs.js";

/** Less room than this is not worth a line: the target's name has eaten it up. */
export const MIN_BUDGET = 64;
/** A line is ended at a space only where that leaves it at least this full. */
const FULL_ENOUGH = 0.4;

/** What follows a place decides whether a grapheme ends there. */
const LOOK_AHEAD = 8;
/** What ends all formatting is one byte. */
const RESET_BYTES = 1;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Writes a line with its formatting codes. */
export function encodeLine(line: StyledLine): string {
  return new LineCutter(line).rest();
}

/**
 * Cuts a line into pieces of at most `bytes` bytes of UTF-8, formatting codes included: at a space where one is near,
 * never inside a grapheme (unless one alone is longer than a line). Each piece has its formatting by itself. The
 * texts of the pieces, one after the other, are the text of the line but for the one space at which it was cut: some
 * servers would drop it anyway. Pieces that show nothing are left out. Takes linear time.
 */
export function splitLine(line: StyledLine, bytes: number): string[] {
  const cutter = new LineCutter(line);
  const pieces: string[] = [];
  while (!cutter.done) pieces.push(cutter.next(Math.max(bytes, MIN_BUDGET)));
  return pieces.filter((piece) => withoutCodes(piece).trim() !== "");
}

/**
 * The same, but so that the pieces, one after the other, are the line itself: with every space, and with its formatting
 * ended where a piece ends, so that it goes on as it was whether or not a reader joins them.
 */
export function splitExactly(line: StyledLine, bytes: number): string[] {
  const cutter = new LineCutter(line);
  const pieces: string[] = [];
  while (!cutter.done) pieces.push(cutter.nextOfWhole(Math.max(bytes, MIN_BUDGET)));
  return pieces;
}

/** The same for a line that is written already. */
export function splitText(text: string, bytes: number): string[] {
  return Buffer.byteLength(text) <= bytes ? [text] : splitLine(parseRuns(text), bytes);
}

/** The same as {@link splitExactly} for a line that is written already. */
export function splitTextExactly(text: string, bytes: number): string[] {
  return Buffer.byteLength(text) <= bytes ? [text] : splitExactly(parseRuns(text), bytes);
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly style: Style;
}

class LineCutter {
  readonly #text: string;
  readonly #spans: readonly Span[];
  #at = 0;
  #span = 0;

  constructor(line: StyledLine) {
    this.#text = line.map(({ text }) => text).join("");
    let start = 0;
    this.#spans = line.map(({ text, style }) => {
      const span = { start, end: start + text.length, style };
      start = span.end;
      return span;
    });
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  rest(): string {
    return this.#take(this.#text.length);
  }

  /** The next piece of at most `bytes` bytes. */
  next(bytes: number): string {
    const furthest = this.#furthest(bytes);
    if (furthest >= this.#text.length) return this.#take(furthest);
    const space = this.#spaceBefore(furthest);
    if (space === undefined) return this.#take(this.#wholeGrapheme(furthest));
    const piece = this.#take(space);
    this.#skip(space + 1);
    return piece;
  }

  /** The next piece of at most `bytes` bytes, of pieces of which none leaves anything out. */
  nextOfWhole(bytes: number): string {
    const rest = this.#furthest(bytes);
    if (rest >= this.#text.length) return this.#take(rest);
    const furthest = this.#furthest(bytes - RESET_BYTES);
    const space = this.#spaceBefore(furthest - 1);
    return this.#take(space === undefined ? this.#wholeGrapheme(furthest) : space + 1, true);
  }

  /** How far the text reaches within `bytes` bytes; at least one character further. */
  #furthest(bytes: number): number {
    let used = 0;
    let style = PLAIN;
    let at = this.#at;
    for (let index = this.#span; index < this.#spans.length; index++) {
      const span = this.#spans[index];
      if (!span || at >= span.end) continue;
      used += transition(style, span.style, this.#text.slice(at, at + 2)).length;
      style = span.style;
      while (at < span.end) {
        const point = this.#text.codePointAt(at) ?? 0;
        const width = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        if (used + width > bytes) return at > this.#at ? at : at + (width === 4 ? 2 : 1);
        used += width;
        at += width === 4 ? 2 : 1;
      }
    }
    return at;
  }

  /** The last space at which a piece that may reach to `furthest` can end and not be too short. */
  #spaceBefore(furthest: number): number | undefined {
    const space = this.#text.slice(this.#at, furthest + 1).lastIndexOf(" ");
    const isFull = space > 0 && space >= (furthest - this.#at) * FULL_ENOUGH;
    const place = this.#at + space;
    return isFull && this.#wholeGrapheme(place) === place && this.#wholeGrapheme(place + 1) === place + 1
      ? place
      : undefined;
  }

  /** Only the piece is looked at, which keeps the whole in proportion to the text. */
  #wholeGrapheme(end: number): number {
    if (isSimple(this.#text.charCodeAt(end - 1)) && isSimple(this.#text.charCodeAt(end))) return end;
    const segments = graphemes.segment(this.#text.slice(this.#at, end + LOOK_AHEAD));
    const start = this.#at + (segments.containing(end - this.#at)?.index ?? end - this.#at);
    return start > this.#at ? start : end;
  }

  #skip(to: number): void {
    this.#at = to;
    while (this.#at >= (this.#spans[this.#span]?.end ?? Number.POSITIVE_INFINITY)) this.#span++;
  }

  /** `closed`: the piece ends without formatting. */
  #take(end: number, closed = false): string {
    let written = "";
    let style = PLAIN;
    while (this.#at < end) {
      const span = this.#spans[this.#span];
      if (!span) break;
      const until = Math.min(end, span.end);
      if (until > this.#at) {
        written +=
          transition(style, span.style, this.#text.slice(this.#at, this.#at + 2)) + this.#text.slice(this.#at, until);
        style = span.style;
        this.#at = until;
      }
      if (until === span.end) this.#span++;
    }
    return closed ? written + transition(style, PLAIN, "") : written;
  }
}

/** Before U+0300 every character is a grapheme by itself. */
function isSimple(unit: number): boolean {
  return unit < 0x300;
}
