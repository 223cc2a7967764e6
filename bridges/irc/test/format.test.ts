import { describe, expect, it } from "@jest/globals";
import type { Block, Inline, RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { colourOf, numberOf } from "../dist/format/colours.js";
import { inlinesOf, parseFormatted } from "../dist/format/parse.js";
import { renderLines } from "../dist/format/render.js";
import { mergeRuns, type Run, type Style } from "../dist/format/runs.js";
import { encodeLine } from "../dist/format/split.js";

const seed = 20240601;
const paragraph = (...children: Inline[]): RichText => ({ blocks: [{ type: "paragraph", children }] });
const text = (value: string): Inline => ({ type: "text", text: value });
const wire = (body: RichText) => renderLines(body).map(encodeLine);
const ofBlocks = (...blocks: Block[]) => wire({ blocks });

const colour = fc.option(
  fc.integer({ min: 0, max: 98 }).map((number) => colourOf(number)!),
  { nil: undefined },
);
const style: fc.Arbitrary<Style> = fc
  .record({
    bold: fc.boolean(),
    italic: fc.boolean(),
    underline: fc.boolean(),
    strike: fc.boolean(),
    mono: fc.boolean(),
    foreground: colour,
    background: colour,
  })
  .map(({ foreground, background, ...rest }) => ({
    ...rest,
    ...(foreground ? { foreground } : {}),
    ...(background ? { background } : {}),
  }));
const piece = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  // What comes near a colour code: digits and commas.
  fc.string({ unit: fc.constantFrom("0", "1", "9", ",", " ", "a", "é", "😀"), minLength: 1, maxLength: 6 }),
);
const runs: fc.Arbitrary<Run[]> = fc
  .array(fc.record({ text: piece, style }), { minLength: 1, maxLength: 8 })
  .map((all) => mergeRuns(all))
  .filter((all) => all.some((run) => run.text.trim() !== ""));

