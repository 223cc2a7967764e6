import type { Inline } from "@trestle/rich-text";
import { append } from "./append.js";
import { emojiInline, textInlines } from "./inlines.js";
import type { Reader } from "./reader.js";

const shape = /:([\p{L}\p{M}\p{N}_+'’-]{1,100}):(?::(skin-tone-[2-6](?:-[2-6])?):)?/uy;

/** The emoji `:name:` that begins at an index, with its length; `undefined` where there is none. */
export function emojiAt(
  text: string,
  index: number,
  reader: Reader,
): { readonly inline: Inline; readonly length: number } | undefined {
  shape.lastIndex = index;
  const [all, name = "", tone] = shape.exec(text) ?? [];
  if (all === undefined) return undefined;
  // The middle of a time such as 10:30:45 is none, also where a workspace has an emoji of that name.
  const between = isDigit(text.charAt(index - 1)) || isDigit(text.charAt(index + name.length + 2));
  if (between && /^\d+$/.test(name)) return undefined;
  const inline = emojiInline({ name: tone === undefined ? name : `${name}::${tone}` }, reader);
  return inline === undefined ? undefined : { inline, length: all.length };
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9" && character.length === 1;
}

/** Text in which only emoji are read, as in the text of a button. */
export function emojiInlines(text: string, reader: Reader): Inline[] {
  const inlines: Inline[] = [];
  let start = 0;
  for (let at = text.indexOf(":"); at !== -1;) {
    const emoji = emojiAt(text, at, reader);
    if (emoji === undefined) {
      at = text.indexOf(":", at + 1);
    } else {
      append(inlines, textInlines(text.slice(start, at)));
      inlines.push(emoji.inline);
      start = at + emoji.length;
      at = text.indexOf(":", start);
    }
  }
  return [...inlines, ...textInlines(text.slice(start))];
}
