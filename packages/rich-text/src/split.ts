import { richTextOf } from "./build.js";
import { plainFormat } from "./format.js";
import { LineCutter, cutCode, pieceLength, prefixLength } from "./cut-piece.js";
import { normalise } from "./normalise.js";
import { piecesOf, treeOf, type Piece } from "./pieces.js";
import { plainTextOf, type PlainTextOptions } from "./plain.js";
import type { Run } from "./runs.js";
import { cutAfter, splitString } from "./split-string.js";
import { utf8Length } from "./text.js";
import type { RichText } from "./tree.js";

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
export function splitText(
  text: string | RichText,
  maxBytes: number,
  options: PlainTextOptions = {},
): string[] | RichText[] {
  if (!(maxBytes >= 4)) throw new RangeError(`A part of a text needs at least 4 bytes, not ${maxBytes}.`);
  return typeof text === "string" ? splitString(text, maxBytes) : [...partsOf(normalise(text), maxBytes, options)];
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
  for (const part of partsOf(tree, maxBytes - 3, options)) {
    const truncated = withEllipsis(part);
    if (truncated !== undefined && lengthOf(truncated, options) <= maxBytes) return truncated;
    break;
  }
  return normalise(richTextOf(truncate(plainTextOf(tree, options), maxBytes)));
}

/** `undefined` where the text does not end with a line. */
function withEllipsis(tree: RichText): RichText | undefined {
  const pieces = piecesOf(tree);
  const last = pieces.pop();
  if (last?.content.type !== "lines") return undefined;
  const ellipsis: Run = { leaf: { type: "text", text: "…" }, format: plainFormat };
  return treeOf([...pieces, { ...last, content: { ...last.content, runs: [...last.content.runs, ellipsis] } }]);
}

function lengthOf(tree: RichText, options: PlainTextOptions): number {
  return utf8Length(plainTextOf(tree, options));
}

/** The parts of a tree in its normal form, each made when it is asked for. */
function* partsOf(tree: RichText, maxBytes: number, options: PlainTextOptions): Generator<RichText> {
  if (tree.blocks.length === 0) return;
  if (lengthOf(tree, options) <= maxBytes) {
    yield tree;
  } else if (maxBytes < 64) {
    yield* plainParts(tree, maxBytes, options);
  } else {
    for (const pieces of packed(fitting(piecesOf(tree), maxBytes, options), maxBytes, options)) {
      const part = treeOf(pieces);
      if (part.blocks.length === 0) continue;
      // A fence or a list that leaves no room for what it holds is given up.
      if (lengthOf(part, options) <= maxBytes) yield part;
      else yield* plainParts(part, maxBytes, options);
    }
  }
}

function* plainParts(tree: RichText, maxBytes: number, options: PlainTextOptions): Generator<RichText> {
  for (const text of splitString(plainTextOf(tree, options), maxBytes)) {
    const part = normalise(richTextOf(text));
    if (part.blocks.length > 0) yield part;
  }
}

/** The pieces, with those that are too long cut. */
function* fitting(pieces: readonly Piece[], maxBytes: number, options: PlainTextOptions): Generator<Piece> {
  for (const piece of pieces) {
    if (pieceLength(piece, options) <= maxBytes || lengthOf(treeOf([piece]), options) <= maxBytes) yield piece;
    else yield* cutPiece(piece, maxBytes, options);
  }
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

/** Puts pieces together as long as they fit. */
function* packed(pieces: Iterable<Piece>, maxBytes: number, options: PlainTextOptions): Generator<Piece[]> {
  let part: Piece[] = [];
  let used = 0;
  for (const piece of pieces) {
    const length = Math.min(maxBytes, pieceLength(piece, options));
    // Between two blocks there are two newlines and what begins each line.
    const separator = 2 + prefixLength(piece.path);
    if (part.length > 0 && used + separator + length > maxBytes) {
      yield part;
      part = [];
      used = 0;
    }
    used += length + (part.length > 0 ? separator : 0);
    part.push(piece);
  }
  if (part.length > 0) yield part;
}
