import { TreeBuilder } from "./builder.js";
import { plainFormat, type Format } from "./format.js";
import {
  boundaries,
  codeElements,
  dropped,
  flowing,
  formatOf,
  inlineElements,
  languageOf,
  levels,
  lineBlocks,
  mentionOf,
  startOf,
  type Attributes,
} from "./html-elements.js";
import { codeLeaf, emojiLeaf, imageLeaf, mentionLeaf } from "./leaves.js";
import { cleanHref, isContentUri } from "./links.js";
import type { Leaf } from "./runs.js";
import type { MentionTarget, RichText } from "./tree.js";

/** How Matrix HTML is read. */
export interface MatrixHtmlOptions {
  /** The event mentions everyone (`m.mentions.room`): the text `@room` is a mention, not just text. */
  readonly everyone?: boolean;
}

/** How deep elements nest, as the Matrix specification bounds it. The text of deeper ones is kept. */
const maxElements = 100;

/** An open element. `format` is what stands in it looks like. */
interface Entry {
  readonly name: string;
  readonly kind: "inline" | "capture" | "quote" | "list" | "item" | "lines" | "none";
  readonly attributes: Attributes;
  format: Format;
}

/** An element of which only the text counts. */
interface Capture {
  readonly kind: "code" | "pre" | "mention";
  readonly format: Format;
  readonly target: MentionTarget | undefined;
  text: string;
  language: string | undefined;
  begun: boolean;
}

const none: Attributes = new Map();

/** Turns the tags and texts of Matrix HTML, in whatever order a hostile event has them, into a tree. */
export class HtmlReader {
  readonly #builder: TreeBuilder;
  readonly #stack: Entry[] = [];
  readonly #overflow = new Map<string, number>();
  #format = plainFormat;
  /** Collapsed white space that is not written yet, with its format: it vanishes at the end of a line. */
  #space: Format | undefined;
  #lineHasContent = false;
  #capture: Capture | undefined;
  #dropping: { readonly name: string; nesting: number } | undefined;
  /** Inside of a heading or a table there are lines but no blocks. */
  #linesOnly = false;
  #cells = 0;
  /** How many elementary steps were taken, so that a test can tell that they grow linearly. */
  work = 0;

  constructor(options: MatrixHtmlOptions) {
    this.#builder = new TreeBuilder(options);
  }

  finish(): RichText {
    this.#popTo(0);
    return this.#builder.finish();
  }

