import { richTextOf } from "./build.js";
import { plainFormat, type Format } from "./format.js";
import { normalise } from "./normalise.js";
import { piecesOf, treeOf, type Container, type Lines, type Piece } from "./pieces.js";
import { plainTextOf, type PlainTextOptions } from "./plain.js";
import { inlinesOf, type Run } from "./runs.js";
import { cutAfter, splitString } from "./split-string.js";
import { cleanText, utf8Length } from "./text.js";
import type { CodeBlock, RichText } from "./tree.js";

/**
 * Cuts a text into parts of at most `maxBytes` in UTF-8, in linear time. A cut is between lines or words where there
 * are some near it (the newline or space at the cut is dropped), else between two user-perceived characters; only one
 * that alone is longer than a part is cut inside.
 *
 * The length of a tree is that of its plain text (`toPlainText` with the same options). A part keeps the formatting,
 * the quote, the list and the number of its item. Below 64 bytes there is no room for that: the parts are plain text.
 *
 * Nothing gives no part. Throws a `RangeError` where `maxBytes` is less than 4, the length of one character.
 */
export function splitText(text: string, maxBytes: number): string[];
export function splitText(text: RichText, maxBytes: number, options?: PlainTextOptions): RichText[];
export function splitText(text: string | RichText, maxBytes: number, options: PlainTextOptions = {}): string[] | RichText[] {
  if (!(maxBytes >= 4)) throw new RangeError(`A part of a text needs at least 4 bytes, not ${maxBytes}.`);
  if (typeof text === "string") return splitString(text, maxBytes);
  const tree = normalise(text);
  if (tree.blocks.length === 0) return [];
  if (lengthOf(tree, options) <= maxBytes) return [tree];
  if (maxBytes < 64) return splitPlain(tree, maxBytes, options);
  return pack(piecesOf(tree), maxBytes, options).flatMap((pieces) => {
    const part = treeOf(pieces);
    // The lengths of the pieces are upper bounds; what a bound missed is cut without its formatting.
    return lengthOf(part, options) <= maxBytes ? [part] : splitPlain(part, maxBytes, options);
  });
}

/** The first part of a text, with `…` behind it where something is missing: at most `maxBytes` (8 or more) in UTF-8. */
export function truncate(text: string, maxBytes: number): string;
export function truncate(text: RichText, maxBytes: number, options?: PlainTextOptions): RichText;
export function truncate(text: string | RichText, maxBytes: number, options: PlainTextOptions = {}): string | RichText {
  if (!(maxBytes >= 8)) throw new RangeError(`A truncated text needs at least 8 bytes, not ${maxBytes}.`);
  if (typeof text === "string") {
    if (utf8Length(text) <= maxBytes) return text;
    return `${text.slice(0, cutAfter(text, 0, maxBytes - 3).end)}…`;
  }
  const tree = normalise(text);
  if (lengthOf(tree, options) <= maxBytes) return tree;
  const pieces = piecesOf(splitText(tree, maxBytes - 3, options)[0] ?? tree);
  const last = pieces.at(-1);
  if (last?.content.type !== "lines") return plainTruncated(tree, maxBytes, options);
  const ellipsis: Run = { leaf: { type: "text", text: "…" }, format: plainFormat };
  pieces[pieces.length - 1] = { ...last, content: { ...last.content, runs: [...last.content.runs, ellipsis] } };
  const truncated = treeOf(pieces);
  return lengthOf(truncated, options) <= maxBytes ? truncated : plainTruncated(tree, maxBytes, options);
}

function plainTruncated(tree: RichText, maxBytes: number, options: PlainTextOptions): RichText {
  return normalise(richTextOf(truncate(cleanText(plainTextOf(tree, options)), maxBytes)));
}

function lengthOf(tree: RichText, options: PlainTextOptions): number {
  return utf8Length(plainTextOf(tree, options));
}

function splitPlain(tree: RichText, maxBytes: number, options: PlainTextOptions): RichText[] {
  return splitString(plainTextOf(tree, options), maxBytes)
    .map((part) => normalise(richTextOf(part)))
    .filter((part) => part.blocks.length > 0);
}

