import { describe, expect, it } from "@jest/globals";
import { toPlainText } from "@trestle/rich-text";
import { lookupsOf, readMessage } from "../../dist/content/index.js";
import { mrkdwn, read } from "./support.js";

const ann = '<a href="https://matrix.to/#/@_slack_ann:example.org">Ann</a>';

describe("escapes of mrkdwn", () => {
  it.each([
    ["&lt;b&gt; &amp; x", "&lt;b&gt; &amp; x"],
    ["&amp;lt;b&amp;gt;", "&amp;lt;b&amp;gt;"],
    ["&amp;amp;lt;", "&amp;amp;lt;"],
    ["&quot;&#39;&nbsp;", "&amp;quot;&amp;#39;&amp;nbsp;"],
    ["a & b < c > d", "a &amp; b &lt; c &gt; d"],
  ])("decodes %s once", (text, html) => {
    expect(mrkdwn(text)).toBe(html);
  });

  it("never makes a link of escaped or unescaped HTML, as a decoder in front of the parser does", () => {
    expect(mrkdwn("&lt;b&gt;x&lt;/b&gt;")).toBe("&lt;b&gt;x&lt;/b&gt;");
    expect(mrkdwn("&lt;@U1&gt; &lt;!channel&gt; &lt;https://x.y|z&gt;")).toBe(
      "&lt;@U1&gt; &lt;!channel&gt; &lt;https://x.y|z&gt;",
    );
    expect(mrkdwn("<b>x</b> <img src=x onerror=alert(1)>")).toBe(
      "&lt;b&gt;x&lt;/b&gt; &lt;img src=x onerror=alert(1)&gt;",
    );
  });
});

describe("mentions in mrkdwn", () => {
  it("names people, of a grid too, and points to them", () => {
    expect(mrkdwn("hi <@U1>")).toBe(`hi ${ann}`);
    expect(mrkdwn("<@U1|old.name>")).toBe(ann);
    expect(mrkdwn("<@W1>")).toBe('<a href="https://matrix.to/#/@_slack_grid:example.org">Grid</a>');
    expect(mrkdwn("<@UPUPPET>")).toBe('<a href="https://matrix.to/#/@puppet:example.org">Puppet</a>');
    expect(read({ text: "<@U1> <@U1> <@UPUPPET>" }).mentions).toEqual([
      { kind: "matrixUser", userId: "@_slack_ann:example.org" },
      { kind: "matrixUser", userId: "@puppet:example.org" },
    ]);
  });

  it("shows the label or the id of people who are unknown", () => {
    expect(mrkdwn("<@U2> <@U9|bob> <@U9>")).toBe("@Gone @bob @U9");
    expect(read({ text: "<@U2> <@U9|bob>" }).mentions).toEqual([]);
  });

  it("points to bridged channels and names the others, also without a label", () => {
    expect(mrkdwn("<#C1|old>")).toBe('<a href="https://matrix.to/#/%23general:example.org">#general</a>');
    expect(mrkdwn("<#C2> <#C9|private> <#C9|> <#C9>")).toBe("#elsewhere #private #C9 #C9");
  });

  it("mentions everyone for each broadcast, with and without a label", () => {
    for (const text of ["<!here>", "<!channel>", "<!everyone>", "<!here|here>", "<!channel|@channel>"]) {
      expect(mrkdwn(text)).toBe("@room");
      expect(read({ text }).mentionsEveryone).toBe(true);
    }
    expect(mrkdwn("<!here> <!here>")).toBe("@room @room");
  });

  it("keeps a broadcast that shall notify nobody as text", () => {
    const notifyFor = new Set(["channel", "everyone"] as const);
    expect(mrkdwn("<!here> now", { notifyFor })).toBe("@here now");
    expect(read({ text: "<!here>" }, { notifyFor }).mentionsEveryone).toBe(false);
    expect(read({ text: "@channel @here" }).mentionsEveryone).toBe(false);
  });

  it("names user groups, and mentions their members where they are given", () => {
    expect(mrkdwn("<!subteam^S1> <!subteam^S1|@old>")).toBe("@admins @admins");
    expect(mrkdwn("<!subteam^S9|@team> <!subteam^S9>")).toBe("@team @S9");
    expect(mrkdwn("<!subteam^S2>")).toBe(`@ops (${ann})`);
  });
});