  text(text: string): void {
    this.work += text.length;
    if (this.#dropping) return;
    if (this.#capture) {
      this.#captureText(text);
      return;
    }
    const collapsed = /[\t\n\r\f]| {2}/.test(text) ? text.replace(/[ \t\n\r\f]+/g, " ") : text;
    const start = collapsed.startsWith(" ") ? 1 : 0;
    if (start === 1) this.#addSpace();
    if (collapsed.length === start) return;
    const end = collapsed.endsWith(" ") ? collapsed.length - 1 : collapsed.length;
    this.#word(collapsed.slice(start, end));
    if (end < collapsed.length) this.#addSpace();
  }

  /** A character that was written as an entity. */
  entity(character: string): void {
    if (this.#dropping || this.#capture || /^[ \n\r\f]$/.test(character)) this.text(character);
    else this.#word(character);
  }

  open(tag: string, attributes: Attributes, selfClosing = false): void {
    this.work++;
    const name = tag === "image" ? "img" : tag;
    if (this.#dropping) {
      if (name === this.#dropping.name && !selfClosing) this.#dropping.nesting++;
    } else if (dropped.has(name)) {
      if (!selfClosing) this.#dropping = { name, nesting: 1 };
    } else if (name === "br") this.#break();
    else if (name === "img") this.#image(attributes);
    else if (name === "hr") this.#rule();
    else if (flowing.has(name)) this.#flow();
    else this.#openTracked(name, attributes);
  }

  close(name: string): void {
    this.work++;
    if (this.#dropping) {
      if (name === this.#dropping.name && --this.#dropping.nesting === 0) this.#dropping = undefined;
      return;
    }
    if (name === "br") this.#break();
    if (flowing.has(name)) this.#flow();
    const overflow = this.#overflow.get(name) ?? 0;
    if (overflow > 0) {
      this.#overflow.set(name, overflow - 1);
      return;
    }
    const index = this.#find(name);
    if (index >= 0) this.#leave(index);
  }

  /** The index of the innermost open element of a name, as far out as its end tag reaches; -1 where there is none. */
  #find(name: string): number {
    const reachesOut = boundaries.has(name) || name === "pre";
    for (let index = this.#stack.length - 1; index >= 0; index--) {
      this.work++;
      const entry = this.#stack[index];
      if (entry?.name === name) return index;
      if (entry === undefined || (!reachesOut && boundaries.has(entry.name))) return -1;
      if (entry.name === "table" || (name === "li" && entry.kind === "list")) return -1;
    }
    return -1;
  }

  #leave(index: number): void {
    const kind = this.#stack[index]?.kind;
    if (kind !== "inline") {
      this.#popTo(index);
      return;
    }
    this.#stack.splice(index, 1);
    let format = this.#stack[index - 1]?.format ?? plainFormat;
    for (const entry of this.#stack.slice(index)) {
      this.work++;
      format = formatIn(entry, format);
      entry.format = format;
    }
    this.#format = format;
  }

  #openTracked(name: string, attributes: Attributes): void {
    if (name === "a") this.#closeLink();
    if (name === "li") this.#closeUpTo(["li"], ["ul", "ol", "blockquote", "table"]);
    if (name === "tr") this.#closeUpTo(["td", "th", "tr", "caption"], ["table"]);
    if (name === "td" || name === "th") this.#closeUpTo(["td", "th"], ["tr", "table"]);
    if (this.#capture) this.#openInCapture(name, attributes);
    else if (codeElements.has(name)) this.#openCapture(name, "code");
    else if (name === "pre") this.#openPre();
    else if (inlineElements.has(name)) this.#openInline(name, attributes);
    else if (lineBlocks.has(name)) this.#openLines(name);
    else if (name === "tr" || name === "td" || name === "th" || name === "caption") this.#openTablePart(name);
    else if (name === "blockquote" || name === "ul" || name === "ol" || name === "li")
      this.#openBlock(name, attributes);
  }

  #enter(name: string, kind: Entry["kind"], format: Format, attributes: Attributes = none): boolean {
    if (this.#stack.length >= maxElements) {
      this.#overflow.set(name, (this.#overflow.get(name) ?? 0) + 1);
      return false;
    }
    this.#stack.push({ name, kind, attributes, format });
    this.#format = format;
    return true;
  }

  #openInline(name: string, attributes: Attributes): void {
    const target = name === "a" ? mentionOf(attributes) : undefined;
    if (target === undefined) this.#enter(name, "inline", formatOf(name, attributes, this.#format), attributes);
    else this.#openCapture(name, "mention", target);
  }

  #openCapture(name: string, kind: Capture["kind"], target?: MentionTarget): void {
    const format = this.#format;
    if (!this.#enter(name, "capture", format)) return;
    this.#capture = { kind, format, target, text: "", language: undefined, begun: false };
  }

