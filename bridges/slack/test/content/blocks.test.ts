import { describe, expect, it } from "@jest/globals";
import { toPlainText } from "@trestle/rich-text";
import { blocks, read, section } from "./support.js";

const text = (shown: string, style?: Readonly<Record<string, boolean>>) => ({
  type: "text",
  text: shown,
  ...(style === undefined ? {} : { style }),
});
const item = (shown: string) => ({ type: "rich_text_section", elements: [text(shown)] });
const rich = (...elements: readonly unknown[]): string => blocks({ type: "rich_text", elements });
const list = (shown: readonly string[], more: Readonly<Record<string, unknown>> = {}) => ({
  type: "rich_text_list",
  style: "bullet",
  indent: 0,
  elements: shown.map(item),
  ...more,
});
const quote = (shown: string, more = {}) => ({ type: "rich_text_quote", elements: [text(shown)], ...more });
const plain = (shown: string) => ({ type: "plain_text", text: shown });
const mrkdwn = (shown: string) => ({ type: "mrkdwn", text: shown });

describe("rich text sections", () => {
  it("take texts as they are: nothing in them is an escape or a mark", () => {
    expect(section(text("*x* &lt; <@U1> <!channel> :wave:\n2"))).toBe(
      "*x* &amp;lt; &lt;@U1&gt; &lt;!channel&gt; :wave:<br>2",
    );
  });

  it("have every style, and ignore those that Matrix has not", () => {
    expect(
      section(
        text("a", { bold: true }),
        text("b", { italic: true }),
        text("c", { strike: true }),
        text("d", { underline: true }),
        text("e", { code: true }),
        text("f", { bold: true, italic: true, code: true }),
        text("g", { highlight: true, client_highlight: true, unlink: true }),
      ),
    ).toBe("<strong>a</strong><em>b</em><del>c</del><u>d</u><code>e</code><strong><em><code>f</code></em></strong>g");
  });

  it.each([
    ["a link", { type: "link", url: "https://example.org", text: "x" }, '<a href="https://example.org">x</a>'],
    [
      "a bare link",
      { type: "link", url: "https://example.org", unsafe: true },
      '<a href="https://example.org">https://example.org</a>',
    ],
    [
      "a link that is bold",
      { type: "link", url: "https://example.org", text: "x", style: { bold: true } },
      '<a href="https://example.org"><strong>x</strong></a>',
    ],
    [
      "a link that is code",
      { type: "link", url: "https://example.org", text: "x", style: { code: true } },
      '<a href="https://example.org"><code>x</code></a>',
    ],
    ["a forbidden link", { type: "link", url: "javascript:alert(1)", text: "x" }, "x (javascript:alert(1))"],
    ["a user", { type: "user", user_id: "U1" }, '<a href="https://matrix.to/#/@_slack_ann:example.org">Ann</a>'],
    ["a user group", { type: "usergroup", usergroup_id: "S1" }, "@admins"],
    [
      "a channel",
      { type: "channel", channel_id: "C1" },
      '<a href="https://matrix.to/#/%23general:example.org">#general</a>',
    ],
    ["a workspace", { type: "team", team_id: "T1" }, "@Acme"],
    ["a broadcast", { type: "broadcast", range: "channel" }, "@room"],
    ["a broadcast that is new", { type: "broadcast", range: "planet" }, "@planet"],
    ["an emoji", { type: "emoji", name: "wave", unicode: "1f44b" }, "👋"],
    ["an emoji in a skin tone", { type: "emoji", name: "wave", unicode: "1f44b-1f3fd", skin_tone: 4 }, "👋🏽"],
    ["an emoji of two tones", { type: "emoji", name: "handshake::skin-tone-2-3" }, "🫱🏻‍🫲🏼"],
    ["an emoji known by its code alone", { type: "emoji", name: "brand_new_smile", unicode: "1f600" }, "😀"],
    ["an emoji with a senseless code", { type: "emoji", name: "odd", unicode: "110000-zz" }, ":odd:"],
    ["letters in place of a code", { type: "emoji", name: "odd", unicode: "0041" }, ":odd:"],
    [
      "a custom emoji",
      { type: "emoji", name: "partyparrot" },
      '<img data-mx-emoticon src="mxc://example.org/parrot" alt=":partyparrot:" title=":partyparrot:" height="32">',
    ],
    ["a colour", { type: "color", value: "#ff0000" }, "#ff0000"],
    ["a date", { type: "date", timestamp: 1700000000, format: "{date_num}", fallback: "x" }, "2023-11-14"],
    [
      "a date with a link",
      { type: "date", timestamp: 1700000000, format: "{date_num}", url: "https://example.org" },
      '<a href="https://example.org">2023-11-14</a>',
    ],
    ["a date that is none", { type: "date", timestamp: 1e300, format: "{date_num}", fallback: "some day" }, "some day"],
    [
      "a message",
      { type: "message", channel_id: "C1", message_ts: "1700000000.000100" },
      '<a href="https://matrix.to/#/!general:example.org/$event">https://app.slack.com/archives/C1/p1700000000000100</a>',
    ],
    ["an unknown element", { type: "hologram", text: "seen" }, "seen"],
    [
      "an unknown link",
      { type: "hologram", url: "https://example.org", text: "seen" },
      '<a href="https://example.org">seen</a>',
    ],
  ])("show %s", (_what, element, html) => {
    expect(section(text("x "), element)).toBe(`x ${html}`);
  });

  it("mention nobody through letters", () => {
    const message = {
      blocks: [
        { type: "rich_text", elements: [{ type: "rich_text_section", elements: [text("@room <!here> <@U1>")] }] },
      ],
    };
    expect(read(message)).toMatchObject({ mentions: [], mentionsEveryone: false });
  });
});

