let segmenter: Intl.Segmenter | undefined;

/** Made when it is first needed: that takes longer than the start of most programs has time for. */
function graphemes(): Intl.Segmenter {
  return (segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" }));
}

/** Where a text is cut: the part ends before `end`, the next one begins at `next`. */
export interface Cut {
  readonly end: number;
  readonly next: number;
  /** Whether the cut is between words, or the text fits. */
  readonly clean: boolean;
}

/** Cuts a text into parts of at most `maxBytes` (4 or more): see `splitText`. */
export function splitString(text: string, maxBytes: number): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length;) {
    const cut = cutAfter(text, start, maxBytes);
    parts.push(text.slice(start, cut.end));
    start = cut.next;
  }
  return parts;
}

/** The best place to cut so that what begins at `start` takes at most `maxBytes`, 4 or more. */
export function cutAfter(text: string, start: number, maxBytes: number): Cut {
  const limit = indexAfterBytes(text, start, maxBytes);
  if (limit === text.length) return { end: limit, next: limit, clean: true };
  const space = spaceBefore(text, start, limit);
  if (space !== undefined) return { end: space, next: space + 1, clean: true };
  const end = graphemeBoundary(text, start, limit);
  return { end, next: end, clean: false };
}

/** The index behind the last whole code point within `maxBytes` of UTF-8. */
function indexAfterBytes(text: string, start: number, maxBytes: number): number {
  let bytes = 0;
  let index = start;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    const pair = isHigh(code) && isLow(text.charCodeAt(index + 1));
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : pair ? 4 : 3;
    if (bytes > maxBytes) return index;
    index += pair ? 2 : 1;
  }
  return index;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** A newline, else a space, in the second half of the part, at which words are kept whole. */
function spaceBefore(text: string, start: number, limit: number): number | undefined {
  const earliest = Math.max(start + 1, start + (limit - start) / 2);
  let space: number | undefined;
  for (let index = limit; index >= earliest; index--) {
    const code = text.charCodeAt(index);
    if (code === 0x0a) return index;
    if (code === 0x20 && space === undefined && !/^[\p{M}\u200d]/u.test(text.slice(index + 1, index + 3)))
      space = index;
  }
  return space;
}

/**
 * The last boundary between two user-perceived characters at or before `limit`. One that alone is longer than the
 * part is cut between two code points. Only the neighbourhood is looked at: from the nearest pair of ASCII characters
 * (or the start of the part, itself a boundary), between which there is always a boundary.
 */
function graphemeBoundary(text: string, start: number, limit: number): number {
  let from = limit;
  while (from > start && !(isPrintableAscii(text, from - 1) && isPrintableAscii(text, from))) from--;
  if (from === limit) return limit;
  const segments = graphemes().segment(text.slice(from, limit + 2));
  const boundary = from + (segments.containing(limit - from)?.index ?? 0);
  return boundary > start ? boundary : limit;
}

function isPrintableAscii(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0x20 && code < 0x7f;
}
