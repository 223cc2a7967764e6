/* eslint-disable no-control-regex -- the codes of IRC formatting are control characters */

/** Colours by number and by hex with their digits, and every single control character. */
const CODES = /\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9a-f]{6}(?:,[0-9a-f]{6})?)?|[\0-\x1f]/gi;

/** The text without formatting codes and other control characters. */
export function withoutCodes(text: string): string {
  return text.replace(CODES, "");
}
