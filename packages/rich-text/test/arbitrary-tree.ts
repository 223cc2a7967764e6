import fc from "fast-check";
import type { Block, Inline, MentionTarget, RichText } from "@trestle/rich-text";

/** Text as hostile as it comes: markup, spaces, control characters, lone surrogates, newlines. */
export const anyText = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc
      .array(
        fc.constantFrom(
          " ",
          "  ",
          "\u00a0",
          "\t",
          "\n",
          "a",
          "b",
          "<b>",
          "&amp;",
          '"',
          "`",
          "*",
          "\ud800",
          "\0",
          "👨‍👩‍👧",
          "e\u0301",
        ),
        { maxLength: 8 },
      )
      .map((parts) => parts.join("")),
  )
  .filter((text) => !text.includes("@room"));

const colour = fc.constantFrom("#ff0000", "#00ff00", "#ABCDEF", "red", "nonsense");
const href = fc.oneof(
  fc.constantFrom(
    "https://example.org/a?b=c&d=e",
    "HTTP://example.org",
    "mailto:a@b.c",
    "javascript:alert(1)",
    "/relative",
    'https://x/"><script>',
    "https://a b/c",
    "https://matrix.to/#/@ann:example.org",
    "matrix:r/trestle:example.org",
  ),
  anyText.map((text) => `https://example.org/${text}`),
);
const url = fc.constantFrom(
  "mxc://example.org/abc",
  "https://example.org/p.png",
  "http://example.org/p.png",
  "javascript:1",
  "",
);

const target: fc.Arbitrary<MentionTarget> = fc.oneof(
  fc.constantFrom<MentionTarget>(
    { kind: "matrixUser", userId: "@ann:example.org" },
    { kind: "matrixUser", userId: "@a/b+c=2f%:example.org:8448" },
    { kind: "matrixUser", userId: "not an id" },
    { kind: "matrixRoom", roomIdOrAlias: "#tr%stle ü:example.org" },
    { kind: "matrixRoom", roomIdOrAlias: "#trästle/?#:example.org" },
    { kind: "matrixRoom", roomIdOrAlias: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM" },
    { kind: "matrixRoom", roomIdOrAlias: "!abc:example.org", eventId: "$abc/def+x" },
    { kind: "everyone" },
  ),
  anyText.map((id): MentionTarget => ({ kind: "remoteUser", id })),
  anyText.map((id): MentionTarget => ({ kind: "remoteChannel", id })),
);

const { inlines } = fc.letrec<{ inline: Inline; inlines: readonly Inline[] }>((tie) => ({
  inlines: fc.array(tie("inline"), { maxLength: 4 }),
  inline: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyText.map((text): Inline => ({ type: "text", text })),
    fc.constant<Inline>({ type: "break" }),
    anyText.map((text): Inline => ({ type: "code", text })),
    fc.record({ type: fc.constant("mention" as const), target, text: anyText }),
    fc.record({ type: fc.constant("emoji" as const), name: anyText, url }),
    fc.record({ type: fc.constant("image" as const), src: url, alt: anyText }),
    fc.record({
      type: fc.constantFrom("bold" as const, "italic" as const, "underline" as const, "strike" as const),
      children: tie("inlines"),
    }),
    fc.record({ type: fc.constant("link" as const), href, children: tie("inlines") }),
    fc.record({ type: fc.constant("colour" as const), foreground: colour, children: tie("inlines") }),
    fc.record({ type: fc.constant("colour" as const), background: colour, children: tie("inlines") }),
    fc.record({ type: fc.constant("spoiler" as const), children: tie("inlines") }),
    fc.record({ type: fc.constant("spoiler" as const), reason: anyText, children: tie("inlines") }),
  ),
}));

const { blocks } = fc.letrec<{ block: Block; blocks: readonly Block[] }>((tie) => {
  const items = fc.array(fc.record({ blocks: tie("blocks") }), { maxLength: 3 });
  return {
    blocks: fc.array(tie("block"), { maxLength: 3 }),
    block: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.record({ type: fc.constant("paragraph" as const), children: inlines }),
      fc.record({
        type: fc.constant("heading" as const),
        level: fc.constantFrom(1 as const, 3 as const, 6 as const),
        children: inlines,
      }),
      fc.record({ type: fc.constant("codeBlock" as const), text: anyText }),
      fc.record({
        type: fc.constant("codeBlock" as const),
        text: anyText,
        language: fc.constantFrom("ts", "c++", "no such", ""),
      }),
      fc.constant<Block>({ type: "rule" }),
      fc.record({ type: fc.constant("quote" as const), blocks: tie("blocks") }),
      fc.record({ type: fc.constant("list" as const), ordered: fc.boolean(), items }),
      fc.record({
        type: fc.constant("list" as const),
        ordered: fc.boolean(),
        start: fc.constantFrom(-3, 0, 1, 7, 1.5),
        items,
      }),
    ),
  };
});

/** Any tree that the types allow, however senseless. */
export const anyTree: fc.Arbitrary<RichText> = fc.record({ blocks });

/** The same tree, of which nobody knows that it is in its normal form. */
export function copy(tree: RichText): RichText {
  return structuredClone(tree);
}

const tags = [
  "b",
  "strong",
  "i",
  "em",
  "u",
  "del",
  "code",
  "pre",
  "p",
  "div",
  "blockquote",
  "ul",
  "ol",
  "li",
  "h1",
  "h3",
  "table",
  "thead",
  "tr",
  "td",
  "th",
  "caption",
  "span",
  "font",
  "a",
  "sup",
  "details",
  "summary",
  "mx-reply",
  "script",
  "title",
  "svg",
  "br",
  "hr",
  "img",
  "x-y",
  "textarea",
];
const attributes = [
  "",
  ' href="https://example.org"',
  ' href="javascript:x"',
  ' href="https://matrix.to/#/@ann:example.org"',
  " data-mx-spoiler",
  ' data-mx-spoiler="why"',
  ' data-mx-color="#ff0000"',
  ' color="red"',
  ' class="language-ts"',
  ' start="5"',
  ' start="x"',
  ' src="mxc://a/b" alt=":x:"',
  ' src="https://a/b"',
  " data-mx-emoticon",
  ' onclick="x"',
  ' style="x',
];

/** A soup of tags, opened and closed in whatever order. */
export const anyHtml = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.constantFrom(...tags), fc.constantFrom(...attributes))
        .map(([tag, attribute]) => `<${tag}${attribute}>`),
      fc.constantFrom(...tags).map((tag) => `</${tag}>`),
      fc.constantFrom(...tags).map((tag) => `<${tag}/>`),
      fc.constantFrom(
        " ",
        "\n",
        "&nbsp;",
        "&lt;",
        "&#0;",
        "&#xD800;",
        "&#9;",
        "&#10;",
        "&bogus;",
        "&",
        "<",
        ">",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "@room",
        "text",
        "  two  ",
      ),
      anyText,
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));
