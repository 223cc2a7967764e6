import { describe, expect, it } from "@jest/globals";
import {
  matrixForm,
  normalise,
  parseMatrixHtml,
  parsePlainText,
  richTextOf,
  toMatrix,
  toMatrixHtml,
  toPlainText,
} from "@trestle/rich-text";
import type { Inline, RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyHtml, anyText, anyTree, copy } from "./arbitrary-tree.js";

const seed = 20260417;

/** The inlines of the only paragraph. */
function line(html: string, options: { everyone?: boolean } = {}): readonly Inline[] {
  const { blocks } = parseMatrixHtml(html, options);
  const [only] = blocks;
  if (blocks.length !== 1 || only?.type !== "paragraph")
    throw new Error(`Not one paragraph: ${JSON.stringify(blocks)}`);
  return only.children;
}

const text = (shown: string): Inline => ({ type: "text", text: shown });
const plain = (html: string): string => toPlainText(parseMatrixHtml(html));

describe("the Matrix HTML codec", () => {
  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(parseMatrixHtml(toMatrixHtml(tree))).toEqual(matrixForm(tree));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("keeps a tree that Matrix can hold as it is", () => {
    fc.assert(
      fc.property(anyHtml, (html) => {
        const tree = parseMatrixHtml(html);
        expect(parseMatrixHtml(toMatrixHtml(tree))).toEqual(tree);
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("normalises to a fixed point", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const normal = normalise(tree);
        expect(normalise(copy(normal))).toEqual(normal);
        const matrix = matrixForm(tree);
        expect(matrixForm(copy(matrix))).toEqual(matrix);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("reads any HTML into a normal tree", () => {
    fc.assert(
      fc.property(anyHtml, fc.boolean(), (html, everyone) => {
        const tree = parseMatrixHtml(html, { everyone });
        expect(normalise(copy(tree))).toEqual(tree);
        expect(() => [toMatrix(tree), toPlainText(tree)]).not.toThrow();
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it("writes only tags and attributes that the specification allows, whatever it read", () => {
    const tag =
      /<(?:\/(?:p|h[1-6]|strong|em|u|del|code|pre|blockquote|ul|ol|li|a|span)|p|h[1-6]|strong|em|u|del|pre|blockquote|ul|li|br|hr|code(?: class="language-[A-Za-z0-9_+#.-]+")?|ol(?: start="-?\d+")?|a href="[a-z]+:[^"<>\s]+"|span(?: data-mx-spoiler(?:="[^"<>]*")?| data-mx-color="#[0-9a-f]{6}"| data-mx-bg-color="#[0-9a-f]{6}")+|img(?: data-mx-emoticon)? src="mxc:\/\/[^"<>\s]+" alt="[^"<>]*"(?: title="[^"<>]*" height="32")?)>/g;
    const allowed = (html: string): void => {
      const bare = html.replace(tag, "");
      expect(bare).not.toMatch(/[<>"']/);
      expect(bare.replace(/&(?:amp|lt|gt|quot|nbsp|#39|#9);/g, "")).not.toContain("&");
    };
    fc.assert(
      fc.property(anyHtml, (html) => allowed(toMatrixHtml(parseMatrixHtml(html)))),
      { seed, numRuns: 3_000 },
    );
    fc.assert(
      fc.property(anyTree, (tree) => allowed(toMatrixHtml(tree))),
      { seed, numRuns: 2_000 },
    );
    fc.assert(
      fc.property(anyText, (shown) => allowed(toMatrixHtml(richTextOf(shown)))),
      { seed, numRuns: 1_000 },
    );
  });
});

describe("reading lines", () => {
  it("reads every style under each of its names", () => {
    expect(line("<b>a</b><strong>b</strong> <i>c</i><em>d</em>")).toEqual([
      { type: "bold", children: [text("ab")] },
      text(" "),
      { type: "italic", children: [text("cd")] },
    ]);
    expect(line("<u>a</u><ins>b</ins>")).toEqual([{ type: "underline", children: [text("ab")] }]);
    expect(line("<del>a</del><s>b</s><strike>c</strike>")).toEqual([{ type: "strike", children: [text("abc")] }]);
    expect(line("x<sup>2</sup><sub>i</sub><small>!</small><x-y>?</x-y>")).toEqual([text("x2i!?")]);
    expect(line("<code>a  <b>b</b> &lt;</code>")).toEqual([{ type: "code", text: "a  b <" }]);
  });

  it("reads colours and spoilers", () => {
    const red = [{ type: "colour", foreground: "#ff0000", children: [text("x")] }];
    for (const html of [
      '<span data-mx-color="#FF0000">x</span>',
      '<font color="red">x</font>',
      '<font data-mx-color="#f00">x</font>',
    ])
      expect(line(html)).toEqual(red);
    expect(line('<font data-mx-bg-color="#00ff00" color="#nothing">x</font>')).toEqual([
      { type: "colour", background: "#00ff00", children: [text("x")] },
    ]);
    expect(line('<font color="url(x)">x</font>')).toEqual([text("x")]);
    expect(line("<span data-mx-spoiler>x</span>")).toEqual([{ type: "spoiler", children: [text("x")] }]);
    expect(line('<span data-mx-spoiler="the end">x</span>')).toEqual([
      { type: "spoiler", reason: "the end", children: [text("x")] },
    ]);
    expect(line("<span data-mx-spoiler>a <span>b</span> c</span> d")).toEqual([
      { type: "spoiler", children: [text("a b c")] },
      text(" d"),
    ]);
  });

  it("reads links of allowed schemes, and the text of others", () => {
    expect(line('<a href="https://example.org/?a=1&amp;b=2">x</a>')).toEqual([
      { type: "link", href: "https://example.org/?a=1&b=2", children: [text("x")] },
    ]);
    for (const href of [
      "javascript:alert(1)",
      " JaVaScRiPt:alert(1)",
      "java\nscript:x",
      "/path",
      "data:text/html,x",
      "vbscript:x",
      "https:",
      "",
    ]) {
      expect(line(`<a href="${href}">x</a>`)).toEqual([text("x")]);
    }
    expect(line('<a href="https://a.b">one<a href="https://c.d">two</a>three</a>')).toEqual([
      { type: "link", href: "https://a.b", children: [text("one")] },
      { type: "link", href: "https://c.d", children: [text("two")] },
      text("three"),
    ]);
  });

  it("reads mentions of users, rooms and events", () => {
    const user = { type: "mention", target: { kind: "matrixUser", userId: "@ann:example.org" }, text: "Ann B" };
    for (const href of [
      "https://matrix.to/#/@ann:example.org",
      "https://matrix.to/#/%40ann%3Aexample.org?via=x",
      "matrix:u/ann:example.org",
      "matrix:u/ann:example.org?action=chat",
    ]) {
      expect(line(`<a href="${href}"><b>Ann</b>\n  B</a>`)).toEqual([user]);
    }
    expect(line('<a href="https://matrix.to/#/#trestle:example.org">x</a>')).toMatchObject([
      { target: { kind: "matrixRoom", roomIdOrAlias: "#trestle:example.org" } },
    ]);
    expect(line('<a href="matrix:r/trestle:example.org">x</a>')).toMatchObject([
      { target: { roomIdOrAlias: "#trestle:example.org" } },
    ]);
    const permalink = {
      kind: "matrixRoom",
      roomIdOrAlias: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM",
      eventId: "$abc",
    };
    for (const href of [
      `https://matrix.to/#/${permalink.roomIdOrAlias}/$abc?via=a&via=b`,
      `matrix:roomid/${permalink.roomIdOrAlias.slice(1)}/e/abc?via=a`,
    ]) {
      expect(line(`<a href="${href}">x</a>`)).toMatchObject([{ target: permalink }]);
    }
    expect(line('<a href="https://matrix.to/#/@ann:example.org"></a>')).toMatchObject([{ text: "@ann:example.org" }]);
    for (const href of [
      "https://matrix.to/#/%E0%A4%A",
      "https://matrix.to/#/ann",
      "https://matrix.to/",
      "https://matrix.to.evil.org/#/@ann:example.org",
      "matrix:x/y",
    ]) {
      expect(line(`<a href="${href}">x</a>`)).toMatchObject([{ type: "link" }]);
    }
  });

  it("takes @room for a mention only when asked to, and only as a word", () => {
    expect(line("hi @room!")).toEqual([text("hi @room!")]);
    expect(line("hi <b>@room</b>, me@room @rooms @room:example.org", { everyone: true })).toEqual([
      text("hi "),
      { type: "bold", children: [{ type: "mention", target: { kind: "everyone" }, text: "@room" }] },
      text(", me@room @rooms @room:example.org"),
    ]);
    expect(parsePlainText("@room\nhi", { everyone: true })).toMatchObject({
      blocks: [{ children: [{ type: "mention" }, { type: "break" }, text("hi")] }],
    });
  });

  it("reads pictures", () => {
    expect(line('<img data-mx-emoticon src="mxc://a/b" alt=":party:" title="x" height="32">')).toEqual([
      { type: "emoji", name: "party", url: "mxc://a/b" },
    ]);
    expect(line('<img src="mxc://a/b" title="A cat">')).toEqual([{ type: "image", src: "mxc://a/b", alt: "A cat" }]);
    expect(line('<img src="https://a/b.png" alt="cat">')).toEqual([
      { type: "link", href: "https://a/b.png", children: [text("cat")] },
    ]);
    expect(line('a<img src="javascript:x" alt="cat"><img src="mxc://../x" onerror="x">')).toEqual([text("acat")]);
  });

  it("collapses white space as HTML does, and keeps what is written not to collapse", () => {
    expect(line("  a \n\t b  <b> c </b> d ")).toEqual([
      text("a b "),
      { type: "bold", children: [text("c ")] },
      text("d"),
    ]);
    expect(line("a <br> b")).toEqual([text("a"), { type: "break" }, text("b")]);
    expect(line("a&nbsp; b &nbsp;c")).toEqual([text("a  b  c")]);
    expect(line("&nbsp;a ?&nbsp;!")).toEqual([text(" a ?\u00a0!")]);
    expect(parseMatrixHtml(" \n <p> </p> <br> ")).toEqual({ blocks: [] });
  });

  it("reads entities, and none that is dangerous", () => {
    expect(line("&lt;b&gt; &amp;amp; &eacute; &#x1F600; &bogus; &")).toEqual([text("<b> &amp; é 😀 &bogus; &")]);
    expect(line("a&#10;b&#0;c&#xD800;d&#x7f;e")).toEqual([text("a b\ufffdc\ufffdde")]);
  });

  it("closes what overlaps where a browser does", () => {
    expect(line("<b>a<i>b</b>c</i>d")).toEqual([
      { type: "bold", children: [text("a"), { type: "italic", children: [text("b")] }] },
      { type: "italic", children: [text("c")] },
      text("d"),
    ]);
    expect(parseMatrixHtml("<b>a<p>b</p></b>c")).toEqual(parseMatrixHtml("<p><b>a</b></p><p><b>b</b></p><p>c</p>"));
  });
});

describe("reading blocks", () => {
  it("drops reply fallbacks, scripts and styles with their content", () => {
    expect(plain("<mx-reply><blockquote>quoted</blockquote></mx-reply>answer")).toBe("answer");
    expect(plain("<mx-reply>a<mx-reply>b</mx-reply>c</mx-reply>d")).toBe("d");
    expect(plain("a<script>b<b></script><style>c</style><title>d</title><svg><text>e</text></svg>f<!-- g -->h")).toBe(
      "afh",
    );
    expect(plain("a<mx-reply/>b")).toBe("ab");
  });

  it("reads headings, quotes, rules and code", () => {
    expect(parseMatrixHtml("<h2>a <b>b</b></h2>c<hr>d")).toEqual({
      blocks: [
        { type: "heading", level: 2, children: [text("a "), { type: "bold", children: [text("b")] }] },
        { type: "paragraph", children: [text("c")] },
        { type: "rule" },
        { type: "paragraph", children: [text("d")] },
      ],
    });
    expect(parseMatrixHtml("<blockquote>a<blockquote><p>b</p></blockquote></blockquote>")).toEqual({
      blocks: [
        {
          type: "quote",
          blocks: [
            { type: "paragraph", children: [text("a")] },
            { type: "quote", blocks: [{ type: "paragraph", children: [text("b")] }] },
          ],
        },
      ],
    });
    expect(parseMatrixHtml('<pre><code class="x language-c++">\n  a &lt;\n<br>b\n\n</code></pre>')).toEqual({
      blocks: [{ type: "codeBlock", text: "\n  a <\n\nb", language: "c++" }],
    });
    expect(parseMatrixHtml('<pre>\na\n</pre><pre><code class="language-<x>">b</code></pre>')).toEqual({
      blocks: [
        { type: "codeBlock", text: "a" },
        { type: "codeBlock", text: "b" },
      ],
    });
  });

  it("reads lists, nested in either way and without end tags", () => {
    expect(plain("<ol start=3><li>a<li>b<ul><li>c</li></ul></ol>d")).toBe("3. a\n4. b\n   - c\n\nd");
    expect(plain("<ul><li>a</li><ul><li>b</li></ul><li>c</li></ul>")).toBe("- a\n  - b\n- c");
    expect(plain("<ul><li><p>a</p><p>b</p></li></ul>")).toBe("- a\n  b");
    expect(plain('<ol start="x"><li>a</ol>')).toBe("1. a");
    expect(plain("<li>stray</li>text")).toBe("stray\n\ntext");
    expect(parseMatrixHtml("<ol><li></li><li>b</li></ol>")).toMatchObject({
      blocks: [{ items: [{ blocks: [] }, {}] }],
    });
  });

  it("makes tables and details readable", () => {
    const table =
      "<table><caption>Prices</caption><thead><tr><th>Tea<th>Cake</tr></thead><tbody><tr><td>1 <b>€</b></td><td><p>2</p><p>3</p></td></tr></tbody></table>";
    expect(plain(table)).toBe("Prices\n**Tea** | **Cake**\n1 **€** | 2 3");
    expect(plain("before<table><tr><td>a<ul><li>b<li>c</ul><td><table><tr><td>d</table></table>after")).toBe(
      "before\n\na b c | | d\n\nafter",
    );
    expect(plain("<details><summary>More</summary>hidden <i>text</i></details>")).toBe("**More**\n\nhidden _text_");
  });
});

describe("writing", () => {
  it("writes HTML only where plain text would lose something", () => {
    expect(toMatrix(richTextOf("a <b>\n\n  c"))).toEqual({ body: "a <b>\n\n  c" });
    expect(toMatrix({ blocks: [...richTextOf("a").blocks, ...richTextOf("b").blocks] })).toEqual({ body: "a\n\nb" });
    const link: RichText = {
      blocks: [
        { type: "paragraph", children: [{ type: "link", href: "https://a.b", children: [text("https://a.b")] }] },
      ],
    };
    expect(toMatrix(link)).toEqual({ body: "https://a.b" });
    expect(toMatrix(parseMatrixHtml("a <i>&lt;x&gt;</i><br>b"))).toEqual({
      body: "a _<x>_\nb",
      formattedBody: "a <em>&lt;x&gt;</em><br>b",
    });
  });

  it("keeps spaces that HTML would collapse", () => {
    const spaced: RichText = {
      blocks: [{ type: "paragraph", children: [{ type: "bold", children: [text("  a  b")] }, text(" c\td ")] }],
    };
    expect(toMatrixHtml(spaced)).toBe("<strong>&nbsp;&nbsp;a&nbsp;&nbsp;b</strong> c&#9;d&nbsp;");
  });

  it("writes what Matrix has no element for as text or links", () => {
    const tree: RichText = {
      blocks: [
        {
          type: "paragraph",
          children: [
            { type: "mention", target: { kind: "remoteUser", id: "U1" }, text: "ann" },
            { type: "mention", target: { kind: "everyone" }, text: "all" },
            { type: "emoji", name: "party", url: "https://a/b.png" },
            { type: "image", src: "https://a/b.png", alt: "" },
          ],
        },
      ],
    };
    expect(toMatrixHtml(tree)).toBe('ann@room:party:<a href="https://a/b.png">https://a/b.png</a>');
  });

  it("escapes what a mention or a picture is called", () => {
    const name = '"><script>&';
    const tree: RichText = {
      blocks: [
        {
          type: "paragraph",
          children: [
            { type: "mention", target: { kind: "matrixUser", userId: '@"><b>:example.org' }, text: name },
            { type: "image", src: "mxc://a/b", alt: name },
          ],
        },
      ],
    };
    expect(toMatrixHtml(tree)).toBe(
      '<a href="https://matrix.to/#/@%22%3E%3Cb%3E:example.org">&quot;&gt;&lt;script&gt;&amp;</a><img src="mxc://a/b" alt="&quot;&gt;&lt;script&gt;&amp;">',
    );
  });
});
