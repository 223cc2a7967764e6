/* eslint-disable no-control-regex -- control characters are what this file is about */

/** Replaces what would end a line early (CR, LF, NUL) by a space. */
export function withoutControls(text: string): string {
  return /[\0\r\n]/.test(text) ? text.replace(/[\0\r\n]+/g, " ") : text;
}

/** Replaces lone surrogates, which have no UTF-8, by U+FFFD. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The longest beginning of `text` of at most `bytes` bytes of UTF-8 that cuts no grapheme. */
export function cutToBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let used = 0;
  let end = 0;
  for (const { segment, index } of graphemes.segment(text.slice(0, bytes))) {
    used += Buffer.byteLength(segment);
    if (used > bytes) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** Makes free text (a topic, a reason, a real name) one line of at most `bytes` bytes. */
export function oneLine(text: string, bytes: number): string {
  return cutToBytes(withoutControls(wellFormed(text)).trim(), bytes);
}

/** Whether `text` can be a channel's name: a prefix of the network, then nothing that ends a parameter or a list. */
export function isChannelName(text: string, prefixes: string): boolean {
  const first = text[0];
  return (
    first !== undefined &&
    prefixes.includes(first) &&
    text.length > 1 &&
    Buffer.byteLength(text) <= 200 &&
    !/[\0\x07\r\n ,]/.test(text)
  );
}

/** Whether `text` can stand where a nick is expected. */
export function isNick(text: string): boolean {
  return text !== "" && Buffer.byteLength(text) <= 128 && !/^[:#&+$~%]/.test(text) && !/[\0-\x20,!@*?]/.test(text);
}
