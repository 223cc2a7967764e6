import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import { TreeBuilder } from "./builder.js";
import { plainFormat } from "./format.js";
import { HtmlReader, type MatrixHtmlOptions } from "./html-reader.js";
import type { RichText } from "./tree.js";

/**
 * Reads `org.matrix.custom.html` (specification, "m.room.message msgtypes") into a tree, in its normal form.
 *
 * What the tree can not hold is dropped and its text kept; `<mx-reply>`, scripts and styles are dropped whole. Any
 * string has a result, in linear time and bounded depth.
 */
export function parseMatrixHtml(html: string, options: MatrixHtmlOptions = {}): RichText {
  const reader = new HtmlReader(options);
  try {
    readHtml(html, reader);
    return reader.finish();
  } catch {
    // No input is known to come here. A defect of the parser must not cost the message: it is shown as it stands.
    return parsePlainText(html, options);
  }
}

/** Gives a reader every tag and text of some HTML. */
export function readHtml(html: string, reader: HtmlReader): void {
  const tokenizer = new Tokenizer({ decodeEntities: true }, new Tokens(html, reader));
  tokenizer.write(html);
  tokenizer.end();
}

/** Reads the plain `body` of an event: one paragraph, in its normal form. */
export function parsePlainText(text: string, options: MatrixHtmlOptions = {}): RichText {
  const builder = new TreeBuilder(options);
  builder.text(text, plainFormat);
  return builder.finish();
}

/** Cuts the text of the tokens out of the HTML. Unlike the SAX parser above it, the tokenizer keeps no stack of its own. */
class Tokens implements TokenizerCallbacks {
  #name = "";
  #attribute = "";
  #value = "";
  #attributes = new Map<string, string>();

  constructor(
    readonly html: string,
    readonly reader: HtmlReader,
  ) {}

  ontext(start: number, end: number): void {
    this.reader.text(this.html.slice(start, end));
  }

  ontextentity(codePoint: number): void {
    this.reader.entity(String.fromCodePoint(codePoint));
  }

  onopentagname(start: number, end: number): void {
    this.#name = this.html.slice(start, end).toLowerCase();
    this.#attributes = new Map();
  }

  onattribname(start: number, end: number): void {
    this.#attribute = this.html.slice(start, end).toLowerCase();
    this.#value = "";
  }

  onattribdata(start: number, end: number): void {
    this.#value += this.html.slice(start, end);
  }

  onattribentity(codePoint: number): void {
    this.#value += String.fromCodePoint(codePoint);
  }

  onattribend(): void {
    if (!this.#attributes.has(this.#attribute)) this.#attributes.set(this.#attribute, this.#value);
    this.#value = "";
  }

  onopentagend(): void {
    this.reader.open(this.#name, this.#attributes);
  }

  onselfclosingtag(): void {
    this.reader.open(this.#name, this.#attributes, true);
  }

  onclosetag(start: number, end: number): void {
    this.reader.close(this.html.slice(start, end).toLowerCase());
  }

  onend(): void {
    // The reader is asked for its tree.
  }
  oncdata(): void {
    // A comment in HTML.
  }
  oncomment(): void {
    // Not shown.
  }
  ondeclaration(): void {
    // Not shown.
  }
  onprocessinginstruction(): void {
    // Not shown.
  }
}