describe("dates in mrkdwn", () => {
  it.each([
    ["{date_num}", "2023-11-14"],
    ["{date_slash}", "14/11/2023"],
    ["{date}", "November 14"],
    ["{date_pretty}", "November 14"],
    ["{date_short}", "Nov 14, 2023"],
    ["{date_short_pretty}", "Nov 14, 2023"],
    ["{date_long}", "Tuesday, November 14, 2023"],
    ["{date_long_pretty}", "Tuesday, November 14, 2023"],
    ["{date_long_full}", "November 14, 2023"],
    ["{day_divider_pretty}", "Tuesday, November 14"],
    ["{time}", "22:13 UTC"],
    ["{time_secs}", "22:13:20 UTC"],
    ["{ago}", "Nov 14, 2023, 22:13 UTC"],
    ["at {date_num} {time}, {nonsense}", "at 2023-11-14 22:13, {nonsense} UTC"],
  ])("writes %s", (template, shown) => {
    expect(mrkdwn(`<!date^1700000000^${template}|fallback>`)).toBe(shown);
  });

  it("writes it in the zone of the room", () => {
    expect(mrkdwn("<!date^1700000000^{date_num} {time}|x>", { timeZone: "Asia/Tokyo" })).toBe("2023-11-15 07:13 GMT+9");
    expect(mrkdwn("<!date^1700000000^{time}|x>", { timeZone: "Not/AZone" })).toBe("22:13 UTC");
  });

  it("links it where it has a link, and falls back where it is no date", () => {
    expect(mrkdwn("<!date^1700000000^{date_num}^https://example.org/?a=1&amp;b=2|x>")).toBe(
      '<a href="https://example.org/?a=1&amp;b=2">2023-11-14</a>',
    );
    expect(mrkdwn("<!date^99999999999999999^{date_num}|some day>")).toBe("some day");
    expect(mrkdwn("<!date^nonsense^{date_num}|some day>")).toBe("some day");
    expect(mrkdwn("<!date^1700000000^no token|some day>")).toBe("some day");
    expect(mrkdwn("<!date^1700000000>")).toBe("&lt;!date^1700000000&gt;");
  });
});

describe("links in mrkdwn", () => {
  it.each([
    [
      "<https://example.org/?a=1&amp;b=2>",
      '<a href="https://example.org/?a=1&amp;b=2">https://example.org/?a=1&amp;b=2</a>',
    ],
    ["<https://example.org|two words>", '<a href="https://example.org">two words</a>'],
    ["<https://example.org|*not* _styled_>", '<a href="https://example.org">*not* _styled_</a>'],
    ["<https://example.org|a|b>", '<a href="https://example.org">a|b</a>'],
    ["<mailto:a@example.org|a@example.org>", '<a href="mailto:a@example.org">a@example.org</a>'],
    ["*<https://example.org|x>*", '<a href="https://example.org"><strong>x</strong></a>'],
    ["<https://example.org|:wave: x>", '<a href="https://example.org">👋 x</a>'],
    ["<tel:+123|call us>", "call us (tel:+123)"],
    ["<slack://channel?id=C1|open>", "open (slack://channel?id=C1)"],
    ["<javascript:alert(1)|click>", "click (javascript:alert(1))"],
    ["<JavaScript:alert(1)>", "JavaScript:alert(1)"],
    ["<data:text/html,x|x>", "x (data:text/html,x)"],
    ["<not a link>", "&lt;not a link&gt;"],
    ["<unclosed https://example.org", "&lt;unclosed https://example.org"],
  ])("reads %s", (text, html) => {
    expect(mrkdwn(text)).toBe(html);
  });

  it("makes a link to a known message one into Matrix, in threads too", () => {
    const event = '<a href="https://matrix.to/#/!general:example.org/$event">';
    const url = "https://acme.slack.com/archives/C1/p1700000000000100";
    expect(mrkdwn(`<${url}|this>`)).toBe(`${event}this</a>`);
    expect(mrkdwn(`<${url}?thread_ts=1690000000.000000&amp;cid=C1|this>`)).toBe(`${event}this</a>`);
    const unknown = "https://acme.slack.com/archives/C1/p1700000000000200";
    expect(mrkdwn(`<${unknown}|that>`)).toBe(`<a href="${unknown}">that</a>`);
    expect(mrkdwn("<https://acme.slack.com/archives/C1|there>")).toBe(
      '<a href="https://matrix.to/#/%23general:example.org">there</a>',
    );
    expect(mrkdwn("<https://evil.example/archives/C1/p1700000000000100|x>")).toContain("evil.example");
  });
});

