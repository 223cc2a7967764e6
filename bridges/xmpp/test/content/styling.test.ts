import { describe, expect, it } from "@jest/globals";
import {
  normalise,
  parseMatrixHtml,
  parsePlainText,
  toMatrixHtml,
  type Block,
  type Inline,
  type RichText,
} from "@trestle/rich-text";
import fc from "fast-check";
import { anyHtml, anyTree } from "../../../../packages/rich-text/test/arbitrary-tree.js";
import {
  cleanXml,
  looksStyled,
  parseXml,
  readStyling,
  readUnstyled,
  textElement,
  textOf,
  writeStyling,
} from "../../dist/content/index.js";
import { hostileText, stylableTree } from "./arbitrary.js";
import { plain } from "./support.js";

const seed = 20261122;
const read = (body: string): string => toMatrixHtml(readStyling(body));
const write = (html: string) => writeStyling(parseMatrixHtml(html));
const withoutJoiners = (text: string): string => text.replaceAll("\u2060", "");

describe("Message Styling that comes in", () => {
  it.each([
    ["*b* _i_ ~s~ `c`", "<strong>b</strong> <em>i</em> <del>s</del> <code>c</code>"],
    ["*bold _both_*", "<strong>bold <em>both</em></strong>"],
    ["*b*tail", "<strong>b</strong>tail"],
    ["`*verbatim*`", "<code>*verbatim*</code>"],
    ["> quoted\n>> deeper\nanswer", "<blockquote>quoted<blockquote>deeper</blockquote></blockquote><p>answer</p>"],
    ["```ts\nlet *a*;\n```\nafter", '<pre><code class="language-ts">let *a*;\n</code></pre><p>after</p>'],
    ["```no language at all\nx", "<pre><code>no language at all\nx\n</code></pre>"],
    ["> ```\n> code\nafter", "<blockquote><pre><code>code\n</code></pre></blockquote><p>after</p>"],
  ])("%j", (body, html) =>
    expect(read(body).replace(/^<p>(.*)<\/p>$/, (all, inside: string) => (inside.includes("<p>") ? all : inside))).toBe(
      html,
    ),
  );

  it.each(["2*3*4", "*a", "a*", "* a *", "*a\nb*", "snake_case_name", "**", "****", "** not", "a *", "```\n```", "> "])(
    "%j is not styled",
    (body) => expect(plain(readStyling(body)).trim()).toBe(body === "> " ? "" : body.trim()),
  );

  it("keeps every character of what is not styled, whatever it is", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(toMatrixHtml(readUnstyled(text))).toBe(toMatrixHtml(parsePlainText(unmarked(text))));
        const kept = (shown: string): string =>
          cleanXml(shown).replace(/[\s*_~`>\u00a0]|```[A-Za-z0-9_+#.-]*(?=\n)/g, "");
        const lettersOf = (shown: string): string => kept(plain(parsePlainText(unmarked(shown))));
        if (!text.includes("```")) expect(kept(plain(readStyling(text)))).toBe(lettersOf(text));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("takes linear time", () => {
    for (const part of ["*a ", "_", "> ", "*_~`", "```\n", "* *", "`a "]) {
      const text = part.repeat(60_000);
      expect(readStyling(text).blocks.length).toBeGreaterThan(0);
    }
  });
});

describe("Message Styling that goes out", () => {
  it.each([
    ["<b>b</b> <i>i</i> <del>s</del> <code>c</code>", "*b* _i_ ~s~ `c`"],
    ["<b>b <i>both</i></b>", "*b _both_*"],
    ["<b> padded </b>x", " *padded* x".trim()],
    ["<h2>title</h2><p>text</p>", "*title*\n\ntext"],
    ["<blockquote>q</blockquote>a", "> q\na"],
    ["<pre><code class='language-ts'>x\n*y*</code></pre>z", "```ts\nx\n*y*\n```\nz"],
    ["<ul><li>one</li><li><b>two</b></li></ul>", "- one\n- *two*"],
    ["<ol start='3'><li>one</li><li>two</li></ol>", "3. one\n4. two"],
    [
      "<a href='https://example.org/'>here</a> <a href='https://example.org/a_b'>https://example.org/a_b</a>",
      "here (https://example.org/) https://example.org/a_b",
    ],
    ["<b>one<br>two</b>", "*one*\n*two*"],
  ])("%s", (html, body) => expect(write(html)).toMatchObject({ body, unstyled: false }));

  it.each([
    ["in<b>side</b>", "inside"],
    ["<b>2 * 3*4</b>", "2 * 3*4"],
    ["<code>a`b</code>", "a`b"],
    ["<b>a</b><i>b</i>", "*a*b"],
  ])("leaves out the style of %s, which would not be read", (html, body) => expect(write(html).body).toBe(body));

  it("says that nothing is a style in a text without one, and changes none of it", () => {
    expect(writeStyling(parsePlainText("*not* bold"))).toEqual({ body: "*not* bold", mentions: [], unstyled: true });
    expect(writeStyling(parsePlainText("> not quoted"))).toEqual({
      body: "> not quoted",
      mentions: [],
      unstyled: true,
    });
    expect(writeStyling(parsePlainText("~/path and *args"))).toEqual({
      body: "~/path and *args",
      mentions: [],
      unstyled: false,
    });
  });

  it("keeps letters from being a style beside one, and only those that would be", () => {
    expect(write("<b>x</b> *not*").body).toBe("*x* \u2060*not*");
    expect(write("<b>x</b> ~/path").body).toBe("*x* ~/path");
    expect(write("<b>x</b><br>&gt; not quoted").body).toBe("*x*\n\u2060> not quoted");
    expect(write("<b>x</b><br>```<br>not code").body).toBe("*x*\n\u2060```\nnot code");
    expect(write("<pre>a\n```\nb</pre>").body).toBe("```\na\n\u2060```\nb\n```");
  });

  it("is read as the same tree where it can carry it", () => {
    fc.assert(
      fc.property(stylableTree, (tree) => {
        const { body, unstyled } = writeStyling(tree);
        const again = unstyled ? readUnstyled(body) : readStyling(body);
        const shown = (given: RichText): string => withoutJoiners(toMatrixHtml(given));
        expect(shown(again)).toBe(shown(JSON.parse(unmarked(JSON.stringify(tree))) as RichText));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("never styles what was not, and is XML", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyTree,
          anyHtml.map((html) => parseMatrixHtml(html)),
          hostileText.map((text) => parsePlainText(text)),
        ),
        (tree) => {
          const { body, mentions, unstyled } = writeStyling(tree);
          expect(textOf(parseXml(textElement("body", body).toString()))).toBe(body);
          expect(body).not.toMatch(/[\ufdd0-\ufdef]/);
          for (const { start, end } of mentions)
            expect(Array.from(body).slice(start, end).join("").trim()).not.toBe("");
          if (unstyled) return;
          const [given, got] = [stylesOf(normalise(tree)), stylesOf(readStyling(body))];
          for (const [style, text] of got) {
            const sources = given.filter(([kind]) => kind === style).map(([, source]) => bare(source));
            for (const line of text.split("\n"))
              expect([style, line, sources.some((source) => source.includes(bare(line)))]).toEqual([style, line, true]);
          }
        },
      ),
      { seed, numRuns: 4_000 },
    );
  });

  it("does not look styled where it says that it is not", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const { body, unstyled } = writeStyling(parsePlainText(text));
        expect(looksStyled(body)).toBe(unstyled);
        expect(body).toBe(plain(parsePlainText(unmarked(text))));
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

/** Every style in a tree, with all the text in it. */
function stylesOf(tree: RichText): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const inlines = (children: readonly Inline[]): void => {
    for (const child of children) {
      if (child.type === "bold" || child.type === "italic" || child.type === "strike" || child.type === "code")
        found.push([child.type, plain({ blocks: [{ type: "paragraph", children: [child] }] })]);
      if ("children" in child) inlines(child.children);
    }
  };
  const blocks = (given: readonly Block[]): void => {
    for (const block of given) {
      if (block.type === "heading") found.push(["bold", plain({ blocks: [block] })]);
      if (block.type === "codeBlock") found.push(["codeBlock", block.text]);
      if (block.type === "quote") found.push(["quote", plain({ blocks: [block] })]);
      if ("children" in block) inlines(block.children);
      if ("blocks" in block) blocks(block.blocks);
      if ("items" in block) for (const item of block.items) blocks(item.blocks);
    }
  };
  blocks(tree.blocks);
  return found;
}

/** The letters alone: how lines are marked and where they end differs. */
function bare(text: string): string {
  return cleanXml(text).replace(/[\s\u2060>\u00a0\ufdd0-\ufdef\ufffd*_~`-]|\d+\. /g, "");
}

/** Our marks are noncharacters, which nobody's text holds. */
function unmarked(text: string): string {
  return text.replace(/[\ufdd0-\ufdef]/g, "\ufffd");
}
