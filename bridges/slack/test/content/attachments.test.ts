import { describe, expect, it } from "@jest/globals";
import { toPlainText } from "@trestle/rich-text";
import { attachment, read } from "./support.js";

const plain = (shown: string) => ({ type: "plain_text", text: shown });
const item = (shown: string) => ({ type: "rich_text_section", elements: [{ type: "text", text: shown }] });

describe("legacy attachments", () => {
  it("are quotes below their pretext", () => {
    expect(
      attachment({
        pretext: "*new*",
        author_name: "A &amp; B",
        author_link: "https://example.org/a",
        title: "Title",
        title_link: "https://example.org/t",
        text: "_text_ <@U1>",
        fields: [{ title: "F", value: "`v`", short: true }],
        image_url: "https://example.org/cat.png",
        footer: "foot",
        ts: "1700000000",
        color: "danger",
      }),
    ).toBe(
      '<p><strong>new</strong></p><blockquote><p><a href="https://example.org/a"><strong>A &amp; B</strong></a></p>' +
        '<p><a href="https://example.org/t"><strong>Title</strong></a></p>' +
        '<p><em>text</em> <a href="https://matrix.to/#/@_slack_ann:example.org">Ann</a></p>' +
        "<p><strong>F</strong>: <code>v</code></p>" +
        '<p><img src="mxc://example.org/cat" alt="Title"></p>' +
        "<p><em>foot · Nov 14, 2023, 22:13 UTC</em></p></blockquote>",
    );
  });

  it("have formatting only where mrkdwn_in says so, if it says anything", () => {
    expect(attachment({ text: "*x*", mrkdwn_in: ["pretext"] })).toBe("<blockquote>*x*</blockquote>");
    expect(attachment({ text: "*x*", mrkdwn_in: ["text"] })).toBe("<blockquote><strong>x</strong></blockquote>");
  });

  it("show blocks, buttons, and the fallback where there is nothing else", () => {
    expect(attachment({ fallback: "f", blocks: [{ type: "section", text: plain("x") }] })).toBe(
      "<blockquote>x</blockquote>",
    );
    expect(attachment({ actions: [{ type: "button", text: "Go", url: "https://example.org" }] })).toBe(
      '<blockquote><a href="https://example.org">Go</a></blockquote>',
    );
    expect(attachment({ fallback: "only <https://example.org|this>" })).toBe(
      '<blockquote>only <a href="https://example.org">this</a></blockquote>',
    );
  });

  it("do not take the place of the text, and the second is shown like the first", () => {
    const { body } = read({ text: "said", attachments: [{ text: "one", fallback: "no" }, { text: "two" }] });
    expect(toPlainText(body)).toBe("said\n\n> one\n\n> two");
  });

  it("quote a message that was shared, with who said it and where", () => {
    expect(
      attachment({
        is_share: true,
        author_name: "Bob",
        text: "*old*",
        channel_id: "C1",
        from_url: "https://acme.slack.com/archives/C1/p1700000000000100",
        ts: "1700000000.000100",
        files: [{ title: "plan.pdf", permalink: "https://example.org/p" }],
      }),
    ).toBe(
      "<blockquote><p><strong>Bob</strong></p><p><strong>old</strong></p>" +
        '<p><a href="https://example.org/p">plan.pdf</a></p>' +
        '<p><a href="https://matrix.to/#/%23general:example.org">#general</a> · ' +
        '<a href="https://matrix.to/#/!general:example.org/$event">Nov 14, 2023, 22:13 UTC</a></p></blockquote>',
    );
    expect(
      attachment({
        is_msg_unfurl: true,
        from_url: "https://example.org",
        text: "no",
        message_blocks: [{ message: { blocks: [{ type: "rich_text", elements: [item("yes")] }] } }],
      }),
    ).toBe('<blockquote><p>yes</p><p><a href="https://example.org">message</a></p></blockquote>');
  });

  it("show a message that was linked to beside the text, for Matrix clients can not see into Slack", () => {
    const { body } = read({
      text: "see this",
      attachments: [
        { is_msg_unfurl: true, from_url: "https://acme.slack.com/archives/C9/p1700000000000900", text: "old" },
      ],
    });
    expect(toPlainText(body)).toMatch(/^see this\n\n> old/);
  });

  it("leave previews of links to Matrix clients, unless they are wanted or all there is", () => {
    const message = {
      text: "see <https://example.org>",
      attachments: [{ from_url: "https://example.org", title: "Example", text: "x" }],
    };
    expect(toPlainText(read(message).body)).toBe("see https://example.org");
    expect(toPlainText(read(message, { previews: true }).body)).toContain("> **Example**");
    expect(toPlainText(read({ ...message, text: "" }).body)).toContain("> **Example**");
  });

  it("nest no deeper than Slack nests them", () => {
    let deep: Readonly<Record<string, unknown>> = { text: "core" };
    for (let level = 0; level < 5_000; level++) deep = { is_share: true, text: "t", attachments: [deep] };
    expect(attachment(deep)).toMatch(/^(?:<blockquote>(?:<p>)?t(?:<\/p>)?)+(?:<\/blockquote>)+$/);
  });
});
