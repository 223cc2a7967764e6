import { plainFormat, type Format } from "./format.js";
import type { Container, Lines, Piece } from "./pieces.js";
import { fenceLength, leafText, marksLength, type PlainTextOptions } from "./plain.js";
import type { Run } from "./runs.js";
import { cutAfter, splitString } from "./split-string.js";
import { utf8Length } from "./text.js";
import type { CodeBlock } from "./tree.js";

/** How many bytes begin each line of what stands in some containers. */
export function prefixLength(path: readonly Container[]): number {
  let length = 0;
  for (const container of path) {
    if (container.type === "quote") length += "> ".length;
    if (container.type === "item") length += container.marker.length;
  }
  return length;
}

/** How many bytes a piece takes at most as plain text; less where neighbours share their marks. */
export function pieceLength({ path, content }: Piece, options: PlainTextOptions): number {
  const prefix = prefixLength(path);
  switch (content.type) {
    case "lines": {
      let length = lineStart(content, prefix);
      for (const run of content.runs) length += runLength(run, prefix, options);
      return length;
    }
    case "codeBlock": {
      const newlines = content.text.split("\n").length + 1;
      return (
        utf8Length(content.text) +
        2 * fenceLength(content.text) +
        (content.language?.length ?? 0) +
        newlines +
        prefix * (newlines + 1)
      );
    }
    case "rule":
      return prefix + "---".length;
    case "nothing":
      return prefix;
  }
}

function lineStart({ level }: Lines, prefix: number): number {
  return prefix + (level === undefined ? 0 : level + " ".length);
}

function runLength({ leaf, format }: Run, prefix: number, options: PlainTextOptions): number {
  if (leaf.type === "break") return "\n".length + prefix;
  return marksLength(format, options) + utf8Length(leafText(leaf, options));
}

/** Cuts a block of code between its lines, or inside one that is too long. */
export function cutCode(code: CodeBlock, prefix: number, maxBytes: number): CodeBlock[] {
  const fences = 2 * (fenceLength(code.text) + prefix + "\n".length) + (code.language?.length ?? 0);
  const room = maxBytes - fences;
  if (room < prefix + 8) return [code];
  const parts: string[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const line of code.text
    .split("\n")
    .flatMap((text) => (text === "" ? [""] : splitString(text, room - prefix - 1)))) {
    const length = utf8Length(line) + prefix + "\n".length;
    if (used + length > room) {
      parts.push([]);
      used = 0;
    }
    used += length;
    parts.at(-1)?.push(line);
  }
  return parts.map((lines) => ({ ...code, text: lines.join("\n") }));
}

/** Cuts the lines of one block. */
export class LineCutter {
  readonly #parts: Lines[] = [];
  readonly #start: number;
  #runs: Run[] = [];
  #used: number;

  constructor(
    readonly lines: Lines,
    readonly prefix: number,
    readonly maxBytes: number,
    readonly options: PlainTextOptions,
  ) {
    this.#start = lineStart(lines, prefix);
    this.#used = this.#start;
  }

  cut(): Lines[] {
    for (const run of this.lines.runs) this.#add(run);
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    if (this.#runs.length > 0) this.#parts.push({ ...this.lines, runs: this.#runs });
    this.#runs = [];
    this.#used = this.#start;
  }

  #push(run: Run, length: number): void {
    this.#runs.push(run);
    this.#used += length;
  }

  #add(run: Run): void {
    if (run.leaf.type === "text") {
      this.#addText(run.leaf.text, run.format);
      return;
    }
    const length = runLength(run, this.prefix, this.options);
    if (this.#used + length > this.maxBytes) this.#flush();
    if (this.#used + length <= this.maxBytes) this.#push(run, length);
    else this.#addText(leafText(run.leaf, this.options), plainFormat);
  }

  #addText(text: string, wanted: Format): void {
    // Marks, such as a URL of some hundred bytes, that leave no room for text are given up, but not the URL.
    const fits = this.#start + marksLength(wanted, this.options) <= this.maxBytes / 2;
    const format = fits ? wanted : plainFormat;
    const overhead = marksLength(format, this.options);
    const whole = fits || wanted.link === undefined ? text : `${text} (${wanted.link})`;
    for (let start = 0; start < whole.length;) {
      const room = this.maxBytes - this.#used - overhead;
      const cut = room < 4 ? undefined : cutAfter(whole, start, room);
      // A word goes to the next part as a whole, but not at the price of a part that is nearly empty.
      if (this.#runs.length > 0 && (cut === undefined || (!cut.clean && this.#used > this.maxBytes / 2))) {
        this.#flush();
        continue;
      }
      if (cut === undefined) break;
      const part = whole.slice(start, cut.end);
      this.#push({ leaf: { type: "text", text: part }, format }, utf8Length(part) + overhead);
      start = cut.next;
      if (start < whole.length) this.#flush();
    }
  }
}
