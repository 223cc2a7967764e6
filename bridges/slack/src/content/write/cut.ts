const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Cuts a text into pieces of at most `length` UTF-16 code units that together are the text, between user-perceived
 * characters; only one that alone is longer is cut within, between two code points. Nothing gives no piece.
 */
export function cutText(text: string, length: number): string[] {
  if (text.length <= length) return text === "" ? [] : [text];
  const pieces: string[] = [];
  const segments = graphemes.segment(text);
  for (let start = 0; start < text.length;) {
    const limit = start + length;
    const boundary = limit >= text.length ? text.length : (segments.containing(limit)?.index ?? limit);
    const end = boundary > start ? boundary : codePointBefore(text, limit);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

function codePointBefore(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff ? index - 1 : index;
}