describe("styles in mrkdwn", () => {
  it.each([
    ["*b* _i_ ~s~", "<strong>b</strong> <em>i</em> <del>s</del>"],
    ["a*b*c 2*3*4 snake_case_x x~y~z", "a*b*c 2*3*4 snake_case_x x~y~z"],
    ["¯\\_(ツ)_/¯ and ¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯ and ¯\\_(ツ)_/¯"],
    [
      "*_x_* _*y*_ ~*_z_*~",
      "<strong><em>x</em></strong> <strong><em>y</em></strong> <strong><em><del>z</del></em></strong>",
    ],
    ["_snake_case_", "<em>snake_case</em>"],
    ["(*b*), “_i_”!", "(<strong>b</strong>), “<em>i</em>”!"],
    ["* not * and *not * here", "* not * and *not * here"],
    ["*one\ntwo*", "*one<br>two*"],
    ["*never closed", "*never closed"],
    ["*a _b* c_", "<strong>a _b</strong> c_"],
    ["** __ ~~", "** __ ~~"],
    ["*a ** ~b~~", "*a ** <del>b</del>~"],
    ["a\u200b*b*\u200bc", "a\u200b<strong>b</strong>\u200bc"],
    ["x\u2060_y_\u2060z", "x\u2060<em>y</em>\u2060z"],
    ["*1* *2*", "<strong>1</strong> <strong>2</strong>"],
  ])("reads %s", (text, html) => {
    expect(mrkdwn(text)).toBe(html);
  });

  it("leaves styles alone in a message without formatting, but not escapes and links", () => {
    const { body } = read({ mrkdwn: false, text: "*x* `y` &lt; <https://example.org|z>\n&gt; ```q```" });
    expect(toPlainText(body)).toBe("*x* `y` < [z](https://example.org)\n> ```q```");
  });
});

describe("code in mrkdwn", () => {
  it.each([
    ["`*x* :wave: _y_`", "<code>*x* :wave: _y_</code>"],
    ["`<@U1> <#C1> <!here> <https://example.org|x>`", "<code>@Ann #general @room x</code>"],
    ["`&lt;@U1&gt; &amp;amp;`", "<code>&lt;@U1&gt; &amp;amp;</code>"],
    ["`not\nclosed`", "`not<br>closed`"],
    ["``", "``"],
    ["```one\n  two\n```", "<pre><code>one\n  two\n</code></pre>"],
    ["```\none\n```", "<pre><code>one\n</code></pre>"],
    [
      "see ```x``` and ```y``` there",
      "<p>see</p><pre><code>x\n</code></pre><p>and</p><pre><code>y\n</code></pre><p>there</p>",
    ],
    ["```js\nx```", "<pre><code>js\nx\n</code></pre>"],
    ["```*x* &lt;b&gt; <https://example.org>```", "<pre><code>*x* &lt;b&gt; https://example.org\n</code></pre>"],
    ["```never closed *x*", "```never closed <strong>x</strong>"],
    ["``````", "``````"],
    ["a\n```x```\nb", "<p>a</p><pre><code>x\n</code></pre><p>b</p>"],
  ])("reads %j", (text, html) => {
    expect(mrkdwn(text)).toBe(html);
  });

  it("mentions nobody from code", () => {
    const { mentions, mentionsEveryone } = read({ text: "`<@U1> <!channel>` ```<@U1> <!channel>```" });
    expect(mentions).toEqual([]);
    expect(mentionsEveryone).toBe(false);
  });
});