describe("rich text code and quotes", () => {
  it("keep code as it is, with its language and its links", () => {
    expect(
      rich({
        type: "rich_text_preformatted",
        language: "ts",
        elements: [text("a < b\n  "), { type: "link", url: "https://example.org" }, text("\n")],
      }),
    ).toBe('<pre><code class="language-ts">a &lt; b\n  https://example.org\n</code></pre>');
  });

  it("nest by their border", () => {
    expect(rich(quote("a"), quote("b", { border: 1 }))).toBe("<blockquote>a<blockquote>b</blockquote></blockquote>");
    expect(rich(quote("a"), quote("b"))).toBe("<blockquote>a</blockquote><blockquote>b</blockquote>");
    expect(
      rich(quote("a"), list(["x"], { border: 1 }), {
        type: "rich_text_preformatted",
        border: 1,
        elements: [text("y")],
      }),
    ).toBe("<blockquote>a<ul><li>x</li></ul><pre><code>y\n</code></pre></blockquote>");
  });
});

describe("rich text lists", () => {
  it("make one tree of the row of lists", () => {
    expect(rich(list(["a", "b"]), list(["c"], { indent: 1 }), list(["d"], { indent: 2 }), list(["e"]))).toBe(
      "<ul><li>a</li><li>b<ul><li>c<ul><li>d</li></ul></li></ul></li><li>e</li></ul>",
    );
  });

  it("go on counting behind a nested list", () => {
    const ordered = { style: "ordered" };
    expect(rich(list(["a"], ordered), list(["x"], { indent: 1 }), list(["b"], { ...ordered, offset: 1 }))).toBe(
      "<ol><li>a<ul><li>x</li></ul></li><li>b</li></ol>",
    );
    expect(rich(list(["e"], { ...ordered, offset: 4 }))).toBe('<ol start="5"><li>e</li></ol>');
  });

  it("are two where the kind changes, or the depth begins beyond the first", () => {
    expect(rich(list(["a"]), list(["b"], { style: "ordered" }))).toBe("<ul><li>a</li></ul><ol><li>b</li></ol>");
    expect(rich(list(["a"], { indent: 3 }), list(["b"], { indent: 1 }))).toBe("<ul><li>a</li></ul><ul><li>b</li></ul>");
  });

  it("bear senseless numbers", () => {
    expect(
      rich(list(["a"], { indent: -5 }), list(["b"], { indent: 1e9 }), list(["c"], { indent: "x", offset: -1 })),
    ).toBe("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>");
  });
});

