import { describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { readStanza } from "../../dist/content/index.js";
import { html, message, whatOf, xml } from "./support.js";

const fromAnn = "type='chat' from='ann@example.org/phone' to='us@bridge.example' id='m1'";

describe("a text", () => {
  it("is what stands in the body", () => {
    const read = message(fromAnn, "<body>hello &amp; welcome</body><thread parent='p'>t</thread>");
    expect(read).toMatchObject({
      type: "chat",
      from: "ann@example.org/phone",
      to: "us@bridge.example",
      ids: { id: "m1" },
    });
    expect(whatOf("text", read)).toEqual({
      kind: "text",
      contents: [textContent("hello & welcome")],
      thread: { id: "t", parent: "p" },
    });
  });

  it("is styled, or not where its sender says so", () => {
    expect(html("<body>*b* `c`</body>")).toBe("<strong>b</strong> <code>c</code>");
    expect(html("<body>*b*</body><unstyled xmlns='urn:xmpp:styling:0'/>")).toBe("*b*");
    expect(html("<body>*b*</body><markup xmlns='urn:xmpp:markup:0'/>")).toBe("*b*");
  });

  it("is marked up by code points", () => {
    const span = (start: number, end: number, ...names: string[]): string =>
      `<span start='${start}' end='${end}'>${names.map((name) => `<${name}/>`).join("")}</span>`;
    expect(
      html(
        `<body>😀 bold and code</body><markup xmlns='urn:xmpp:markup:0'>${span(2, 6, "strong")}${span(4, 10, "emphasis")}${span(11, 99, "code")}</markup>`,
      ),
    ).toBe("😀 <strong>bo<em>ld</em></strong><em> and</em> <code>code</code>");
  });

  it("mentions people by code points", () => {
    const reference = (begin: number, end: number, uri: string): string =>
      `<reference xmlns='urn:xmpp:reference:0' type='mention' begin='${begin}' end='${end}' uri='${uri}'/>`;
    const read = message(
      fromAnn,
      `<body>👋🏽 Eve_ and *Bob*</body>${reference(3, 7, "xmpp:eve%26co@example.org")}${reference(12, 17, "xmpp:room@muc.example.org/Bob?join")}`,
    );
    const [content] = whatOf("text", read).contents;
    expect(content?.type === "text" && content.body.blocks).toEqual([
      {
        type: "paragraph",
        children: [
          { type: "text", text: "👋🏽 " },
          { type: "mention", target: { kind: "remoteUser", id: "eve&co@example.org" }, text: "Eve_" },
          { type: "text", text: " and " },
          { type: "mention", target: { kind: "remoteUser", id: "room@muc.example.org/Bob" }, text: "*Bob*" },
        ],
      },
    ]);
  });

  it("is not changed by mentions that are none", () => {
    for (const reference of [
      "begin='9' end='3'",
      "begin='0' end='99'",
      "begin='-1' end='2'",
      "begin='x' end='2'",
      "",
      "begin='0' end='0'",
    ])
      expect(
        html(
          `<body>hello you</body><reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:a@b' ${reference}/>`,
        ),
      ).toBe("hello you");
    expect(
      html(
        "<body>hello you</body><reference xmlns='urn:xmpp:reference:0' type='mention' uri='https://x' begin='0' end='5'/>",
      ),
    ).toBe("hello you");
  });

  it("is an action with /me", () => {
    expect(html("<body>/me waves *hard*</body>")).toBe("emote: waves <strong>hard</strong>");
    expect(html("<body>/me</body>")).toBe("/me");
    expect(html("<body>/media</body>")).toBe("/media");
  });

  it("is hidden where it is a spoiler", () => {
    expect(html("<body>the end</body><spoiler xmlns='urn:xmpp:spoiler:0'>film</spoiler>")).toBe(
      '<span data-mx-spoiler="film">the end</span>',
    );
  });

  it("is in the language that the sender did not need to name", () => {
    expect(html("<body xml:lang='de'>hallo</body><body>hello</body>")).toBe("hello");
  });

  it("is read in whatever namespace the stream has, and under a prefix", () => {
    const inner = (stanza: string) => readStanza(xml(stanza));
    expect(inner("<message xmlns='jabber:component:accept' type='chat'><body>x</body></message>")).toMatchObject({
      what: { kind: "text" },
    });
    expect(inner("<c:message xmlns:c='jabber:client' type='chat'><c:body>x</c:body></c:message>")).toMatchObject({
      what: { kind: "text" },
    });
    expect(inner("<message xmlns='jabber:client'><body xmlns='urn:other'>x</body></message>")).toMatchObject({
      what: { kind: "unknown" },
    });
  });
});

describe("a reply", () => {
  const reply = "<reply xmlns='urn:xmpp:reply:0' to='bob@example.org/x' id='r1'/>";
  const fallback = (start: number, end: number): string =>
    `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='${start}' end='${end}'/></fallback>`;

  it("is cut where its fallback ends, in code points", () => {
    const read = message(fromAnn, `<body>&gt; 👨‍👩‍👧\nanswer</body>${reply}${fallback(0, 8)}`);
    expect(whatOf("text", read)).toMatchObject({
      replyTo: { id: "r1", author: "bob@example.org/x" },
      contents: [textContent("answer")],
    });
  });

  it("may have its fallback anywhere, in parts, and beyond the end", () => {
    const cut = (...ranges: string[]): string => html(`<body>abcdef</body>${reply}${ranges.join("")}`);
    expect(cut(fallback(2, 4))).toBe("abef");
    expect(cut(fallback(0, 1), fallback(5, 6))).toBe("bcde");
    expect(cut(fallback(4, 400))).toBe("abcd");
    expect(cut(fallback(0, 3), fallback(1, 4))).toBe("ef");
  });

  it("is not cut by what is no range, nor to nothing", () => {
    const cut = (range: string): string =>
      html(
        `<body>abcdef</body>${reply}<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>${range}</fallback>`,
      );
    for (const range of [
      "<body start='4' end='2'/>",
      "<body start='-1' end='2'/>",
      "<body start='x' end='2'/>",
      "<body start='0' end=''/>",
      "<subject/>",
      "<body/>",
      "",
    ])
      expect(cut(range)).toBe("abcdef");
  });

  it("keeps what is a fallback for something that nobody here knows", () => {
    expect(
      html(
        "<body>abc</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:example:x'><body start='0' end='2'/></fallback>",
      ),
    ).toBe("abc");
  });

  it("is not cut where the message answers nothing after all", () => {
    expect(html(`<body>abcdef</body>${fallback(0, 3)}`)).toBe("abcdef");
    expect(html(`<body>abcdef</body><reply xmlns='urn:xmpp:reply:0'/>${fallback(0, 3)}`)).toBe("abcdef");
    expect(html("<body>file</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'/>")).toBe("file");
  });

  it("mentions people where they are after the cut", () => {
    const read = message(
      fromAnn,
      `<body>&gt; q\nEve: hi</body>${reply}${fallback(0, 4)}<reference xmlns='urn:xmpp:reference:0' type='mention' begin='4' end='7' uri='xmpp:eve@example.org'/>`,
    );
    expect(whatOf("text", read).contents).toMatchObject([
      { body: { blocks: [{ children: [{ type: "mention", text: "Eve" }, { text: ": hi" }] }] } },
    ]);
  });
});
