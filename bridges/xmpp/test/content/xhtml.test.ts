import { describe, expect, it } from "@jest/globals";
import { mapMentions, parseMatrixHtml, toMatrixHtml, type Block, type Inline, type RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyHtml, anyTree } from "../../../../packages/rich-text/test/arbitrary-tree.js";
import { element, parseXml, readXhtml, writeXhtml } from "../../dist/content/index.js";
import { html } from "./support.js";

const seed = 20261122;
const body = (markup: string): string =>
  html(
    `<body>plain</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>${markup}</body></html>`,
  );

describe("XHTML-IM that comes in", () => {
  it.each([
    ["<p>one <strong>two</strong> <em>three</em></p>", "one <strong>two</strong> <em>three</em>"],
    ["<span style='font-weight: bold; color: red'>x</span>", '<span data-mx-color="#ff0000"><strong>x</strong></span>'],
    ["<span style='text-decoration: underline line-through'>x</span>", "<u><del>x</del></u>"],
    ["<span style='color: rgb(0, 128, 255)'>x</span>", '<span data-mx-color="#0080ff">x</span>'],
    ["<a href='https://example.org/?a=b&amp;c'>x</a>", '<a href="https://example.org/?a=b&amp;c">x</a>'],
    ["<ol><li>a</li><li>b</li></ol>", "<ol><li>a</li><li>b</li></ol>"],
    ["<blockquote><p>q</p></blockquote><p>a</p>", "<blockquote>q</blockquote><p>a</p>"],
    ["a<br/>b", "a<br>b"],
    ["<img src='https://example.org/x.png' alt='a cat'/>", '<a href="https://example.org/x.png">a cat</a>'],
    ["<img src='cid:sha1+8f@bob.xmpp.org' alt='a cat'/>", "a cat"],
    ["<unknown>kept</unknown>", "kept"],
  ])("%s", (markup, expected) => expect(body(markup)).toBe(expected));

  it.each([
    "<script>alert(1)</script>x",
    "<style>p{}</style>x",
    "<p onclick='alert(1)'>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<span style='background: url(https://evil.example/x)'>x</span>",
    "<span style='color: red&quot;&gt;&lt;script&gt;'>x</span>",
    "<iframe src='https://evil.example'>y</iframe>x",
    "<svg><script>alert(1)</script></svg>x",
  ])("lets nothing but the text through: %s", (markup) => expect(body(markup)).toBe("x"));

  it("shows no picture of Matrix that somebody else names", () => {
    expect(body("<img src='mxc://example.org/secret' alt='x'/>")).toBe("x");
  });

  it("is not escaped by what it holds as text", () => {
    expect(body("&lt;img src=x onerror=alert(1)&gt; &amp;lt;b&amp;gt;")).toBe(
      "&lt;img src=x onerror=alert(1)&gt; &amp;lt;b&amp;gt;",
    );
  });

  it("counts for nothing where it is empty", () => expect(body("<p> </p>")).toBe("plain"));

  it("is read however deep it is nested", () => {
    let nested = element("span", {}, "x");
    for (let depth = 0; depth < 20_000; depth++) nested = element("span", {}, nested);
    const message = element(
      "message",
      {},
      element(
        "html",
        { xmlns: "http://jabber.org/protocol/xhtml-im" },
        element("body", { xmlns: "http://www.w3.org/1999/xhtml" }, nested),
      ),
    );
    const tree = readXhtml(message);
    expect(tree && toMatrixHtml(tree)).toBe("x");
  });
});

describe("XHTML-IM that goes out", () => {
  const again = (tree: RichText): RichText => {
    const read = parseXml(element("message", {}, writeXhtml(tree)).toString());
    return (read && readXhtml(read)) ?? { blocks: [] };
  };

  it("is read as the same tree, but for what it has no element for", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyTree,
          anyHtml.map((given) => parseMatrixHtml(given)),
        ),
        (tree) => {
          const html = toMatrixHtml({ blocks: tree.blocks.flatMap(carriedBlock) });
          const carried = mapMentions(parseMatrixHtml(html), ({ text }) => ({ type: "text", text }));
          expect(comparable(again(carried))).toBe(comparable(carried));
        },
      ),
      { seed, numRuns: 1_500 },
    );
  });

  it("is well-formed whatever is in the text", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const written = writeXhtml(tree).toString();
        expect(parseXml(written)?.toString()).toBe(written);
      }),
      { seed, numRuns: 1_500 },
    );
  });
});

/** Without what XHTML-IM has no element for: languages of code, spoilers, mentions, pictures, rules. */
function carriedBlock(block: Block): Block[] {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return [{ ...block, children: block.children.flatMap(carriedInline) }];
    case "codeBlock":
      return [{ type: "codeBlock", text: block.text }];
    case "quote":
      return [{ ...block, blocks: block.blocks.flatMap(carriedBlock) }];
    case "list":
      return [{ ...block, items: block.items.map(({ blocks }) => ({ blocks: blocks.flatMap(carriedBlock) })) }];
    case "rule":
      return [];
  }
}

function carriedInline(inline: Inline): Inline[] {
  if (inline.type === "mention" || inline.type === "emoji" || inline.type === "image") return [];
  if (inline.type === "spoiler") return inline.children.flatMap(carriedInline);
  return ["children" in inline ? { ...inline, children: inline.children.flatMap(carriedInline) } : inline];
}

/** Where spaces collapse, whether a space is one that does not, and what holds nothing else, is beside the point. */
function comparable(tree: RichText): string {
  const shown = toMatrixHtml(tree).replace(/<br>|<\/?p>|(?:&nbsp;|&#9;|\s|\u00a0)+/g, "");
  let [rest, before] = [shown, ""];
  while (rest !== before) [rest, before] = [rest.replace(/<(\w+)[^<>]*><\/\1>/g, ""), rest];
  return rest;
}