describe("blocks", () => {
  const image = { type: "image", image_url: "https://example.org/cat.png", alt_text: "a cat" };
  const cat = '<img src="mxc://example.org/cat" alt="a cat">';
  const button = { type: "button", text: plain("Go :wave:"), url: "https://example.org/go" };

  it.each([
    ["header", { type: "header", text: plain("T :wave:") }, "<h3>T 👋</h3>"],
    [
      "section",
      { type: "section", text: mrkdwn("*x*"), fields: [mrkdwn("*a*\n1"), plain("*b*")] },
      "<p><strong>x</strong></p><p><strong>a</strong><br>1</p><p>*b*</p>",
    ],
    [
      "section with a button",
      { type: "section", text: plain("x"), accessory: button },
      '<p>x</p><p><a href="https://example.org/go">Go 👋</a></p>',
    ],
    ["context", { type: "context", elements: [image, mrkdwn("_x_"), plain("y")] }, `${cat} <em>x</em> y`],
    ["image", { ...image, title: plain("Tom") }, `<strong>Tom</strong><br>${cat}`],
    [
      "image elsewhere",
      { type: "image", image_url: "https://example.org/dog.png", alt_text: "a dog" },
      '<a href="https://example.org/dog.png">a dog</a>',
    ],
    ["image of a Slack file", { type: "image", slack_file: { id: "F1" }, alt_text: "" }, "image"],
    [
      "markdown",
      {
        type: "markdown",
        text: "# T\n\n**b** [x](https://example.org)\n\n- a\n  - b\n- c\n\n> q\n\n```js\nx\n```\n\n---\n`c` ~~s~~ _i_ a_b_c 1\\*2",
      },
      '<h1>T</h1><p><strong>b</strong> <a href="https://example.org">x</a></p><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><blockquote>q</blockquote><pre><code class="language-js">x\n</code></pre><hr><p><code>c</code> <del>s</del> <em>i</em> a_b_c 1*2</p>',
    ],
    [
      "table",
      {
        type: "table",
        rows: [
          [
            { type: "raw_text", text: "A" },
            { type: "raw_text", text: "B" },
          ],
          [
            { type: "raw_number", value: 1 },
            { type: "rich_text", elements: [{ type: "rich_text_section", elements: [text("x", { bold: true })] }] },
          ],
        ],
      },
      "<strong>A</strong> | <strong>B</strong><br>1 | <strong>x</strong>",
    ],
    [
      "data_table",
      {
        type: "data_table",
        caption: "C",
        rows: [[{ type: "raw_text", text: "A" }], [{ type: "raw_number", value: 2, text: "two" }]],
      },
      "<p><strong>C</strong></p><p><strong>A</strong><br>two</p>",
    ],
    [
      "video",
      {
        type: "video",
        title: plain("V"),
        title_url: "https://example.org/v",
        author_name: "Ann",
        provider_name: "Tube",
        alt_text: "v",
        description: plain("D"),
      },
      '<p><a href="https://example.org/v"><strong>V</strong></a> · Ann · Tube</p><p>D</p>',
    ],
    [
      "file",
      { type: "file", source: "remote", external_id: "x", file: { title: "F", permalink: "https://example.org/f" } },
      '<a href="https://example.org/f">F</a>',
    ],
    [
      "actions",
      {
        type: "actions",
        elements: [
          button,
          { type: "button", text: plain("No") },
          { type: "static_select", placeholder: plain("Pick") },
          { type: "overflow", options: [{ text: plain("More"), url: "https://example.org/m" }] },
          { type: "users_select", initial_user: "U1" },
          {
            type: "workflow_button",
            text: plain("Run"),
            workflow: { trigger: { url: "https://slack.com/shortcuts/x" } },
          },
        ],
      },
      '<a href="https://example.org/go">Go 👋</a> · [No] · Pick · <a href="https://example.org/m">More</a> · <a href="https://matrix.to/#/@_slack_ann:example.org">Ann</a> · <a href="https://slack.com/shortcuts/x">Run</a>',
    ],
    [
      "input",
      {
        type: "input",
        label: plain("Name"),
        hint: plain("your own"),
        element: { type: "plain_text_input", initial_value: "Ann" },
      },
      "<strong>Name</strong>: Ann <em>your own</em>",
    ],
    ["alert", { type: "alert", level: "warning", text: mrkdwn("*hot*") }, "⚠️ <strong>hot</strong>"],
    [
      "card",
      {
        type: "card",
        hero_image: image,
        title: mrkdwn("T"),
        subtitle: mrkdwn("S"),
        body: mrkdwn("_B_"),
        actions: [button],
      },
      `<blockquote><p>${cat}</p><p><strong>T</strong><br>S</p><p><em>B</em></p><p><a href="https://example.org/go">Go 👋</a></p></blockquote>`,
    ],
    [
      "carousel",
      {
        type: "carousel",
        elements: [
          { type: "card", title: mrkdwn("A") },
          { type: "card", title: mrkdwn("B") },
        ],
      },
      "<blockquote><strong>A</strong></blockquote><blockquote><strong>B</strong></blockquote>",
    ],
    [
      "container",
      {
        type: "container",
        title: plain("C"),
        subtitle: mrkdwn("_s_"),
        child_blocks: [{ type: "divider" }, { type: "section", text: plain("x") }],
      },
      "<h3>C</h3><p><em>s</em></p><hr><p>x</p>",
    ],
    [
      "container with a rich title",
      {
        type: "container",
        title: plain("C"),
        rich_text_title: { type: "rich_text", elements: [item("R")] },
        child_blocks: [],
      },
      "R",
    ],
    [
      "plan",
      {
        type: "plan",
        title: "P",
        tasks: [
          { type: "task_card", title: "one", status: "complete" },
          {
            type: "task_card",
            title: "two",
            status: "pending",
            details: { type: "rich_text", elements: [item("d")] },
            sources: [{ type: "url", url: "https://example.org", text: "src" }],
          },
        ],
      },
      '<h3>P</h3><p>✅ <strong>one</strong></p><p>⏳ <strong>two</strong></p><p>d</p><p><a href="https://example.org">src</a></p>',
    ],
    [
      "task_card",
      {
        type: "task_card",
        task_id: "1",
        title: "T",
        status: "error",
        output: { type: "rich_text", elements: [item("o")] },
      },
      "<p>❌ <strong>T</strong></p><p>o</p>",
    ],
    [
      "context_actions",
      {
        type: "context_actions",
        elements: [
          {
            type: "feedback_buttons",
            positive_button: { text: plain("Good") },
            negative_button: { text: plain("Bad") },
          },
          { type: "icon_button", icon: "trash", text: plain("Delete") },
        ],
      },
      "[Good] · [Bad] · [Delete]",
    ],
    [
      "call",
      { type: "call", call_id: "R1", call: { v1: { name: "Standup", join_url: "https://example.org/call" } } },
      '📞 <a href="https://example.org/call">Standup</a>',
    ],
    [
      "share_shortcut",
      { type: "share_shortcut", title: "Ask", url: "https://slack.com/shortcuts/x" },
      '<a href="https://slack.com/shortcuts/x"><strong>Ask</strong></a>',
    ],
    [
      "an unknown type",
      { type: "hologram", title: plain("T"), items: [{ text: mrkdwn("*x*") }], url: "https://example.org" },
      '<p>T</p><p><strong>x</strong></p><p><a href="https://example.org">https://example.org</a></p>',
    ],
  ])("show %s", (_type, block, html) => {
    expect(blocks(block)).toBe(html);
  });

  it("have a rule for a divider between others", () => {
    expect(
      blocks({ type: "section", text: plain("a") }, { type: "divider" }, { type: "section", text: plain("b") }),
    ).toBe("<p>a</p><hr><p>b</p>");
  });

  it("stand for the text of the message, which stands for them where they show nothing", () => {
    const shown = (message: unknown): string => toPlainText(read(message).body);
    expect(shown({ text: "fallback", blocks: [{ type: "section", text: plain("shown") }] })).toBe("shown");
    expect(shown({ text: "fallback", blocks: [{ type: "hologram" }] })).toBe("fallback");
    expect(shown({ text: "fallback", blocks: [{ type: "file", source: "remote", external_id: "x" }] })).toBe(
      "fallback",
    );
    expect(shown({ text: "fallback", blocks: [] })).toBe("fallback");
    expect(shown({ text: "", blocks: [{ type: "hologram" }] })).toBe("_empty message_");
    expect(shown({ text: "fallback", blocks: [{ type: "hologram" }, { type: "section", text: plain("known") }] })).toBe(
      "known",
    );
  });

  it("nest no deeper than Slack nests them", () => {
    let block: unknown = { type: "section", text: plain("core") };
    for (let level = 0; level < 5_000; level++) block = { type: "container", title: plain("t"), child_blocks: [block] };
    expect(blocks(block)).toMatch(/^(?:<h3>t<\/h3>){8}$/);
  });
});
