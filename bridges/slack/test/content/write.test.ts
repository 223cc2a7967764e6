import { describe, expect, it } from "@jest/globals";
import { parseMatrixHtml, parsePlainText, type MentionTarget } from "@trestle/rich-text";
import { planEdit, slackUsername, writeText, type SlackMention, type WriteOptions } from "../../dist/content/index.js";

const permalink = "https://acme.slack.com/archives/C1/p1700000000000100";
const resolved: WriteOptions = {
  mention: (target: MentionTarget): SlackMention | undefined => {
    switch (target.kind) {
      case "remoteUser":
        return { kind: "user", id: target.id };
      case "matrixUser":
        return target.userId === "@ann:example.org" ? { kind: "user", id: "U1" } : undefined;
      case "matrixRoom":
        if (target.eventId === "$known") return { kind: "link", url: permalink };
        return target.roomIdOrAlias === "#general:example.org" && target.eventId === undefined
          ? { kind: "channel", id: "C1" }
          : undefined;
      default:
        return undefined;
    }
  },
  hasEmoji: (name) => name === "partyparrot",
};

const written = (html: string, options: WriteOptions = {}) =>
  writeText(parseMatrixHtml(html), { ...resolved, ...options });

/** The elements of the only block. */
function rich(html: string, options: WriteOptions = {}): readonly unknown[] {
  const [message, ...more] = written(html, options);
  const [block, ...others] = message?.blocks ?? [];
  if (more.length > 0 || others.length > 0 || block?.type !== "rich_text")
    throw new Error(`Not one block: ${JSON.stringify(message)}`);
  return block.elements;
}

/** The elements of the only section. */
function line(html: string, options: WriteOptions = {}): unknown {
  const [section, ...more] = rich(html, options) as { type: string; elements: unknown }[];
  if (more.length > 0 || section?.type !== "rich_text_section") throw new Error("Not one section");
  return section.elements;
}

const text = (shown: string, ...styles: readonly string[]) => ({
  type: "text",
  text: shown,
  ...(styles.length === 0 ? {} : { style: Object.fromEntries(styles.map((style) => [style, true])) }),
});
const section = (shown: string) => ({ type: "rich_text_section", elements: [text(shown)] });

