import { describe, expect, it } from "@jest/globals";
import { parseMatrixHtml, parsePlainText, toMatrixHtml, toPlainText } from "@trestle/rich-text";
import { outcomeOf, readContent, readMessage, writeText } from "../../dist/content/index.js";
import { emojiOfName, reactionNameOf, standardNames } from "../../dist/emoji/index.js";
import { mrkdwn, names, read } from "./support.js";

/** What other bridges and converters for Slack are known to get wrong: none of it is to be wrong here. */
describe("a defect that others have", () => {
  const said = { type: "message", channel: "C1", user: "U1", ts: "1700000000.000100", text: "hi" };
  const blocksOf = (html: string) => JSON.stringify(writeText(parseMatrixHtml(html)).map(({ blocks }) => blocks));

  it("decoding escapes before the markup is read, so that `&lt;b&gt;` becomes a link", () => {
    expect(mrkdwn("&lt;b&gt;x&lt;/b&gt; &lt;img src=x onerror=alert(1)&gt;")).toBe(
      "&lt;b&gt;x&lt;/b&gt; &lt;img src=x onerror=alert(1)&gt;",
    );
  });

  it("escaping twice, so that `&lt;` is shown as `&amp;lt;`", () => {
    expect(toPlainText(read({ text: "1 &lt; 2 &amp;&amp; 3 &gt; 2" }).body)).toBe("1 < 2 && 3 > 2");
    expect(writeText(parsePlainText("1 < 2"))[0]?.text).toBe("1 &lt; 2");
    expect(blocksOf("1 &lt; 2")).toContain("1 < 2");
  });

  it("letting a Matrix user ping a channel by typing `<!channel>`", () => {
    const [message] = writeText(parsePlainText("<!channel> and <@U1>"));
    expect(message?.text).toBe("&lt;!channel&gt; and &lt;@U1&gt;");
    expect(JSON.stringify(message?.blocks)).not.toMatch(/broadcast|"user"/);
  });

  it("making links of `javascript:`", () => {
    expect(mrkdwn("<javascript:alert(1)|x>")).not.toContain("href");
  });

  it("bold and italics in the middle of words, across lines, or in shrugs", () => {
    for (const text of ["a*b*c 2*3*4", "snake_case_name", "¯\\_(ツ)_/¯", "*a", "a*"]) expect(mrkdwn(text)).toBe(text);
    expect(mrkdwn("*a\nb*")).toBe("*a<br>b*");
  });

  it("losing newlines", () => {
    expect(mrkdwn("a\nb")).toBe("a<br>b");
  });

  it("ignoring blocks, or taking the first attachment for the text", () => {
    const { body } = read({
      text: "text",
      blocks: [{ type: "section", text: { type: "mrkdwn", text: "*block*" } }],
      attachments: [{ fallback: "one" }, { fallback: "two" }],
    });
    expect(toPlainText(body)).toBe("**block**\n\n> one\n\n> two");
  });

  it("showing nothing for `<!here>`", () => {
    expect(mrkdwn("<!here>")).toBe("@room");
  });

  it("reading only the first broadcast of a message", () => {
    expect(mrkdwn("<!here> <!channel> <!everyone>")).toBe("@room @room @room");
  });

  it("saying that blocks are unsupported where there is a text", () => {
    expect(toPlainText(read({ text: "readable", blocks: [{ type: "hologram" }] }).body)).toBe("readable");
  });

  it("sending the link into Matrix where the one into Slack was looked up", () => {
    const [message] = writeText(parseMatrixHtml('<a href="https://matrix.to/#/!r:example.org/$e">x</a>'), {
      mention: () => ({ kind: "link", url: "https://acme.slack.com/archives/C1/p1700000000000100" }),
    });
    expect(JSON.stringify(message)).toContain("acme.slack.com");
    expect(JSON.stringify(message)).not.toContain("matrix.to");
  });

  it("sending the Markdown source of formatted messages", () => {
    expect(blocksOf("<b>x</b>")).not.toContain("*");
  });

  it("sending what is like Markdown as formatting, where the message has none", () => {
    expect(JSON.stringify(writeText(parsePlainText("*x* _y_")))).not.toContain("style");
  });

  it("losing files of a message in a thread", () => {
    const outcome = outcomeOf({
      ...said,
      subtype: "file_share",
      thread_ts: "1690000000.000000",
      files: [{ id: "F1", mode: "hosted", url_private: "https://x", mimetype: "image/png" }],
    });
    if (outcome.outcome !== "bridged" || outcome.what.kind !== "message") throw new Error("Not a message");
    expect(outcome.what.threadTs).toBe("1690000000.000000");
    expect(readContent(outcome.what.message).files).toMatchObject([{ kind: "hosted" }]);
  });

  it("losing a reply that was also sent to the channel", () => {
    expect(outcomeOf({ ...said, subtype: "thread_broadcast", thread_ts: "1690000000.000000" })).toMatchObject({
      what: { kind: "message", isBroadcast: true },
    });
  });

  it("taking every change of a message for an edit, and every edit of an action for plain text", () => {
    const changed = (message: object) => ({
      ...said,
      subtype: "message_changed",
      message: { ...said, ...message },
      previous_message: said,
    });
    expect(outcomeOf(changed({ attachments: [{ from_url: "https://x", title: "x" }] }))).toMatchObject({
      outcome: "ignored",
    });
    expect(outcomeOf(changed({ text: "ho", subtype: "me_message", edited: { user: "U1", ts: "2" } }))).toMatchObject({
      what: { kind: "edit", style: "emote", message: { text: "ho" } },
    });
  });

  it("losing links by an edit", () => {
    const message = readMessage({ text: "see <https://example.org|this>", edited: { user: "U1", ts: "2" } });
    expect(toMatrixHtml(readContent(message, { names }).body)).toContain('href="https://example.org"');
  });

  it("not noticing that somebody left a channel", () => {
    expect(outcomeOf({ type: "member_left_channel", user: "U1", channel: "C1" })).toMatchObject({
      what: { kind: "membership", change: "leave" },
    });
  });

  it("knowing half of the emoji, or taking two spellings of one for two", () => {
    expect(standardNames()).toHaveLength(1_972);
    expect([reactionNameOf("👍"), reactionNameOf("👍️")]).toEqual(["+1", "+1"]);
    expect(emojiOfName("face_with_spiral_eyes")).toBe("😵‍💫");
  });

  it("taking a time for an emoji", () => {
    expect(mrkdwn("10:30:45")).toBe("10:30:45");
  });

  it("showing raw ids where a label is known", () => {
    expect(mrkdwn("<@U9|bob> <#C9|random> <!subteam^S9|@ops>")).toBe("@bob #random @ops");
  });

  it("losing a bot's pictures and attachments", () => {
    const { body } = read({
      subtype: "bot_message",
      text: "",
      attachments: [{ title: "Cat", image_url: "https://example.org/cat.png" }],
    });
    expect(toMatrixHtml(body)).toContain("mxc://example.org/cat");
  });
});