describe("quotes in mrkdwn", () => {
  it.each([
    ["&gt; one\n&gt;two\nthree", "<blockquote>one<br>two</blockquote><p>three</p>"],
    ["&gt;&gt;&gt; one\ntwo\n&gt; three", "<blockquote>one<br>two<br>&gt; three</blockquote>"],
    ["a &gt; b", "a &gt; b"],
    ["&gt; ```x\n&gt; y```", "<blockquote><pre><code>x\ny\n</code></pre></blockquote>"],
    ["&gt; *x*", "<blockquote><strong>x</strong></blockquote>"],
    ["a\n&gt;&gt;&gt; b\n\nc", "<p>a</p><blockquote>b<br><br>c</blockquote>"],
  ])("reads %j", (text, html) => {
    expect(mrkdwn(text)).toBe(html);
  });
});

describe("emoji in mrkdwn", () => {
  it.each([
    [":wave: :+1: :thumbsup:", "👋 👍️ 👍️"],
    [":+1::skin-tone-3:", "👍🏼"],
    [":handshake::skin-tone-2-5:", "🫱🏻‍🫲🏾"],
    [":flag-de: :de:", "🇩🇪 🇩🇪"],
    [":woman-running::skin-tone-6:", "🏃🏿‍♀️"],
    [":wave:x:wave:", "👋x👋"],
    [":unknown_thing: : :: :::", ":unknown_thing: : :: :::"],
    ["10:30:45 and 10:100:45", "10:30:45 and 10:100:45"],
    [":100: :30:", '💯 <img data-mx-emoticon src="mxc://example.org/thirty" alt=":30:" title=":30:" height="32">'],
    [
      ":partyparrot:",
      `<img data-mx-emoticon src="mxc://example.org/parrot" alt=":partyparrot:" title=":partyparrot:" height="32">`,
    ],
    [":fresh:", ":fresh:"],
    [":thumbs:", "👍️"],
  ])("reads %s", (text, html) => {
    expect(mrkdwn(text)).toBe(html);
  });
});

describe("lines of mrkdwn", () => {
  it("keeps newlines, runs of spaces and typed bullets", () => {
    expect(mrkdwn("a\nb\n\nc")).toBe("a<br>b<br><br>c");
    expect(mrkdwn("a\r\nb")).toBe("a<br>b");
    expect(toPlainText(read({ text: "a   b\n•  one\n◦ two" }).body)).toBe("a   b\n•  one\n◦ two");
  });
});

describe("what a message needs looked up", () => {
  it("is everything it names, wherever it stands", () => {
    const lookups = lookupsOf(
      readMessage({
        text: "shown only where the blocks can not be",
        blocks: [
          {
            type: "rich_text",
            elements: [
              {
                type: "rich_text_section",
                elements: [
                  { type: "user", user_id: "U1" },
                  { type: "channel", channel_id: "C1" },
                  { type: "usergroup", usergroup_id: "S1" },
                  { type: "team", team_id: "T1" },
                  { type: "emoji", name: "partyparrot" },
                  { type: "emoji", name: "wave" },
                  { type: "link", url: "https://acme.slack.com/archives/C7/p1700000000000100" },
                ],
              },
            ],
          },
          { type: "image", image_url: "https://example.org/cat.png", alt_text: "cat" },
        ],
        attachments: [{ text: "<@U2|x> <#C2> :cat_dance: <!subteam^S2>" }],
      }),
    );
    expect([...lookups.users]).toEqual(["U1", "U2"]);
    expect([...lookups.channels]).toEqual(["C1", "C2"]);
    expect([...lookups.usergroups]).toEqual(["S1", "S2"]);
    expect([...lookups.teams]).toEqual(["T1"]);
    expect([...lookups.emoji]).toEqual(["partyparrot", "cat_dance"]);
    expect([...lookups.messages.values()].map(({ channel, ts }) => [channel, ts])).toEqual([
      ["C7", "1700000000.000100"],
    ]);
    expect([...lookups.images]).toEqual(["https://example.org/cat.png"]);
  });
});