  #openPre(): void {
    if (this.#linesOnly) {
      this.#addSpace();
      this.#openCapture("pre", "code");
    } else {
      this.#endLine();
      this.#builder.endBlock();
      this.#openCapture("pre", "pre");
    }
  }

  #openInCapture(name: string, attributes: Attributes): void {
    const capture = this.#capture;
    if (capture?.kind === "pre" && name === "code" && capture.text === "") {
      capture.language = languageOf(attributes);
      capture.begun = true;
    }
    if (inlineElements.has(name) || codeElements.has(name) || boundaries.has(name) || name === "pre") {
      this.#enter(name, "none", this.#format);
    }
  }

  #openLines(name: string): void {
    this.#flow();
    if (this.#linesOnly) {
      this.#enter(name, "none", this.#format);
      return;
    }
    const bold = name === "summary" ? { ...this.#format, bold: true } : this.#format;
    if (!this.#enter(name, "lines", bold)) return;
    this.#linesOnly = true;
    this.#cells = 0;
    const level = levels.get(name);
    if (level !== undefined) this.#builder.heading(level);
  }

  #openTablePart(name: string): void {
    const table = this.#stack.findLast((entry) => entry.name === "table");
    this.work += this.#stack.length;
    if (table === undefined) {
      this.#flow();
    } else if (name === "td" || name === "th") {
      if (this.#cells++ > 0) this.text(" | ");
    } else if (table.kind === "lines") {
      if (this.#lineHasContent) this.#break();
      this.#cells = 0;
    }
    this.#enter(name, "none", name === "th" ? { ...this.#format, bold: true } : this.#format);
  }

  #openBlock(name: "blockquote" | "ul" | "ol" | "li", attributes: Attributes): void {
    const inList = this.#stack.findLast((entry) => boundaries.has(entry.name))?.kind === "list";
    this.work += this.#stack.length;
    this.#flow();
    if (this.#linesOnly || (name === "li" && !inList)) {
      this.#enter(name, "none", this.#format);
      return;
    }
    const kind = name === "blockquote" ? "quote" : name === "li" ? "item" : "list";
    if (!this.#enter(name, kind, this.#format)) return;
    if (kind === "quote") this.#builder.openQuote();
    else if (kind === "item") this.#builder.openItem();
    else this.#builder.openList(name === "ol", startOf(attributes));
  }

  #closeLink(): void {
    const index = this.#find("a");
    if (index >= 0) this.#leave(index);
  }

  /** Closes the outermost open element of these names within the innermost of `scopes`: their end tags may be left out. */
  #closeUpTo(names: readonly string[], scopes: readonly string[]): void {
    let found = -1;
    for (let index = this.#stack.length - 1; index >= 0; index--) {
      this.work++;
      const name = this.#stack[index]?.name ?? "";
      if (scopes.includes(name)) break;
      if (names.includes(name)) found = index;
    }
    if (found >= 0) this.#popTo(found);
  }

  #popTo(length: number): void {
    while (this.#stack.length > length) {
      this.work++;
      const entry = this.#stack.pop();
      if (entry === undefined) break;
      this.#format = this.#stack.at(-1)?.format ?? plainFormat;
      this.#end(entry);
    }
  }

  #end(entry: Entry): void {
    if (entry.kind === "capture") {
      this.#endCapture();
    } else if (entry.kind === "lines") {
      this.#linesOnly = false;
      this.#flow();
    } else if (entry.kind === "quote" || entry.kind === "list" || entry.kind === "item") {
      this.#endLine();
      this.#builder.close();
    } else if (entry.name === "caption" && this.#lineHasContent) {
      this.#break();
    } else if (boundaries.has(entry.name) && entry.name !== "td" && entry.name !== "th") {
      this.#flow();
    }
  }

  #endCapture(): void {
    const capture = this.#capture;
    this.#capture = undefined;
    if (capture === undefined) return;
    if (capture.kind === "pre") this.#builder.codeBlock(capture.text, capture.language);
    else if (capture.target === undefined) this.#leaf(codeLeaf(capture.text), capture.format);
    else this.#leaf(mentionLeaf({ target: capture.target, text: capture.text }), capture.format);
  }

  #captureText(text: string): void {
    const capture = this.#capture;
    if (capture === undefined) return;
    // HTML drops a newline right behind <pre>.
    const dropNewline = capture.kind === "pre" && !capture.begun;
    capture.text += dropNewline ? text.replace(/^\r?\n/, "") : text;
    capture.begun = true;
  }

  #break(): void {
    if (this.#capture) {
      this.#captureText(this.#capture.kind === "pre" ? "\n" : " ");
      return;
    }
    this.#endLine();
    this.#builder.leaf({ type: "break" }, this.#format);
  }

  #rule(): void {
    this.#flow();
    if (!this.#linesOnly && !this.#capture) this.#builder.rule();
  }

  #image(attributes: Attributes): void {
    const src = attributes.get("src") ?? "";
    const alt = attributes.get("alt") ?? attributes.get("title") ?? "";
    if (this.#capture) {
      if (this.#capture.kind !== "mention") this.#captureText(alt);
    } else if (attributes.has("data-mx-emoticon")) {
      this.#leaf(emojiLeaf(alt, isContentUri(src) ? src : undefined), this.#format);
    } else if (isContentUri(src)) {
      this.#leaf(imageLeaf(src, alt), this.#format);
    } else {
      const link = cleanHref(src);
      const format = link === undefined ? this.#format : { ...this.#format, link };
      this.#leaf(imageLeaf("", alt.trim() === "" ? (link ?? "") : alt), format);
    }
  }

  /** A block begins or ends. */
  #flow(): void {
    if (this.#capture) return;
    if (this.#linesOnly) {
      this.#addSpace();
    } else {
      this.#endLine();
      this.#builder.endBlock();
    }
  }

  #endLine(): void {
    this.#space = undefined;
    this.#lineHasContent = false;
  }

  #addSpace(): void {
    if (this.#lineHasContent) this.#space ??= this.#format;
  }

  #word(text: string): void {
    this.#flushSpace();
    this.#builder.text(text, this.#format);
    this.#lineHasContent = true;
  }

  #leaf(leaf: Leaf | undefined, format: Format): void {
    if (leaf === undefined) return;
    this.#flushSpace();
    this.#builder.leaf(leaf, format);
    this.#lineHasContent = true;
  }

  #flushSpace(): void {
    if (this.#space !== undefined) this.#builder.text(" ", this.#space);
    this.#space = undefined;
  }
}

function formatIn(entry: Entry, outer: Format): Format {
  if (entry.kind === "inline") return formatOf(entry.name, entry.attributes, outer);
  return entry.name === "th" || entry.name === "summary" ? { ...outer, bold: true } : outer;
}
