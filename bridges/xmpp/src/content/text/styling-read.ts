import { normalise, type Block, type Inline, type RichText } from "@trestle/rich-text";
import { MarkedText, type MentionRange } from "./marked-mentions.js";
import { isBlank, readSpans } from "./styling-spans.js";

/** How deep quotes nest; the marks of deeper ones are text. */
const maxDepth = 24;

const lineEnd = /\r\n|\r|\n/;

/**
 * Reads a body with Message Styling (XEP-0393). Every character that is no mark of a style is kept; any text has a
 * result, in linear time.
 */
export function readStyling(body: string, mentions: readonly MentionRange[] = []): RichText {
  const marked = new MarkedText(body, mentions);
  return normalise({ blocks: readBlocks(marked.text.split(lineEnd), marked, maxDepth) });
}

/** Reads a body in which nothing is a style. */
export function readUnstyled(body: string, mentions: readonly MentionRange[] = []): RichText {
  const marked = new MarkedText(body, mentions);
  return normalise({ blocks: [paragraphOf(marked.text.split(lineEnd), (line) => marked.inlines(line))] });
}

function readBlocks(lines: readonly string[], marked: MarkedText, depth: number): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const kind = kindOf(lines, at, depth);
    let end = at + 1;
    if (kind === "code") {
      while (end < lines.length && lines[end] !== fence) end++;
      blocks.push(codeOf(lines.slice(at, end), marked));
      end++;
    } else {
      while (end < lines.length && kindOf(lines, end, depth) === kind) end++;
      const part = lines.slice(at, end);
      if (kind === "plain") blocks.push(paragraphOf(part, (line) => readSpans(line, marked)));
      else blocks.push({ type: "quote", blocks: readBlocks(part.map(unquoted), marked, depth - 1) });
    }
    at = end;
  }
  return blocks;
}

const fence = "```";

function kindOf(lines: readonly string[], at: number, depth: number): "code" | "quote" | "plain" {
  const line = lines[at] ?? "";
  if (line.startsWith(">") && depth > 0) return "quote";
  // A fence around nothing is shown as it stands.
  const next = lines[at + 1];
  const hasCode = isLanguage(line.slice(fence.length)) ? next !== undefined && next !== fence : true;
  return line.startsWith(fence) && hasCode ? "code" : "plain";
}

function unquoted(line: string): string {
  return line.slice(line.length > 1 && isBlank(line.charAt(1)) ? 2 : 1);
}

/** What follows the first fence is the language, where it can be one, and else is code already. */
function codeOf([first = "", ...lines]: readonly string[], marked: MarkedText): Block {
  const label = first.slice(fence.length);
  if (!isLanguage(label)) return { type: "codeBlock", text: marked.verbatim([label, ...lines].join("\n")) };
  const language = label.trim();
  return { type: "codeBlock", text: marked.verbatim(lines.join("\n")), ...(language === "" ? {} : { language }) };
}

function isLanguage(label: string): boolean {
  return /^[A-Za-z0-9_+#.-]{0,64}\s*$/.test(label);
}

function paragraphOf(lines: readonly string[], read: (line: string) => Inline[]): Block {
  const children = lines.flatMap((line, index): Inline[] => [
    ...(index === 0 ? [] : [{ type: "break" } as const]),
    ...read(line),
  ]);
  return { type: "paragraph", children };
}
