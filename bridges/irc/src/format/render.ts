import type { Block, Inline, Link, List, Mention, RichText, Spoiler } from "@trestle/rich-text";
import { mergeRuns, PLAIN, printable, type Run, type Style } from "./runs.js";

/** One line of a message, not cut yet. */
export type StyledLine = readonly Run[];

export interface RenderOptions {
  /** How a mention is written; its own text where absent. */
  readonly mention?: (mention: Mention) => string;
}

const SPOILER_COLOUR = "#000000";

/** Writes neutral text as lines with formatting; blank lines are dropped, for IRC has none. */
export function renderLines(body: RichText, options: RenderOptions = {}): StyledLine[] {
  return blockLines(body.blocks, options)
    .map(mergeRuns)
    .filter((line) => line.some(({ text }) => text.trim() !== ""));
}

function blockLines(blocks: readonly Block[], options: RenderOptions): Run[][] {
  return blocks.flatMap((block) => linesOf(block, options));
}

function linesOf(block: Block, options: RenderOptions): Run[][] {
  switch (block.type) {
    case "paragraph":
      return inlineLines(block.children, PLAIN, options);
    case "heading":
      return inlineLines(block.children, { ...PLAIN, bold: true }, options);
    case "codeBlock":
      return block.text
        .split("\n")
        .map((line) => [{ text: printable(line.replaceAll("\t", "    ")), style: { ...PLAIN, mono: true } }]);
    case "quote":
      return blockLines(block.blocks, options).map((line) => [plain("> "), ...line]);
    case "list":
      return listLines(block, options);
    case "rule":
      return [[plain("────────")]];
  }
}

function listLines({ ordered, start = 1, items }: List, options: RenderOptions): Run[][] {
  return items.flatMap((item, index) => {
    const marker = ordered ? `${start + index}. ` : "• ";
    const lines = blockLines(item.blocks, options).filter((line) => line.length > 0);
    return lines.map((line, number) => [plain(number === 0 ? marker : " ".repeat(marker.length)), ...line]);
  });
}

function plain(text: string): Run {
  return { text, style: PLAIN };
}

/** Cuts the inlines at their line breaks. */
function inlineLines(inlines: readonly Inline[], style: Style, options: RenderOptions): Run[][] {
  const lines: Run[][] = [[]];
  writeInlines(inlines, style, options, lines);
  return lines;
}

function writeInlines(inlines: readonly Inline[], style: Style, options: RenderOptions, lines: Run[][]): void {
  for (const inline of inlines) writeInline(inline, style, options, lines);
}

function writeInline(inline: Inline, style: Style, options: RenderOptions, lines: Run[][]): void {
  const write = (text: string, as: Style = style) => lines.at(-1)?.push({ text: printable(text), style: as });
  switch (inline.type) {
    case "text":
      write(inline.text);
      return;
    case "break":
      lines.push([]);
      return;
    case "bold":
    case "italic":
    case "underline":
    case "strike":
      writeInlines(inline.children, { ...style, [inline.type]: true }, options, lines);
      return;
    case "code":
      write(inline.text, { ...style, mono: true });
      return;
    case "link":
      writeLink(inline, style, options, lines);
      return;
    case "mention":
      write(options.mention?.(inline) ?? inline.text);
      return;
    case "emoji":
      write(`:${inline.name}:`);
      return;
    case "colour": {
      const { foreground = style.foreground, background = style.background } = inline;
      writeInlines(
        inline.children,
        {
          ...style,
          ...(foreground === undefined ? {} : { foreground }),
          ...(background === undefined ? {} : { background }),
        },
        options,
        lines,
      );
      return;
    }
    case "spoiler":
      writeSpoiler(inline, style, options, lines);
      return;
    case "image":
      write(imageText(inline.alt, inline.src));
  }
}

/** The text, then the address, unless the text is the address. */
function writeLink({ href, children }: Link, style: Style, options: RenderOptions, lines: Run[][]): void {
  const shown = textOf(children).trim();
  const bare = href.replace(/^(?:https?:\/\/|mailto:)/, "").replace(/\/$/, "");
  if (shown === href || shown === "" || shown.replace(/\/$/, "") === bare) {
    lines.at(-1)?.push({ text: printable(shown === bare && /^mailto:/.test(href) ? shown : href), style });
    return;
  }
  writeInlines(children, style, options, lines);
  lines.at(-1)?.push({ text: printable(` (${href})`), style });
}

function writeSpoiler({ reason, children }: Spoiler, style: Style, options: RenderOptions, lines: Run[][]): void {
  if (reason !== undefined && reason !== "") lines.at(-1)?.push({ text: printable(`(${reason}) `), style });
  writeInlines(children, { ...style, foreground: SPOILER_COLOUR, background: SPOILER_COLOUR }, options, lines);
}

function imageText(alt: string, src: string): string {
  const address = /^https?:/.test(src) ? src : "";
  if (alt === "") return address === "" ? "(image)" : address;
  return address === "" ? alt : `${alt} (${address})`;
}

function textOf(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => ("children" in inline ? textOf(inline.children) : "text" in inline ? inline.text : ""))
    .join("");
}
