import { matrixLinkOf } from "./links.js";
import { escapeHtml } from "./text.js";
import type { Colour, Inline } from "./tree.js";

/** The HTML of the lines of one block in its Matrix form. */
export function lineHtml(inlines: readonly Inline[]): string {
  const writer = new LineWriter();
  writer.inlines(inlines);
  return writer.finish();
}

/** Writes a space that HTML would collapse as a no-break space; whether it would shows only at what follows. */
class LineWriter {
  readonly #out: string[] = [];
  /** Where in `#out` spaces stand that are not decided yet. */
  #spaces: number[] = [];
  #afterContent = false;

  finish(): string {
    this.#edge("");
    return this.#out.join("");
  }

  inlines(inlines: readonly Inline[]): void {
    for (const inline of inlines) this.#inline(inline);
  }

  #inline(inline: Inline): void {
    switch (inline.type) {
      case "text":
        this.#text(inline.text);
        break;
      case "break":
        this.#edge("<br>");
        break;
      case "code":
        this.#content(`<code>${escapeHtml(inline.text)}</code>`);
        break;
      case "mention": {
        const link = matrixLinkOf(inline.target);
        const text = escapeHtml(inline.text);
        this.#content(link === undefined ? text : `<a href="${escapeHtml(link)}">${text}</a>`);
        break;
      }
      case "emoji":
        this.#content(emojiHtml(inline.name, inline.url ?? ""));
        break;
      case "image":
        this.#content(`<img src="${escapeHtml(inline.src)}" alt="${escapeHtml(inline.alt)}">`);
        break;
      default: {
        const [open, close] = tagsOf(inline);
        this.#out.push(open);
        this.inlines(inline.children);
        this.#out.push(close);
      }
    }
  }

  #text(text: string): void {
    if (!/^ | $| {2}|\t/.test(text)) {
      this.#content(escapeHtml(text));
      return;
    }
    for (const piece of text.split(/([ \t])/)) {
      if (piece === " ") this.#spaces.push(this.#out.push(" ") - 1);
      else if (piece === "\t") this.#edge("&#9;");
      else if (piece !== "") this.#content(escapeHtml(piece));
    }
  }

  #content(html: string): void {
    this.#settle(true);
    this.#out.push(html);
    this.#afterContent = true;
  }

  #edge(html: string): void {
    this.#settle(false);
    this.#out.push(html);
    this.#afterContent = false;
  }

  #settle(beforeContent: boolean): void {
    if (this.#spaces.length > 1 || !this.#afterContent || !beforeContent) {
      for (const index of this.#spaces) this.#out[index] = "&nbsp;";
    }
    this.#spaces = [];
  }
}

function emojiHtml(name: string, url: string): string {
  const label = escapeHtml(`:${name}:`);
  return `<img data-mx-emoticon src="${escapeHtml(url)}" alt="${label}" title="${label}" height="32">`;
}

type Wrapper = Extract<Inline, { readonly children: unknown }>;

function tagsOf(inline: Wrapper): readonly [string, string] {
  switch (inline.type) {
    case "bold":
      return ["<strong>", "</strong>"];
    case "italic":
      return ["<em>", "</em>"];
    case "underline":
      return ["<u>", "</u>"];
    case "strike":
      return ["<del>", "</del>"];
    case "link":
      return [`<a href="${escapeHtml(inline.href)}">`, "</a>"];
    case "spoiler": {
      const reason = inline.reason === undefined ? "" : `="${escapeHtml(inline.reason)}"`;
      return [`<span data-mx-spoiler${reason}>`, "</span>"];
    }
    case "colour":
      return [`<span${colourAttributes(inline)}>`, "</span>"];
  }
}

function colourAttributes({ foreground, background }: Colour): string {
  const text = foreground === undefined ? "" : ` data-mx-color="${foreground}"`;
  return text + (background === undefined ? "" : ` data-mx-bg-color="${background}"`);
}
