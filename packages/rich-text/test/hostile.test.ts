import { describe, expect, it } from "@jest/globals";
import {
  mapMentions,
  normalise,
  parseMatrixHtml,
  splitText,
  toMatrix,
  toPlainText,
  truncate,
  utf8Length,
} from "@trestle/rich-text";
import type { Block, Inline, RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { HtmlReader } from "../dist/html-reader.js";
import { readHtml } from "../dist/parse.js";
import { anyHtml, copy } from "./arbitrary-tree.js";

/** As much as fits in an event. */
const eventBytes = 63_000;
const filled = (piece: string, bytes = eventBytes): string => piece.repeat(Math.floor(bytes / piece.length));

const attacks: readonly (readonly [string, (bytes: number) => string])[] = [
  ["nested <b>", (bytes) => filled("<b>", bytes)],
  ["unmatched end tags under open ones", (bytes) => filled("<b>", bytes / 2) + filled("</i>", bytes / 2)],
  ["overlapping styles", (bytes) => filled("<b>x<i>y</b>z</i>", bytes)],
  ["every style at once", (bytes) => filled("<b><i><u><s>x", bytes)],
  ["nested tables", (bytes) => filled("<table><td>", bytes)],
  ["table rows", (bytes) => filled("<table><tr><td>x</table>", bytes)],
  ["<b><p>", (bytes) => filled("<b><p>x", bytes)],
  ["nested quotes", (bytes) => filled("<blockquote>x", bytes)],
  ["nested lists", (bytes) => filled("<ul><li>x", bytes)],
  ["items without end tags", (bytes) => `<ul>${filled("<li>x", bytes)}`],
  ["nested spans with colours", (bytes) => filled('<span data-mx-color="#ff0000">x', bytes)],
  ["links in links", (bytes) => filled('<a href="https://x.y">x', bytes)],
  ["mentions in mentions", (bytes) => filled('<a href="https://matrix.to/#/@a:b">x', bytes)],
  ["attributes", (bytes) => `<a ${filled("x=y ", bytes)}>x`],
  ["one long attribute", (bytes) => `<span data-mx-spoiler="${filled(" :", bytes)}x">y`],
  ["an emoticon of colons", (bytes) => `<img data-mx-emoticon alt="${filled(":", bytes)}x">`],
  ["newlines in code", (bytes) => `<pre>${filled("\n", bytes)}x`],
  ["inline code", (bytes) => filled("<code>`</code>", bytes)],
  ["backticks", (bytes) => `<code>${filled("`", bytes)}</code>`],
  ["less-than signs", (bytes) => filled("<", bytes)],
  ["ampersands", (bytes) => filled("&", bytes)],
  ["entities", (bytes) => filled("&lt;", bytes)],
  ["no-break spaces", (bytes) => filled("&nbsp;", bytes)],
  ["spaces", (bytes) => `x${filled(" ", bytes)}x`],
  ["@room", (bytes) => filled("@room ", bytes)],
  ["@room without an end", (bytes) => filled("@room", bytes)],
  ["mx-reply", (bytes) => filled("<mx-reply>", bytes)],
  ["unclosed comment", (bytes) => `x<!--${filled("--", bytes)}`],
  ["breaks", (bytes) => filled("<br>", bytes)],
  ["paragraphs", (bytes) => filled("<p>x</p>", bytes)],
];

/** The elementary steps that reading takes. */
function workOf(html: string): number {
  const reader = new HtmlReader({ everyone: true });
  readHtml(html, reader);
  return reader.work;
}

function depthOf(node: RichText | Block | Inline | { readonly blocks: readonly Block[] }): number {
  const children: readonly (Block | Inline | { readonly blocks: readonly Block[] })[] =
    "blocks" in node ? node.blocks : "items" in node ? node.items : "children" in node ? node.children : [];
  return 1 + Math.max(0, ...children.map(depthOf));
}

describe.each(attacks)("an event full of %s", (_name, make) => {
  it("is read, written, split and cut short", () => {
    const html = make(eventBytes);
    const tree = parseMatrixHtml(html, { everyone: true });
    expect(depthOf(tree)).toBeLessThan(40);
    expect(normalise(copy(tree))).toEqual(tree);
    expect(parseMatrixHtml(toMatrix(tree).formattedBody ?? "")).toBeDefined();
    expect(utf8Length(toPlainText(tree))).toBeLessThan(30 * eventBytes);
    for (const part of splitText(tree, 400)) expect(utf8Length(toPlainText(part))).toBeLessThanOrEqual(400);
    expect(utf8Length(toPlainText(truncate(tree, 400)))).toBeLessThanOrEqual(400);
  });

  it("takes twice the work when twice as long", () => {
    const [half, whole] = [workOf(make(eventBytes / 2)), workOf(make(eventBytes))];
    expect(whole).toBeLessThanOrEqual(2.1 * half + 1_000);
    expect(whole).toBeLessThanOrEqual(110 * eventBytes);
  });
});

describe("any HTML", () => {
  it("takes work in proportion to its length", () => {
    fc.assert(
      fc.property(fc.array(anyHtml, { maxLength: 30 }), (parts) => {
        const html = parts.join("");
        expect(workOf(html)).toBeLessThanOrEqual(300 * (html.length + 1));
      }),
      { seed: 20260417, numRuns: 1_000 },
    );
  });
});

describe("a tree deeper than any stack", () => {
  const depth = 200_000;
  let inline: Inline = { type: "text", text: "core" };
  for (let level = 0; level < depth; level++)
    inline = { type: level % 2 === 0 ? "bold" : "italic", children: [inline] };
  let block: Block = { type: "paragraph", children: [inline] };
  for (let level = 0; level < depth; level++)
    block =
      level % 2 === 0
        ? { type: "quote", blocks: [block] }
        : { type: "list", ordered: false, items: [{ blocks: [block] }] };
  const tree: RichText = { blocks: [block] };

  it("is normalised, written and mapped", () => {
    expect(toPlainText(tree)).toMatch(/^(?:> |- | {2})+\*\*_core_\*\*$/);
    expect(toMatrix(tree).formattedBody).toContain("<strong><em>core</em></strong>");
    expect(depthOf(mapMentions(tree, (mention) => mention))).toBeLessThan(40);
  });
});