/** Puts pieces together as long as they fit; what does not fit alone is cut. */
function pack(pieces: readonly Piece[], maxBytes: number, options: PlainTextOptions): Piece[][] {
  const parts: Piece[][] = [];
  let part: Piece[] = [];
  let used = 0;
  const add = (piece: Piece, length: number): void => {
    // Between two blocks there are two newlines and what begins each line.
    const separator = 2 + prefixLength(piece.path);
    if (part.length > 0 && used + separator + length > maxBytes) {
      parts.push(part);
      part = [];
      used = 0;
    }
    used += length + (part.length > 0 ? separator : 0);
    part.push(piece);
  };
  for (const piece of pieces) {
    const length = lengthOf(treeOf([piece]), options);
    if (length <= maxBytes) add(piece, length);
    else for (const cut of cutPiece(piece, maxBytes, options)) add(cut, Math.min(maxBytes, lengthOf(treeOf([cut]), options)));
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

function prefixLength(path: readonly Container[]): number {
  let length = 0;
  for (const container of path) {
    if (container.type === "quote") length += 2;
    if (container.type === "item") length += container.marker.length;
  }
  return length;
}

function cutPiece(piece: Piece, maxBytes: number, options: PlainTextOptions): Piece[] {
  // Containers that leave no room for text are given up.
  const path = prefixLength(piece.path) > maxBytes / 2 ? [] : piece.path;
  const prefix = prefixLength(path);
  switch (piece.content.type) {
    case "lines":
      return new LineCutter(piece.content, prefix, maxBytes, options).cut().map((content) => ({ path, content }));
    case "codeBlock":
      return cutCode(piece.content, prefix, maxBytes).map((content) => ({ path, content }));
    case "rule":
    case "nothing":
      return [{ path, content: piece.content }];
  }
}

function cutCode(code: CodeBlock, prefix: number, maxBytes: number): CodeBlock[] {
  let fence = 3;
  for (const row of code.text.match(/`+/g) ?? []) fence = Math.max(fence, row.length + 1);
  const room = maxBytes - 2 * (fence + prefix + 1) - (code.language?.length ?? 0);
  // A fence that leaves no room becomes plain text in the end.
  if (room < 8 + prefix) return [code];
  const parts: string[][] = [];
  let used = Infinity;
  for (const line of code.text.split("\n").flatMap((text) => (text === "" ? [""] : splitString(text, room - prefix - 1)))) {
    const length = utf8Length(line) + prefix + 1;
    if (used + length > room) {
      parts.push([]);
      used = 0;
    }
    used += length;
    parts.at(-1)?.push(line);
  }
  return parts.map((lines) => ({ ...code, text: lines.join("\n") })).filter(({ text }) => text.trim() !== "");
}

/** Cuts the lines of one block. */
class LineCutter {
  readonly #parts: Lines[] = [];
  readonly #base: number;
  #runs: Run[] = [];
  #used: number;

  constructor(
    readonly lines: Lines,
    readonly prefix: number,
    readonly maxBytes: number,
    readonly options: PlainTextOptions,
  ) {
    this.#base = prefix + (lines.level === undefined ? 0 : lines.level + 1);
    this.#used = this.#base;
  }

  cut(): Lines[] {
    for (const run of this.lines.runs) this.#add(run);
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    if (this.#runs.length > 0) this.#parts.push({ ...this.lines, runs: this.#runs });
    this.#runs = [];
    this.#used = this.#base;
  }

  #add(run: Run): void {
    if (run.leaf.type === "break") {
      const length = 1 + this.prefix;
      if (this.#used + length >= this.maxBytes) this.#flush();
      else this.#push(run, length);
    } else if (run.leaf.type === "text") {
      this.#addText(run.leaf.text, run.format);
    } else {
      this.#addLeaf(run);
    }
  }

  #push(run: Run, length: number): void {
    this.#runs.push(run);
    this.#used += length;
  }

  #addLeaf(run: Run): void {
    const length = this.#lengthOf(run);
    if (this.#base + length > this.maxBytes) {
      this.#addText(plainTextOf(treeOfRun({ leaf: run.leaf, format: plainFormat }), this.options), plainFormat);
      return;
    }
    if (this.#used + length > this.maxBytes) this.#flush();
    this.#push(run, length);
  }

  #addText(text: string, wanted: Format): void {
    const marks = this.#lengthOf({ leaf: { type: "text", text: "x" }, format: wanted }) - 1;
    // Marks, such as a URL of some hundred bytes, that leave no room for text are given up, but not the URL.
    const fits = this.#base + marks <= this.maxBytes / 2;
    const format = fits ? wanted : plainFormat;
    const overhead = fits ? marks : 0;
    const whole = fits || wanted.link === undefined ? text : `${text} (${wanted.link})`;
    for (let start = 0; start < whole.length; ) {
      const room = this.maxBytes - this.#used - overhead;
      const cut = room < 4 ? undefined : cutAfter(whole, start, room);
      // A word goes to the next part as a whole, but not at the price of a part that is nearly empty.
      if (this.#runs.length > 0 && (cut === undefined || (!cut.clean && this.#used > this.maxBytes / 2))) {
        this.#flush();
        continue;
      }
      if (cut === undefined) break;
      const part = whole.slice(start, cut.end);
      this.#push({ leaf: { type: "text", text: part }, format }, utf8Length(part) + overhead);
      start = cut.next;
      if (start < whole.length) this.#flush();
    }
  }

  #lengthOf(run: Run): number {
    return lengthOf(treeOfRun(run), this.options);
  }
}

function treeOfRun(run: Run): RichText {
  return { blocks: [{ type: "paragraph", children: inlinesOf([run]) }] };
}