describe("lines for Slack", () => {
  it("have every style under each of its names, one in the other", () => {
    expect(line("<b>a</b><i>b</i><u>c</u><del>d</del><code>e</code>")).toEqual([
      text("a", "bold"),
      text("b", "italic"),
      text("c", "underline"),
      text("d", "strike"),
      text("e", "code"),
    ]);
    expect(line("<strong>a<em>b</em></strong><s>c</s>")).toEqual([
      text("a", "bold"),
      text("b", "bold", "italic"),
      text("c", "strike"),
    ]);
    expect(line('<font color="red">a</font><span data-mx-color="#00ff00">b</span>')).toEqual([text("ab")]);
  });

  it("link what was linked, and every URL that was written", () => {
    expect(line('<a href="https://example.org">x <b>y</b></a>')).toEqual([
      { type: "link", url: "https://example.org", text: "x " },
      { type: "link", url: "https://example.org", text: "y", style: { bold: true } },
    ]);
    expect(line("see https://example.org/a_(b)?c=d&amp;e, or (http://x.y/z).")).toEqual([
      text("see "),
      { type: "link", url: "https://example.org/a_(b)?c=d&e" },
      text(", or ("),
      { type: "link", url: "http://x.y/z" },
      text(")."),
    ]);
    expect(line("<code>https://example.org</code>")).toEqual([text("https://example.org", "code")]);
    expect(line('<a href="javascript:alert(1)">x</a>')).toEqual([text("x")]);
    expect(line("https:// xhttps://y.z")).toEqual([text("https:// xhttps://y.z")]);
  });

  it("have no link that Slack might refuse the message for", () => {
    for (const url of ["xmpp:a@example.org", "magnet:?xt=x", "https://[", `https://example.org/${"x".repeat(4_000)}`]) {
      const elements = line(`<a href="${url}">x</a>`) as { type: string; text: string }[];
      expect(new Set(elements.map(({ type }) => type))).toEqual(new Set(["text"]));
      expect(elements.map((element) => element.text).join("")).toBe(`x (${url})`);
    }
    expect(line('<a href="xmpp:a@example.org">x</a>')).toEqual([text("x (xmpp:a@example.org)")]);
    const long = line(`<a href="https://example.org">${"x".repeat(7_000)}</a>`) as { type: string; text: string }[];
    expect(long.map(({ type, text: shown }) => [type, shown.length])).toEqual([
      ["link", 3_000],
      ["link", 3_000],
      ["link", 1_000],
    ]);
    expect(line("https://[ and https://x.y:99999")).toEqual([text("https://[ and https://x.y:99999")]);
  });

  it("mention people and channels whom the workspace has", () => {
    expect(
      line(
        '<a href="https://matrix.to/#/@ann:example.org">Ann</a>, <a href="https://matrix.to/#/#general:example.org">general</a>',
      ),
    ).toEqual([{ type: "user", user_id: "U1" }, text(", "), { type: "channel", channel_id: "C1" }]);
    expect(written('<a href="https://matrix.to/#/@ann:example.org">Ann</a>')[0]?.text).toBe("<@U1>");
  });

  it("name people whom it has not, and link rooms in Matrix", () => {
    expect(line('<a href="https://matrix.to/#/@bob:example.org">Bob</a>')).toEqual([text("Bob")]);
    expect(line('<a href="https://matrix.to/#/#other:example.org">other</a>')).toEqual([
      { type: "link", url: "https://matrix.to/#/%23other:example.org", text: "other" },
    ]);
  });

  it("link to the message in Slack, not to the one in Matrix", () => {
    const event = "https://matrix.to/#/!r:example.org/$known";
    expect(line(`<a href="${event}">this</a>`)).toEqual([{ type: "link", url: permalink, text: "this" }]);
    expect(line(`<a href="${event}">${event}</a>`)).toEqual([{ type: "link", url: permalink }]);
    expect(line(event)).toEqual([{ type: "link", url: permalink }]);
    expect(line(event.replace("known", "unknown"))).toEqual([{ type: "link", url: event.replace("known", "unknown") }]);
  });

  it("never put anything but an id into a mention", () => {
    const mention = (): SlackMention => ({ kind: "user", id: "U1> <!channel" });
    const html = '<a href="https://matrix.to/#/@ann:example.org">Ann</a>';
    expect(line(html, { mention })).toEqual([text("Ann")]);
    expect(written(html, { mention })[0]?.text).toBe("Ann");
  });

  it("have custom emoji that the workspace knows, and the names of others", () => {
    const img = (name: string) => `<img data-mx-emoticon src="mxc://example.org/x" alt=":${name}:">`;
    expect(line(`a ${img("partyparrot")} ${img("other")}`)).toEqual([
      text("a "),
      { type: "emoji", name: "partyparrot" },
      text(" :other:"),
    ]);
  });

  it("say what was hidden or a picture", () => {
    expect(line("<span data-mx-spoiler>x</span> <span data-mx-spoiler='why'>y</span>")).toEqual([
      text("[spoiler] x [spoiler: why] y"),
    ]);
    expect(line('<img src="mxc://example.org/cat" alt="a cat">')).toEqual([text("a cat")]);
    expect(line("<span data-mx-maths='x^2'><code>x^2</code></span>")).toEqual([text("x^2", "code")]);
  });
});

