import {
  mentionsOf,
  normalise,
  type Block,
  type Inline,
  type Link,
  type List,
  type MentionTarget,
  toPlainText,
  type RichText,
} from "@trestle/rich-text";
import { cleanXml } from "../xml-characters.js";
import { marks, withoutMarks } from "./code-points.js";
import type { MentionRange } from "./marked-mentions.js";
import { readStyling, readUnstyled } from "./styling-read.js";
import { directives, isBlank, isDirective, type Directive } from "./styling-spans.js";

/** A text as the body of a message holds it. */
export interface StyledBody {
  /** Characters of XML 1.0 only. */
  readonly body: string;
  /** Where people and rooms are mentioned, in order, in code points of the body. */
  readonly mentions: readonly MentionRange[];
  /** Nothing in the body is a style though it looks like one: say so with `<unstyled/>`. */
  readonly unstyled: boolean;
}

/** How a mention is written: the name that its target goes by on this side; its own text where `undefined`. */
export type MentionName = (target: MentionTarget) => string | undefined;

/** U+2060 WORD JOINER: before a mark it keeps it from being one, and nobody sees it. */
const joiner = "\u2060";

/**
 * Writes a text with Message Styling (XEP-0393). What it cannot carry (links with a text, lists, colours) is written
 * out, and a style that would not be read as such is left out rather than shown as stray marks. Where letters of the
 * text would be taken for a style, they are kept from it by a word joiner; in a text without any style nothing is
 * inserted, and `unstyled` says so instead.
 */
export function writeStyling(tree: RichText, mentionName: MentionName = () => undefined): StyledBody {
  const { blocks } = normalise(tree);
  const targets = mentionsOf({ blocks });
  const styled = new StylingWriter(true, mentionName);
  const lines = styled.blocks(blocks);
  if (styled.styles > 0) return { ...unmarked(lines.join("\n"), targets), unstyled: false };
  const plain = unmarked(new StylingWriter(false, mentionName).blocks(blocks).join("\n"), targets);
  return { ...plain, unstyled: looksStyled(plain.body) };
}

