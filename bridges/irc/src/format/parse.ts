import { type RichText, richTextOf } from "@trestle/rich-text";

export function parseFormatted(text: string): RichText {
  return richTextOf(text);
}