describe("blocks for Slack", () => {
  it("have a bold line for a heading, and an empty line between paragraphs", () => {
    expect(line("<h1>T</h1><p>a<br>b</p><p>c</p>")).toEqual([text("T", "bold"), text("\n\na\nb\n\nc")]);
  });

  it("have a divider for a line across", () => {
    expect(written("a<hr>b")[0]?.blocks.map(({ type }) => type)).toEqual(["rich_text", "divider", "rich_text"]);
    expect(written("<hr>")[0]).toEqual({ text: "---", blocks: [{ type: "divider" }] });
  });

  it("have code as it is, without the language, for which Slack might refuse the message", () => {
    expect(rich('<pre><code class="language-ts">a &lt; b\n  c\n</code></pre>')).toEqual([
      { type: "rich_text_preformatted", elements: [text("a < b\n  c")] },
    ]);
  });

  it("have quotes, one in the other, with lists and code in them", () => {
    expect(rich("<blockquote>a<blockquote>b</blockquote><ul><li>c</li></ul><pre>d</pre></blockquote>e")).toEqual([
      { type: "rich_text_quote", elements: [text("a")] },
      { type: "rich_text_quote", elements: [text("b")], border: 1 },
      { type: "rich_text_list", style: "bullet", indent: 0, border: 1, elements: [section("c")] },
      { type: "rich_text_preformatted", elements: [text("d")], border: 1 },
      section("e"),
    ]);
  });

  it("have lists in lists, that go on counting", () => {
    const list = (style: string, indent: number, items: readonly string[], offset?: number) => ({
      type: "rich_text_list",
      style,
      indent,
      ...(offset === undefined ? {} : { offset }),
      elements: items.map(section),
    });
    expect(rich("<ol start=3><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ol>")).toEqual([
      list("ordered", 0, ["a", "b"], 2),
      list("bullet", 1, ["c"]),
      list("ordered", 0, ["d"], 4),
    ]);
    expect(rich("<ul><li>a<pre>x</pre></li><li>b</li></ul>")).toEqual([
      list("bullet", 0, ["a"]),
      { type: "rich_text_preformatted", elements: [text("x")] },
      list("bullet", 0, ["b"]),
    ]);
  });

  it("nest lists no deeper than Slack does", () => {
    const deep = "<ul><li>x".repeat(12);
    expect(Math.max(...rich(deep).map((list) => (list as { indent: number }).indent))).toBe(8);
  });

  it("keep tables readable, and what was folded away", () => {
    expect(line("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>")).toEqual([
      text("A", "bold"),
      text(" | "),
      text("B", "bold"),
      text("\n1 | 2"),
    ]);
    expect(line("<details><summary>S</summary>x</details>")).toEqual([text("S", "bold"), text("\n\nx")]);
  });

  it("have no quotation of what is replied to", () => {
    expect(line("<mx-reply><blockquote>old</blockquote></mx-reply>new")).toEqual([text("new")]);
  });

  it("take a plain body as it is", () => {
    expect(writeText(parsePlainText("*not* _styled_ `code`\n> q :wave: https://x.y"))[0]?.blocks).toEqual([
      {
        type: "rich_text",
        elements: [
          {
            type: "rich_text_section",
            elements: [text("*not* _styled_ `code`\n> q :wave: "), { type: "link", url: "https://x.y" }],
          },
        ],
      },
    ]);
  });

  it("are in italics for an action", () => {
    expect(line("waves <b>hard</b>", { style: "emote" })).toEqual([
      text("waves ", "italic"),
      text("hard", "bold", "italic"),
    ]);
  });

  it("are none for nothing", () => {
    expect(written("")).toEqual([]);
    expect(written("<p> </p>")).toEqual([]);
  });
});

