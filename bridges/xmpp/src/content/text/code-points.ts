/** A stretch of a text, counted in Unicode code points as XEP-0426 does; `end` is the first that is not part of it. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The length of a text in code points. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/**
 * Marks that the codecs set within a text while they work on it. They are noncharacters, which no text holds once
 * {@link withoutMarks} has been over it, and one code point each, so that nobody's counting is upset.
 */
export const marks = { mention: "\ufdd0", mentionEnd: "\ufdd1", escape: "\ufdd2" } as const;

/** The text with every noncharacter that could be one of our marks replaced by U+FFFD. */
export function withoutMarks(text: string): string {
  return text.replace(/[\ufdd0-\ufdef]/g, "\ufffd");
}

/**
 * The text without these stretches, and where other stretches of it are then. A range that reaches beyond the text ends
 * with it; one that is backwards or lies wholly beyond is ignored. Of `kept`, those that are cut in part come to nothing.
 */
export function cutRanges<Kept extends Range>(
  text: string,
  cut: readonly Range[],
  kept: readonly Kept[] = [],
): { readonly text: string; readonly kept: readonly Kept[] } {
  if (cut.length === 0) return { text, kept };
  const characters = Array.from(text);
  const gone = new Uint8Array(characters.length);
  for (const { start, end } of cut) if (start < end) gone.fill(1, start, end);
  /** How many characters before each place are gone. */
  const before = new Uint32Array(characters.length + 1);
  for (const [index, isGone] of gone.entries()) before[index + 1] = (before[index] ?? 0) + isGone;
  const shifted = kept.flatMap((range) => {
    const [first, last] = [before[range.start], before[range.end]];
    if (first === undefined || last === undefined || first !== last || range.start >= range.end) return [];
    return [{ ...range, start: range.start - first, end: range.end - first }];
  });
  return { text: characters.filter((_, index) => gone[index] === 0).join(""), kept: shifted };
}