/** Whether a body would be shown otherwise than as it stands. */
export function looksStyled(body: string): boolean {
  return /[*_~`>]/.test(body) && JSON.stringify(readStyling(body).blocks) !== JSON.stringify(readUnstyled(body).blocks);
}

/** The text without our marks, and the mentions that they stood around. */
function unmarked(text: string, targets: readonly MentionTarget[]): Omit<StyledBody, "unstyled"> {
  const mentions: MentionRange[] = [];
  let body = "";
  let [length, start] = [0, 0];
  for (const character of text) {
    if (character === marks.mention) {
      start = length;
    } else if (character === marks.mentionEnd) {
      const target = targets[mentions.length];
      if (target !== undefined) mentions.push({ start, end: length, target });
    } else {
      body += character;
      length++;
    }
  }
  return { body, mentions };
}

class StylingWriter {
  /** How many styles were written. */
  styles = 0;

  constructor(
    readonly styling: boolean,
    readonly mentionName: MentionName,
  ) {}

  /** @param lineStart whether the lines will begin where a quote or a code block can begin */
  blocks(blocks: readonly Block[], lineStart = this.styling): string[] {
    return blocks.flatMap((block, index) => {
      const lines = this.#block(block, lineStart);
      return needsGap(blocks[index - 1], block) ? ["", ...lines] : lines;
    });
  }

  #block(block: Block, lineStart: boolean): string[] {
    switch (block.type) {
      case "paragraph":
        return linesOf(block.children).map((line) => this.#line(line, lineStart));
      case "heading":
        return linesOf(block.children).map((line) => this.#line([{ type: "bold", children: line }], lineStart));
      case "codeBlock":
        return lineStart ? this.#code(block.text, block.language) : this.#plainCode(block.text);
      case "quote":
        this.styles += lineStart ? 1 : 0;
        return this.blocks(block.blocks, lineStart).map((line) => (line === "" ? ">" : `> ${line}`));
      case "list":
        return this.#list(block);
      case "rule":
        return ["---"];
    }
  }

  #code(text: string, language = ""): string[] {
    this.styles++;
    const lines = clean(text).split("\n");
    return [`\`\`\`${language}`, ...lines.map((line) => (line === "```" ? joiner + line : line)), "```"];
  }

  #plainCode(text: string): string[] {
    return clean(text)
      .split("\n")
      .map((line) => this.#line([{ type: "text", text: line }], false));
  }

  #list(list: List): string[] {
    return list.items.flatMap((item, index) => {
      const marker = list.ordered ? `${(list.start ?? 1) + index}. ` : "- ";
      const [first = "", ...lines] = this.blocks(item.blocks, false);
      return [marker + first, ...lines.map((line) => (line === "" ? "" : " ".repeat(marker.length) + line))];
    });
  }

  #line(inlines: readonly Inline[], lineStart: boolean): string {
    const line = settleEscapes(this.#inlines(inlines, true, new Set()));
    return lineStart && /^\ufdd0?(?:>|```)/.test(line) ? joiner + line : line;
  }

  /** @param boundary whether a span can begin at once: at the beginning of a line or of a span, or behind white space */
  #inlines(inlines: readonly Inline[], boundary: boolean, active: ReadonlySet<Directive>): string {
    let written = "";
    let open = boundary;
    for (const inline of inlines) {
      written += this.#inline(inline, open, active);
      const last = /([^\ufdd0-\ufdd2])[\ufdd0-\ufdd2]*$/.exec(written)?.[1];
      if (last !== undefined) open = isBlank(last);
    }
    return written;
  }

  #inline(inline: Inline, boundary: boolean, active: ReadonlySet<Directive>): string {
    switch (inline.type) {
      case "text":
        return this.#text(inline.text, boundary);
      case "break":
        return " ";
      case "code":
        return this.#codeSpan(inline.text, boundary);
      case "mention": {
        const name = this.mentionName(inline.target) ?? inline.text;
        return marks.mention + this.#text(clean(name).replace(/\s+/g, " ").trim(), boundary) + marks.mentionEnd;
      }
      case "emoji":
        return this.#text(/^[\w+-]+$/.test(inline.name) ? `:${inline.name}:` : inline.name, boundary);
      case "image":
        return this.#text(inline.alt === "" ? "image" : inline.alt, boundary);
      case "link":
        return this.#link(inline, boundary, active);
      case "bold":
        return this.#span("*", inline.children, boundary, active);
      case "italic":
        return this.#span("_", inline.children, boundary, active);
      case "strike":
        return this.#span("~", inline.children, boundary, active);
      default:
        return this.#inlines(inline.children, boundary, active);
    }
  }

  #text(text: string, boundary: boolean): string {
    const cleaned = clean(text).replaceAll("\n", " ");
    if (!this.styling || !/[*_~`]/.test(cleaned)) return cleaned;
    return cleaned.replace(/[*_~`]/g, (mark, at: number) => {
      const opens = at === 0 ? boundary : isBlank(cleaned.charAt(at - 1));
      const next = cleaned.charAt(at + 1);
      return opens && (next === "" || !isBlank(next)) ? marks.escape + mark : mark;
    });
  }

  #codeSpan(text: string, boundary: boolean): string {
    const code = clean(text);
    const canBe = this.styling && boundary && code !== "" && trimmed(code)[1] === code && !/[`\n]/.test(code);
    if (!canBe) return this.#text(code, boundary);
    this.styles++;
    return `\`${code}\``;
  }

  #link({ children, href }: Link, boundary: boolean, active: ReadonlySet<Directive>): string {
    const text = this.#inlines(children, boundary, active);
    const address = clean(href);
    const shown = toPlainText({ blocks: [{ type: "paragraph", children }] }, { marks: "none" });
    return shown === address || shown === address.replace(/^mailto:/, "") ? text : `${text} (${address})`;
  }

  /** A span, where it will be read as one: alone between its marks, which do not occur in it; else its text. */
  #span(mark: Directive, children: readonly Inline[], boundary: boolean, active: ReadonlySet<Directive>): string {
    if (!this.styling || active.has(mark)) return this.#inlines(children, boundary, active);
    const stylesBefore = this.styles;
    const inside = this.#inlines(children, true, new Set([...active, mark]));
    const [lead, span, trail] = trimmed(inside);
    if (span !== "" && (boundary || lead !== "") && !span.includes(mark)) {
      this.styles++;
      return lead + mark + span + mark + trail;
    }
    this.styles = stylesBefore;
    return this.#inlines(children, boundary, active);
  }
}

/** The text between the white space at its ends, which is kept. */
function trimmed(text: string): readonly [lead: string, text: string, trail: string] {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charAt(start))) start++;
  while (end > start && isBlank(text.charAt(end - 1))) end--;
  return [text.slice(0, start), text.slice(start, end), text.slice(end)];
}

function clean(text: string): string {
  return withoutMarks(cleanXml(text));
}

/** Keeps the escapes before marks that come again in the line: another cannot close what they would open. */
function settleEscapes(line: string): string {
  if (!line.includes(marks.escape)) return line;
  const last = new Map(Object.keys(directives).map((mark) => [mark, line.lastIndexOf(mark)]));
  return line.replace(/\ufdd2(.)/g, (_, mark: string, at: number) => {
    const needed = isDirective(mark) && (last.get(mark) ?? -1) > at + 1;
    return (needed ? joiner : "") + mark;
  });
}

/** Whether an empty line must keep two blocks apart. */
function needsGap(before: Block | undefined, block: Block): boolean {
  if (before === undefined) return false;
  const runsOn = (kind: Block["type"]): boolean => kind !== "quote" && kind !== "codeBlock";
  return (runsOn(before.type) && runsOn(block.type)) || (before.type === "quote" && block.type === "quote");
}

/** The lines of a text, each with the styles that reach over its end. */
function linesOf(inlines: readonly Inline[]): Inline[][] {
  const lines: Inline[][] = [[]];
  for (const inline of inlines) {
    if (inline.type === "break") {
      lines.push([]);
    } else if ("children" in inline) {
      const inside = linesOf(inline.children);
      for (const [index, children] of inside.entries()) {
        if (index > 0) lines.push([]);
        // The address of a link stands once, at its end.
        const isText = inline.type === "link" && index < inside.length - 1;
        if (isText) for (const child of children) lines.at(-1)?.push(child);
        else if (children.length > 0) lines.at(-1)?.push({ ...inline, children });
      }
    } else {
      lines.at(-1)?.push(inline);
    }
  }
  return lines;
}