describe("IRC formatting", () => {
  it("parse(render(tree)) is the tree, for all that a line can carry", () => {
    fc.assert(
      fc.property(runs, (line) => {
        const tree = paragraph(...inlinesOf(line));
        const [encoded, ...more] = wire(tree);
        expect(more).toEqual([]);
        expect(parseFormatted(encoded!)).toEqual(tree);
      }),
      { seed, numRuns: 2000 },
    );
  });

  it("never lets a control character of a text onto the wire", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (typed) => {
        const body = paragraph(
          text(typed),
          { type: "code", text: typed },
          { type: "link", href: `https://x/${typed}`, children: [text(typed)] },
        );
        // eslint-disable-next-line no-control-regex -- the subject of the test
        for (const line of wire(body)) expect(line).not.toMatch(/[\0\x01\r\n\x07]/);
      }),
      { seed, numRuns: 500 },
    );
  });

  it("reads whatever a client writes without failing, and never shows a control character", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(
            fc.constantFrom(
              "\x02",
              "\x03",
              "\x04",
              "\x0f",
              "\x11",
              "\x16",
              "\x1d",
              "\x1e",
              "\x1f",
              "\x01",
              "1",
              ",",
              "f",
            ),
            fc.string({ unit: "binary", maxLength: 1 }),
          ),
        }),
        (line) => {
          expect(JSON.stringify(parseFormatted(line))).not.toMatch(/\\u00[01]\d/);
        },
      ),
      { seed, numRuns: 500 },
    );
  });

  it.each<[string, string, Inline[]]>([
    ["bold", "a \x02b\x02 c", [text("a "), { type: "bold", children: [text("b")] }, text(" c")]],
    ["italic", "\x1dx", [{ type: "italic", children: [text("x")] }]],
    ["underline", "\x1fx\x0f", [{ type: "underline", children: [text("x")] }]],
    ["strike", "\x1ex", [{ type: "strike", children: [text("x")] }]],
    ["monospace", "\x11x\x11y", [{ type: "code", text: "x" }, text("y")]],
    ["a colour of one digit", "\x034red", [{ type: "colour", foreground: "#ff0000", children: [text("red")] }]],
    [
      "a colour of the extended palette",
      "\x0352red",
      [{ type: "colour", foreground: "#ff0000", children: [text("red")] }],
    ],
    [
      "foreground and background",
      "\x0300,01x",
      [{ type: "colour", foreground: "#ffffff", background: "#000000", children: [text("x")] }],
    ],
    ["a colour by hex", "\x04FF8800x", [{ type: "colour", foreground: "#ff8800", children: [text("x")] }]],
    ["a comma that is text", "\x034,x", [{ type: "colour", foreground: "#ff0000", children: [text(",x")] }]],
    [
      "the end of a colour",
      "\x034a\x03b",
      [{ type: "colour", foreground: "#ff0000", children: [text("a")] }, text("b")],
    ],
    [
      "the default colour 99",
      "\x034a\x0399b",
      [{ type: "colour", foreground: "#ff0000", children: [text("a")] }, text("b")],
    ],
    ["reverse", "\x16x", [{ type: "colour", foreground: "#ffffff", background: "#000000", children: [text("x")] }]],
    ["text in the colour of its ground", "\x031,1x", [{ type: "spoiler", children: [text("x")] }]],
    [
      "crossing styles",
      "\x02a\x1db\x02c",
      [
        { type: "bold", children: [text("a"), { type: "italic", children: [text("b")] }] },
        { type: "italic", children: [text("c")] },
      ],
    ],
  ])("reads %s", (_what, line, children) => {
    expect(parseFormatted(line)).toEqual(paragraph(...children));
  });

  it.each(["", "   ", "\x02\x02", "\x03", "\x0f \x1d"])("shows nothing for a line that shows nothing (%j)", (line) => {
    expect(parseFormatted(line)).toEqual({ blocks: [] });
  });

  it("keeps digits apart from a colour code", () => {
    const body = paragraph({ type: "colour", foreground: "#ff0000", children: [text("1")] }, text("2,3"));
    expect(parseFormatted(wire(body)[0]!)).toEqual(body);
  });

  it("takes the colour that looks most alike", () => {
    expect(numberOf("#fe0101")).toBe(4);
    expect(numberOf("#ff0000")).toBe(4);
    expect(colourOf(99)).toBeUndefined();
  });

  it("writes a link once where its text is its address", () => {
    expect(
      wire(paragraph({ type: "link", href: "https://example.org/a", children: [text("https://example.org/a")] })),
    ).toEqual(["https://example.org/a"]);
    expect(wire(paragraph({ type: "link", href: "https://example.org/", children: [text("example.org")] }))).toEqual([
      "https://example.org/",
    ]);
    expect(wire(paragraph({ type: "link", href: "https://example.org/a", children: [text("here")] }))).toEqual([
      "here (https://example.org/a)",
    ]);
  });

  it("makes lists, quotes, headings, code and rules readable, and drops blank lines", () => {
    const one = (value: string): Block => ({ type: "paragraph", children: [text(value)] });
    expect(
      ofBlocks(
        { type: "heading", level: 1, children: [text("Title")] },
        {
          type: "list",
          ordered: true,
          start: 9,
          items: [
            { blocks: [one("a"), one("b")] },
            { blocks: [one("c"), { type: "list", ordered: false, items: [{ blocks: [one("d")] }] }] },
          ],
        },
        { type: "quote", blocks: [one("q"), { type: "quote", blocks: [one("qq")] }] },
        { type: "codeBlock", text: "if (x) {\n\n\ty();\n}" },
        { type: "rule" },
        { type: "paragraph", children: [text("x"), { type: "break" }, { type: "break" }, text("y")] },
      ),
    ).toEqual([
      "\x02Title",
      "9. a",
      "   b",
      "10. c",
      "    • d",
      "> q",
      "> > qq",
      "\x11if (x) {",
      "\x11    y();",
      "\x11}",
      "────────",
      "x",
      "y",
    ]);
  });

  it("hides a spoiler and says why", () => {
    const spoiler: Inline = { type: "spoiler", reason: "film", children: [text("he dies")] };
    expect(wire(paragraph(spoiler))).toEqual(["(film) \x0301,01he dies"]);
  });

  it("writes mentions, emoji and pictures as text", () => {
    const body = paragraph(
      { type: "mention", target: { kind: "everyone" }, text: "@room" },
      text(" "),
      { type: "emoji", name: "parrot", url: "mxc://x/y" },
      text(" "),
      { type: "image", src: "mxc://x/z", alt: "a cat" },
      text(" "),
      { type: "image", src: "https://x.org/z.png", alt: "" },
    );
    expect(wire(body)).toEqual(["@room :parrot: a cat https://x.org/z.png"]);
  });
});
