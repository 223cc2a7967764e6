import type { Block, Inline, RichText } from "@trestle/rich-text";
import fc from "fast-check";

/** Letters, and whatever means something to XEP-0393, to XML or to our own marks. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom(
        ...["*", "_", "~", "`", "```", "**", "*a*", " *", "* ", "_b_", "~c", "d~", ">", "> ", ">>", "/me ", "/me"],
        ...["\n", " ", "\t", "\r\n", "\u00a0", "\u2060", "\ufdd0", "\ufdd1", "\ufdd2", "\ufffe", "\u0001", "\ud800"],
        ...[
          "<b>",
          "</body>",
          "</message>",
          "]]>",
          "&amp;",
          "&#1;",
          "<!--",
          "😀",
          "e\u0301",
          "👨‍👩‍👧",
          "https://example.org/a_b_c",
        ],
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const word = fc.stringMatching(/^[a-zäß0-9]{1,8}$/);
const leaf: fc.Arbitrary<Inline> = word.map((text) => ({ type: "text", text }));

/** Words, each alone between spaces, some of them in a style: what XEP-0393 carries. */
const styledWord: fc.Arbitrary<Inline> = fc.oneof(
  leaf,
  word.map((text): Inline => ({ type: "code", text })),
  fc
    .tuple(fc.constantFrom("bold" as const, "italic" as const, "strike" as const), leaf)
    .map(([type, child]): Inline => ({ type, children: [child] })),
  leaf.map((child): Inline => ({ type: "bold", children: [{ type: "italic", children: [child] }] })),
);

const styledLine = fc
  .array(styledWord, { minLength: 1, maxLength: 5 })
  .map((words) =>
    words.flatMap((inline, index): Inline[] => (index === 0 ? [inline] : [{ type: "text", text: " " }, inline])),
  );

const styledParagraph = fc.array(styledLine, { minLength: 1, maxLength: 3 }).map((lines): Block => ({
  type: "paragraph",
  children: lines.flatMap((line, index): Inline[] => (index === 0 ? line : [{ type: "break" }, ...line])),
}));

const codeBlock = fc
  .record({ lines: fc.array(hostileLine(), { minLength: 1, maxLength: 3 }), language: fc.constantFrom("", "ts") })
  .map(({ lines, language }): Block => ({
    type: "codeBlock",
    text: ["code", ...lines].join("\n"),
    ...(language === "" ? {} : { language }),
  }));

function hostileLine(): fc.Arbitrary<string> {
  return hostileText.map((text) => text.replace(/\s+/g, " ")).filter((text) => text !== "```");
}

/** Trees of what XEP-0393 carries, in which no two paragraphs are neighbours: they would be read as one. */
export const stylableTree: fc.Arbitrary<RichText> = fc
  .array(
    fc.oneof(
      styledParagraph,
      codeBlock,
      styledParagraph.map((block): Block => ({ type: "quote", blocks: [block] })),
      fc.tuple(styledParagraph, codeBlock).map((blocks): Block => ({ type: "quote", blocks })),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((blocks) => ({
    blocks: blocks.filter(
      (block, index) => index === 0 || block.type === "codeBlock" || block.type !== blocks[index - 1]?.type,
    ),
  }));