describe("what somebody typed", () => {
  const attacks = [
    "<!channel>",
    "<!here>",
    "<!everyone|x>",
    "<@U1>",
    "<#C1>",
    "<!subteam^S1|@ops>",
    "<http://evil.example|https://good.example>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "<\u200b!channel>",
    "<!\u2060channel>",
    "<!chan\u00adnel>",
    "@channel @here @everyone @room",
    "<!date^0^{date}^http://evil.example|x>",
    "`<!channel>` ```<!channel>```",
    "> <!channel>",
    ":wave: *b*",
  ];

  it.each(attacks)("%j is text, in the blocks and beside them", (attack) => {
    for (const tree of [
      parsePlainText(attack),
      parseMatrixHtml(`<p>${escaped(attack)}</p>`),
      parseMatrixHtml(`<code>${escaped(attack)}</code>`),
      parseMatrixHtml(`<pre>${escaped(attack)}</pre>`),
      parseMatrixHtml(`<a href="https://ok.example">${escaped(attack)}</a>`),
      parseMatrixHtml(`<span data-mx-spoiler="${escaped(attack)}">x</span>`),
      parseMatrixHtml(`<img src="mxc://a/b" alt="${escaped(attack)}">`),
      parseMatrixHtml(`<img data-mx-emoticon src="mxc://a/b" alt="${escaped(attack)}">`),
      parseMatrixHtml(`<a href="https://matrix.to/#/@bob:example.org">${escaped(attack)}</a>`),
    ]) {
      for (const { text: fallback, blocks } of writeText(tree, resolved)) {
        expect(fallback).not.toMatch(/<[!@#a-z]/i);
        expect(fallback.replace(/&(?:amp|lt|gt);/g, "")).not.toMatch(/[<&]/);
        const types = JSON.stringify(blocks).match(/"type":"[a-z_]+"/g) ?? [];
        for (const type of types)
          expect(["text", "link", "rich_text", "rich_text_section", "rich_text_preformatted"]).toContain(
            type.slice(8, -1),
          );
      }
    }
  });

  it("is the whole text of the block, not cut at a mark", () => {
    expect(line(escaped("a <!channel> b <@U1|x> c"))).toEqual([text("a <!channel> b <@U1|x> c")]);
  });

  it("links honestly: nobody can show one URL and link to another with marks alone", () => {
    expect(line(escaped("<http://evil.example|https://good.example>"))).toEqual([
      text("<"),
      { type: "link", url: "http://evil.example" },
      text("|"),
      { type: "link", url: "https://good.example" },
      text(">"),
    ]);
  });

  it("mentions everyone only where the caller says so", () => {
    const tree = parseMatrixHtml("hi @room", { everyone: true });
    const [silent] = writeText(tree);
    expect(silent).toMatchObject({ text: "hi @room" });
    expect(JSON.stringify(silent)).not.toContain("broadcast");
    expect(writeText(tree, { everyone: "channel" })).toEqual([
      {
        text: "hi <!channel>",
        blocks: [
          {
            type: "rich_text",
            elements: [{ type: "rich_text_section", elements: [text("hi "), { type: "broadcast", range: "channel" }] }],
          },
        ],
      },
    ]);
    expect(JSON.stringify(writeText(parseMatrixHtml("hi @room"), { everyone: "here" }))).not.toContain("broadcast");
  });

  function escaped(shown: string): string {
    return shown.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  }
});

describe("long texts", () => {
  const letters = (message: unknown): string =>
    [...JSON.stringify(message).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)].map(([, found]) => found).join("");

  it("are cut into elements that together are the text", () => {
    const long = "👨‍👩‍👧".repeat(2_000);
    const elements = line(`<p>${long}</p>`) as { text: string }[];
    expect(elements.map((element) => element.text).join("")).toBe(long);
    for (const { text: part } of elements) {
      expect(part.length).toBeLessThanOrEqual(3_000);
      expect(part.length % "👨‍👩‍👧".length).toBe(0);
    }
  });

  it("are several messages where one is not enough, none longer than Slack takes", () => {
    for (const piece of ["word ", "&amp;", "<b>x</b>y", "<li>item", "👨‍👩‍👧"]) {
      const messages = written(piece.repeat(Math.floor(60_000 / piece.length)));
      for (const { text: fallback, blocks } of messages) {
        expect(fallback.length).toBeLessThanOrEqual(40_000);
        expect(fallback.length).toBeGreaterThan(0);
        expect(blocks.length).toBeLessThanOrEqual(50);
      }
    }
    const words = Array.from({ length: 20_000 }, (_, index) => `w${index}`).join(" ");
    const messages = written(words);
    expect(messages.length).toBeGreaterThan(1);
    expect(messages.map(({ blocks }) => letters(blocks)).join(" ")).toBe(words);
  });

  it("have at most as many blocks as Slack takes", () => {
    const messages = written("x<hr>".repeat(200));
    expect(Math.max(...messages.map(({ blocks }) => blocks.length))).toBeLessThanOrEqual(50);
    expect(messages.flatMap(({ blocks }) => blocks).filter(({ type }) => type === "divider")).toHaveLength(200);
  });

  it("keep code and lists in each part", () => {
    const code = Array.from({ length: 9_000 }, (_, index) => `line ${index}`).join("\n");
    const messages = written(`<pre>${code}</pre>`);
    expect(messages.length).toBeGreaterThan(1);
    for (const { blocks } of messages) {
      expect(blocks).toMatchObject([{ elements: [{ type: "rich_text_preformatted" }] }]);
    }
  });
});

describe("edits", () => {
  const part = (shown: string) => ({ text: shown, blocks: [] });

  it("put part for part in the place of what was there", () => {
    expect(planEdit(["1", "2"], [part("a"), part("b")])).toEqual({
      update: [
        { ts: "1", message: part("a") },
        { ts: "2", message: part("b") },
      ],
      post: [],
      remove: [],
    });
  });

  it("post what is more, and delete what is left over", () => {
    expect(planEdit(["1"], [part("a"), part("b")])).toMatchObject({
      update: [{ ts: "1" }],
      post: [part("b")],
      remove: [],
    });
    expect(planEdit(["1", "2", "3"], [part("a")])).toMatchObject({
      update: [{ ts: "1" }],
      post: [],
      remove: ["2", "3"],
    });
  });

  it("have the structure of a new message, so that links and lists survive them", () => {
    const html = '<ul><li><a href="https://example.org">x</a></li></ul>';
    expect(written(html)).toEqual(written(html));
    expect(rich(html)).toMatchObject([{ type: "rich_text_list", elements: [{ elements: [{ type: "link" }] }] }]);
  });
});

describe("names of senders", () => {
  it.each([
    ["Ann", "Ann"],
    ["  Ann \n\t Lee ", "Ann Lee"],
    ["<!channel>", "‹!channel›"],
    ["<@U1|x>", "‹@U1|x›"],
    ["&lt;!channel&gt;", "＆lt;!channel＆gt;"],
    ["A & B", "A & B"],
    ["<\u200b!chan\u200dnel\u2060>", "‹!channel›"],
    ["An\u202enA", "AnnA"],
    ["A\u00adn\u034fn\ufeff\u{e0041}", "Ann"],
    ["👨‍👩‍👧 Ann ❤️ 🏳️‍🌈", "👨‍👩‍👧 Ann ❤️ 🏳️‍🌈"],
    ["ᄒ\u1160\u3164한", "ᄒ한"],
    ["\ud800Ann", "\ufffdAnn"],
    ["", "@ann:example.org"],
    ["\u200b\u2060", "@ann:example.org"],
  ])("%j are %j", (name, shown) => {
    expect(slackUsername(name, "@ann:example.org")).toBe(shown);
  });

  it("are at most 80 characters, with whole emoji, and never empty", () => {
    expect(slackUsername("x".repeat(200), "y")).toHaveLength(80);
    const families = slackUsername("👨‍👩‍👧".repeat(40), "y");
    expect(families).toBe("👨‍👩‍👧".repeat(10));
    expect(slackUsername("", "")).toBe("Matrix user");
  });
});
