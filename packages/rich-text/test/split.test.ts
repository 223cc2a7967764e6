import { describe, expect, it } from "@jest/globals";
import {
  normalise,
  parseMatrixHtml,
  richTextOf,
  splitText,
  toMatrixHtml,
  toPlainText,
  truncate,
  utf8Length,
} from "@trestle/rich-text";
import type { Block, Inline, ListItem, RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyText, anyTree, copy } from "./arbitrary-tree.js";

const seed = 20260417;
const longText = fc.array(anyText, { maxLength: 60 }).map((parts) => parts.join(""));
const letters = (text: string): string => text.replace(/[^\p{L}]+/gu, "");

/** The text of the leaves alone, without marks and URLs. */
function leafText(node: RichText | Block | ListItem | Inline): string {
  if ("text" in node) return node.text;
  if ("items" in node) return node.items.map(leafText).join("");
  if ("blocks" in node) return node.blocks.map(leafText).join("");
  return "children" in node ? node.children.map(leafText).join("") : "";
}

function isSubsequence(text: string, of: string): boolean {
  let at = 0;
  for (const character of of) if (text.startsWith(character, at)) at += character.length;
  return at === text.length;
}

const squeeze = (text: string): string => text.replace(/\s+/g, "");

describe("splitText of a string", () => {
  it("keeps every part within the limit and every visible character", () => {
    fc.assert(
      fc.property(longText, fc.integer({ min: 4, max: 60 }), (text, maxBytes) => {
        const parts = splitText(text, maxBytes);
        for (const part of parts) expect(utf8Length(part)).toBeLessThanOrEqual(maxBytes);
        expect(squeeze(parts.join(""))).toBe(squeeze(text));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("cuts between user-perceived characters wherever one fits in a part", () => {
    const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
    const cluster = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
      fc.constantFrom("👨‍👩‍👧‍👦", "🇩🇪", "🇫🇷", "e\u0301", "각", "क्षि", "a", "👍🏽"),
    );
    fc.assert(
      fc.property(fc.array(cluster, { maxLength: 60 }), fc.integer({ min: 30, max: 90 }), (clusters, maxBytes) => {
        const text = clusters.join("");
        const boundaries = new Set([...segmenter.segment(text)].map(({ index }) => index));
        fc.pre([...segmenter.segment(text)].every(({ segment }) => utf8Length(segment) <= maxBytes));
        let at = 0;
        for (const part of splitText(text, maxBytes)) {
          at = text.indexOf(part, at);
          expect(boundaries.has(at)).toBe(true);
          at += part.length;
          expect(at === text.length || boundaries.has(at)).toBe(true);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("prefers lines and words", () => {
    expect(splitText("one two three four", 11)).toEqual(["one two", "three four"]);
    expect(splitText("first line\nsecond line", 15)).toEqual(["first line", "second line"]);
    expect(splitText("abcdefgh", 4)).toEqual(["abcd", "efgh"]);
    expect(splitText("äöüß", 4)).toEqual(["äö", "üß"]);
    expect(splitText("", 4)).toEqual([]);
  });

  it("cuts a character that alone is too long between code points, and refuses to cut inside one", () => {
    const zalgo = `a${"\u0301".repeat(20)}`;
    expect(splitText(zalgo, 10).join("")).toBe(zalgo);
    expect(() => splitText("x", 3)).toThrow(RangeError);
    expect(() => splitText("x", Number.NaN)).toThrow(RangeError);
  });
});

describe("splitText of a tree", () => {
  it("keeps every part within the limit and every letter", () => {
    fc.assert(
      fc.property(anyTree, fc.integer({ min: 64, max: 200 }), (tree, maxBytes) => {
        const parts = splitText(tree, maxBytes);
        for (const part of parts) {
          expect(utf8Length(toPlainText(part))).toBeLessThanOrEqual(maxBytes);
          expect(normalise(copy(part))).toEqual(part);
        }
        expect(isSubsequence(letters(leafText(normalise(tree))), letters(parts.map(leafText).join("")))).toBe(true);
      }),
      { seed, numRuns: 1_500, endOnFailure: true },
    );
  });

  it("carries formatting, quotes and item numbers over a cut", () => {
    const tree = parseMatrixHtml(`<blockquote><b>${"bold words ".repeat(12)}</b></blockquote>`);
    const parts = splitText(tree, 70);
    expect(parts.length).toBe(3);
    for (const part of parts)
      expect(toMatrixHtml(part)).toMatch(/^<blockquote><strong>(bold|words) .*<\/strong><\/blockquote>$/);
    const list = parseMatrixHtml(`<ol>${"<li>an item of some length</li>".repeat(6)}</ol>`);
    expect(splitText(list, 64).map((part) => toPlainText(part))).toEqual([
      "1. an item of some length\n2. an item of some length",
      "3. an item of some length\n4. an item of some length",
      "5. an item of some length\n6. an item of some length",
    ]);
  });

  it("fences every part of a code block", () => {
    const tree = parseMatrixHtml(`<pre><code class="language-ts">${"const x = 1;\n".repeat(10)}</code></pre>`);
    for (const part of splitText(tree, 64)) expect(toPlainText(part)).toMatch(/^```ts\n(const x = 1;\n)+```$/);
  });
});

describe("truncate", () => {
  it("marks what is cut and stays within the limit", () => {
    expect(truncate("a short text", 20)).toBe("a short text");
    expect(truncate("a somewhat longer text", 13)).toBe("a somewhat…");
    fc.assert(
      fc.property(anyTree, longText, fc.integer({ min: 8, max: 100 }), (tree, text, maxBytes) => {
        expect(utf8Length(truncate(text, maxBytes))).toBeLessThanOrEqual(maxBytes);
        expect(utf8Length(toPlainText(truncate(tree, maxBytes)))).toBeLessThanOrEqual(maxBytes);
      }),
      { seed, numRuns: 1_000 },
    );
    expect(toMatrixHtml(truncate(parseMatrixHtml(`<b>${"word ".repeat(50)}</b>`), 70))).toMatch(
      /^<strong>word.*word<\/strong>…$/,
    );
    expect(toPlainText(truncate(richTextOf("x".repeat(100)), 20))).toBe(`${"x".repeat(17)}…`);
  });
});
