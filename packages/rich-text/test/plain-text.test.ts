import { describe, expect, it } from "@jest/globals";
import {
  isEmpty,
  mapMentions,
  mentionsOf,
  parseMatrixHtml,
  richTextOf,
  toMatrixHtml,
  toPlainText,
} from "@trestle/rich-text";
import type { RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyText, anyTree } from "./arbitrary-tree.js";

const plain = (html: string, options?: Parameters<typeof toPlainText>[1]): string =>
  toPlainText(parseMatrixHtml(html), options);

describe("toPlainText", () => {
  it("writes the marks that people type", () => {
    expect(plain("<b>a</b> <i>b</i> <del>c</del> <u>d</u> <code>e</code>")).toBe("**a** _b_ ~~c~~ d `e`");
    expect(plain('<span data-mx-spoiler>x</span> <span data-mx-spoiler="why">y</span>')).toBe("||x|| ||(why) y||");
    expect(
      plain('<a href="https://a.b">text</a> <a href="https://a.b">https://a.b</a> <a href="mailto:a@b.c">a@b.c</a>'),
    ).toBe("[text](https://a.b) https://a.b a@b.c");
    expect(plain("<code>a`b</code> <code>`</code> <pre>```</pre>")).toBe("``a`b`` `` ` ``\n\n````\n```\n````");
    expect(plain('<h2>Title</h2><hr><pre><code class="language-ts">x\n</code></pre>')).toBe(
      "## Title\n\n---\n\n```ts\nx\n```",
    );
    expect(
      plain(
        '<img data-mx-emoticon src="mxc://a/b" alt=":party:"> <img src="mxc://a/b" alt="cat"> <img src="mxc://a/b">',
      ),
    ).toBe(":party: cat image");
  });

  it("leaves the marks out where they are not wanted", () => {
    const marks = { marks: "none" } as const;
    expect(plain("<b>a</b> <i>b</i> <code>`c`</code> <del>d</del> <span data-mx-spoiler>e</span>", marks)).toBe(
      "a b `c` d e",
    );
    expect(plain('<h1>T</h1><a href="https://a.b">text</a><pre>x</pre>', marks)).toBe("T\n\ntext (https://a.b)\n\nx");
  });

  it("prefixes every line of quotes and items", () => {
    expect(plain("<blockquote>a<br>b<p>c</p><blockquote>d</blockquote></blockquote>e")).toBe(
      "> a\n> b\n>\n> c\n>\n> > d\n\ne",
    );
    expect(plain("<ol start=9><li>a</li><li>b<br>c<ul><li>d</li></ul></li></ol>")).toBe("9. a\n10. b\n    c\n    - d");
  });

  it("writes mentions as asked", () => {
    const html = '<a href="https://matrix.to/#/@ann:example.org">Ann</a> hi';
    expect(plain(html)).toBe("Ann hi");
    expect(plain(html, { mention: ({ target }) => (target.kind === "matrixUser" ? target.userId : "") })).toBe(
      "@ann:example.org hi",
    );
  });

  it("gives plain text back as it was, but for what is not text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = toPlainText(richTextOf(text));
        expect(shown).not.toMatch(/[^\t\n\P{Cc}]|\p{Surrogate}/u);
        if (/^[\x21-\x7e]([\x20-\x7e\n]*[\x21-\x7e])?$/.test(text)) expect(shown).toBe(text);
      }),
      { seed: 20260417, numRuns: 2_000 },
    );
    expect(toPlainText(richTextOf("  a\r\n\tb  c\r"))).toBe("  a\n\tb  c");
  });
});

describe("mentions", () => {
  const tree = parseMatrixHtml(
    '<b><a href="matrix:u/ann:a.b">Ann</a></b> and <a href="matrix:u/bob:a.b">Bob</a><ul><li><a href="matrix:r/x:a.b">x</a></li></ul>',
  );

  it("lists them in order", () => {
    expect(mentionsOf(tree)).toEqual([
      { kind: "matrixUser", userId: "@ann:a.b" },
      { kind: "matrixUser", userId: "@bob:a.b" },
      { kind: "matrixRoom", roomIdOrAlias: "#x:a.b" },
    ]);
  });

  it("replaces them by other mentions, by anything else, or by nothing", () => {
    const mapped = mapMentions(tree, (mention) => {
      if (mention.target.kind === "matrixRoom") return undefined;
      if (mention.text === "Ann") return { ...mention, target: { kind: "remoteUser", id: "U1" } };
      return { type: "link", href: "https://bob.example", children: [mention, { type: "text", text: "!" }] };
    });
    expect(mapped).toEqual({
      blocks: [
        {
          type: "paragraph",
          children: [
            { type: "bold", children: [{ type: "mention", target: { kind: "remoteUser", id: "U1" }, text: "Ann" }] },
            { type: "text", text: " and " },
            { type: "mention", target: { kind: "matrixUser", userId: "@bob:a.b" }, text: "Bob" },
            { type: "link", href: "https://bob.example", children: [{ type: "text", text: "!" }] },
          ],
        },
        { type: "list", ordered: false, items: [{ blocks: [] }] },
      ],
    });
  });

  it("leaves everything else as it is", () => {
    fc.assert(
      fc.property(anyTree, (any) => {
        expect(toMatrixHtml(mapMentions(any, (mention) => mention))).toBe(toMatrixHtml(any));
      }),
      { seed: 20260417, numRuns: 1_000 },
    );
  });
});

describe("isEmpty", () => {
  it("tells whether there is anything to see", () => {
    const empty: RichText = {
      blocks: [
        {
          type: "quote",
          blocks: [
            {
              type: "paragraph",
              children: [
                { type: "bold", children: [{ type: "break" }] },
                { type: "text", text: "\0" },
              ],
            },
          ],
        },
      ],
    };
    expect(isEmpty(empty)).toBe(true);
    expect(isEmpty({ blocks: [{ type: "rule" }] })).toBe(false);
    expect(isEmpty(richTextOf("x"))).toBe(false);
  });
});
