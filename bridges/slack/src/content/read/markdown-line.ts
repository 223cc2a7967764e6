import type { Inline, Styled } from "@trestle/rich-text";
import { append } from "./append.js";
import { controlInlines } from "./control.js";
import { emojiAt } from "./emoji-text.js";
import { linkInlines, textInlines } from "./inlines.js";
import type { Reader } from "./reader.js";

const marks: readonly (readonly [string, Styled["type"]])[] = [
  ["**", "bold"],
  ["__", "bold"],
  ["~~", "strike"],
  ["*", "italic"],
  ["_", "italic"],
];

/** How deep styles and links of Markdown nest. */
const maxNesting = 6;

/** Reads one line of Markdown. */
export function markdownInlines(line: string, reader: Reader, nesting = maxNesting): Inline[] {
  const inlines: Inline[] = [];
  // The last place of each mark: beyond it nothing need be searched, so that a line of marks takes linear time.
  const ends = new Map([...marks.map(([mark]) => mark), "`", "](", ">"].map((mark) => [mark, line.lastIndexOf(mark)]));
  const special = /[\\`*_~[<:]/g;
  let text = "";
  for (let at = 0; at < line.length;) {
    special.lastIndex = at;
    const next = special.exec(line)?.index ?? line.length;
    text += line.slice(at, next);
    at = next;
    if (at >= line.length) break;
    const found = specialAt(line, at, { reader, nesting, ends });
    if (found === undefined) {
      text += line.charAt(at);
      at++;
    } else {
      append(inlines, textInlines(text));
      append(inlines, found.inlines);
      text = "";
      at += found.length;
    }
  }
  return [...inlines, ...textInlines(text)];
}

interface Context {
  readonly reader: Reader;
  readonly nesting: number;
  readonly ends: ReadonlyMap<string, number>;
}

interface Found {
  readonly inlines: readonly Inline[];
  readonly length: number;
}

function specialAt(line: string, at: number, context: Context): Found | undefined {
  switch (line.charAt(at)) {
    case "\\":
      return /^[!-/:-@[-`{-~]$/.test(line.charAt(at + 1))
        ? { inlines: textInlines(line.charAt(at + 1)), length: 2 }
        : undefined;
    case "`":
      return codeAt(line, at, context);
    case "[":
      return linkAt(line, at, context);
    case "<":
      return angleAt(line, at, context);
    case ":": {
      const emoji = emojiAt(line, at, context.reader);
      return emoji === undefined ? undefined : { inlines: [emoji.inline], length: emoji.length };
    }
    default:
      return styleAt(line, at, context);
  }
}

function codeAt(line: string, at: number, { ends }: Context): Found | undefined {
  if (at >= (ends.get("`") ?? -1)) return undefined;
  const end = line.indexOf("`", at + 1);
  return end <= at + 1
    ? undefined
    : { inlines: [{ type: "code", text: line.slice(at + 1, end) }], length: end + 1 - at };
}

/** `[text](url)`, with a text of at most 1,000 characters. */
function linkAt(line: string, at: number, { reader, nesting, ends }: Context): Found | undefined {
  if (nesting === 0 || at >= (ends.get("](") ?? -1)) return undefined;
  const shape = /\[([^[\]]{0,1000})\]\(([^\s()<>]{1,2048}(?:\([^\s()<>]{0,200}\))?)\)/y;
  shape.lastIndex = at;
  const [all, label = "", url = ""] = shape.exec(line) ?? [];
  if (all === undefined) return undefined;
  return { inlines: linkInlines(url, markdownInlines(label, reader, 0), reader), length: all.length };
}

/** `<https://…>`, and the mentions of mrkdwn, which Slack takes in Markdown too. */
function angleAt(line: string, at: number, { reader, ends }: Context): Found | undefined {
  if (at >= (ends.get(">") ?? -1)) return undefined;
  const shape = /<([^<>\s]{1,2048})>/y;
  shape.lastIndex = at;
  const inside = shape.exec(line)?.[1];
  const inlines = inside === undefined ? undefined : controlInlines(inside, reader);
  return inside === undefined || inlines === undefined ? undefined : { inlines, length: inside.length + 2 };
}

function styleAt(line: string, at: number, { reader, nesting, ends }: Context): Found | undefined {
  const [mark, type] = marks.find(([candidate]) => line.startsWith(candidate, at)) ?? [];
  if (mark === undefined || type === undefined || nesting === 0 || at >= (ends.get(mark) ?? -1)) return undefined;
  const start = at + mark.length;
  if (!isWordSide(line, at, start, mark)) return undefined;
  const end = endOf(line, start, mark);
  if (end === undefined) return undefined;
  const children = markdownInlines(line.slice(start, end), reader, nesting - 1);
  return { inlines: [{ type, children }], length: end + mark.length - at };
}

function isWordSide(line: string, at: number, start: number, mark: string): boolean {
  if (/^\s?$/.test(line.charAt(start))) return false;
  return !mark.startsWith("_") || !/[\p{L}\p{N}]/u.test(line.charAt(at - 1));
}

/** The next such mark that stands behind a word. */
function endOf(line: string, start: number, mark: string): number | undefined {
  const end = line.indexOf(mark, start + 1);
  if (end === -1 || /\s/.test(line.charAt(end - 1))) return undefined;
  const isInWord = mark.startsWith("_") && /[\p{L}\p{N}]/u.test(line.charAt(end + mark.length));
  return isInWord ? undefined : end;
}
