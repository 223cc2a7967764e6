import { describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { toMatrixHtml } from "@trestle/rich-text";
import fc from "fast-check";
import { element, ns, parseXml, readStanza, type XmlElement } from "../../dist/content/index.js";
import { hostileText } from "./arbitrary.js";
import { html, message, whatOf, xml } from "./support.js";

const fromAnn = "type='chat' from='ann@example.org/phone' to='us@bridge.example' id='m1'";
const inRoom = "type='groupchat' from='room@muc.example.org/ann' to='us@bridge.example' id='m1'";
const byRoom = "type='groupchat' from='room@muc.example.org' to='us@bridge.example' id='m1'";

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

describe("files", () => {
  const url = "https://up.example.org/a/My%20cat.JPG";
  const oob = (address: string): string => `<x xmlns='jabber:x:oob'><url>${address}</url></x>`;
  const sfs = (file: string, target = url): string =>
    `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>${file}</file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${target}'/></sources></file-sharing>`;
  const contents = (children: string) => whatOf("text", message(fromAnn, children)).contents;

  it("are what their address says, where nothing else is known", () => {
    expect(contents(`<body>${url}</body>${oob(url)}`)).toEqual([
      { type: "media", kind: "image", name: "My cat.JPG", source: { from: "url", url } },
    ]);
    expect(contents(oob("https://x.example/voice.opus"))).toMatchObject([{ kind: "audio" }]);
    expect(contents(oob("https://x.example/"))).toMatchObject([{ kind: "file", name: "file" }]);
  });

  it("are what their metadata say", () => {
    const file =
      "<media-type>video/webm</media-type><name>../../etc/x.webm</name><size>99</size><width>4</width><height>3</height><length>1500</length><desc>our *cat*</desc>";
    expect(contents(`<body>${url}</body>${sfs(file)}${oob(url)}`)).toEqual([
      {
        type: "media",
        kind: "video",
        name: "x.webm",
        source: { from: "url", url },
        mimeType: "video/webm",
        size: 99,
        width: 4,
        height: 3,
        durationMs: 1500,
        caption: textContent("our *cat*").body,
      },
    ]);
  });

  it("may be several, with the text as the caption of the first", () => {
    const read = contents(
      `<body>look</body>${sfs("<name>a.png</name>", "https://x.example/a.png")}${sfs("<name>b.png</name>", "https://x.example/b.png")}`,
    );
    expect(read).toMatchObject([{ name: "a.png", caption: textContent("look").body }, { name: "b.png" }]);
  });

  it("are stickers with XEP-0449", () => {
    const read = contents(
      `<body>😺</body><sticker xmlns='urn:xmpp:stickers:0' pack='p'/>${sfs("<media-type>image/png</media-type>")}<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:stickers:0'><body/></fallback>`,
    );
    expect(read).toMatchObject([{ kind: "sticker" }]);
    expect(read[0]).not.toHaveProperty("caption");
  });

  it("come with SIMS too, once", () => {
    const sims = `<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'><file xmlns='urn:xmpp:jingle:apps:file-transfer:5'><media-type>image/jpeg</media-type><name>s.jpg</name></file><sources><reference xmlns='urn:xmpp:reference:0' type='data' uri='${url}'/></sources></media-sharing></reference>`;
    expect(contents(`<body>${url}</body>${sims}${oob(url)}`)).toMatchObject([{ name: "s.jpg", kind: "image" }]);
  });

  it("are links where an address comes with a text and need not be a file", () => {
    const [read] = contents(`<body>news</body>${oob("https://news.example/article")}`);
    expect(read?.type === "text" && toMatrixHtml(read.body)).toBe(
      '<p>news</p><p><a href="https://news.example/article">https://news.example/article</a></p>',
    );
    expect(html(`<body>see https://news.example/a</body>${oob("https://news.example/a")}`)).toBe(
      "see https://news.example/a",
    );
  });

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "ftp://x.example/a",
    "http://",
    "https://u:p@x.example/a.png",
    "aesgcm://x.example/a#00",
    "//x.example/a",
  ])("are none at %s", (address) => expect(html(`<body>x</body>${oob(address)}${sfs("", address)}`)).toBe("x"));

  it("that have no address yet are waited for", () => {
    expect(
      message(
        fromAnn,
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>x</name></file></file-sharing>",
      ).what.kind,
    ).toBe("ignored");
  });

  it("are a place with geo:", () => {
    expect(contents("<body>geo:51.5,-0.12;u=10</body>")).toEqual([
      { type: "location", latitude: 51.5, longitude: -0.12 },
    ]);
    expect(html("<body>geo:99,0</body>")).toBe("geo:99,0");
  });
});

describe("what is said about messages", () => {
  it("is a correction of the first form", () => {
    expect(
      message(fromAnn, "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='first'/>").what,
    ).toMatchObject({
      kind: "correction",
      target: "first",
      contents: [textContent("better")],
    });
  });

  it("is a retraction, of today or of before", () => {
    const today = "<retract xmlns='urn:xmpp:message-retract:1' id='t'/><body>/me retracted</body>";
    const before =
      "<apply-to xmlns='urn:xmpp:fasten:0' id='t'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to><body>/me retracted</body>";
    for (const children of [today, before])
      expect(message(inRoom, children).what).toEqual({ kind: "retraction", target: "t" });
    expect(message(inRoom, "<retract xmlns='urn:xmpp:message-retract:1'/>").what.kind).toBe("ignored");
  });

  it("is moderation only where the room says so", () => {
    const today =
      "<retract xmlns='urn:xmpp:message-retract:1' id='t'><moderated xmlns='urn:xmpp:message-moderate:1' by='room@muc.example.org/mod'/><reason>spam</reason></retract>";
    const before =
      "<apply-to xmlns='urn:xmpp:fasten:0' id='t'><moderated xmlns='urn:xmpp:message-moderate:0' by='room@muc.example.org/mod'><retract xmlns='urn:xmpp:message-retract:0'/><reason>spam</reason></moderated></apply-to>";
    const what = { kind: "moderation", target: "t", by: "room@muc.example.org/mod", reason: "spam" };
    for (const children of [today, before]) {
      expect(message(byRoom, children).what).toEqual(what);
      expect(message(inRoom, children).what.kind).toBe("forged");
      expect(message(fromAnn, children).what.kind).toBe("forged");
    }
  });

  it("is every reaction of its sender", () => {
    const reactions = (keys: readonly string[]): string =>
      `<reactions xmlns='urn:xmpp:reactions:0' id='t'>${keys.map((key) => `<reaction>${key}</reaction>`).join("")}</reactions>`;
    expect(message(inRoom, reactions(["👍", " 👍 ", "", "🎉"])).what).toEqual({
      kind: "reactions",
      target: "t",
      keys: ["👍", "🎉"],
    });
    expect(message(inRoom, reactions([])).what).toEqual({ kind: "reactions", target: "t", keys: [] });
    expect(message(inRoom, `<body>👍</body>${reactions(["👍"])}`).what.kind).toBe("reactions");
  });

  it("is a receipt, a marker or a chat state, also beside a text", () => {
    expect(message(fromAnn, "<received xmlns='urn:xmpp:receipts' id='t'/>").what).toEqual({
      kind: "receipt",
      target: "t",
    });
    expect(message(fromAnn, "<displayed xmlns='urn:xmpp:chat-markers:0' id='t'/>").what).toEqual({
      kind: "marker",
      marker: "displayed",
      target: "t",
    });
    expect(message(fromAnn, "<composing xmlns='http://jabber.org/protocol/chatstates'/>").what).toEqual({
      kind: "chatState",
      state: "composing",
    });
    const read = message(
      fromAnn,
      "<body>x</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>",
    );
    expect(read).toMatchObject({ what: { kind: "text" }, chatState: "active", wantsReceipt: true, markable: true });
  });

  it("is a subject only without a body", () => {
    expect(message(byRoom, "<subject>topic</subject>").what).toEqual({ kind: "subject", subject: "topic" });
    expect(message(byRoom, "<subject/>").what).toEqual({ kind: "subject", subject: "" });
    expect(message(byRoom, "<subject>mail</subject><body>text</body>").what).toMatchObject({
      kind: "text",
      subject: "mail",
    });
  });

  it("is encrypted for others, whatever the body says", () => {
    const omemo =
      "<encrypted xmlns='eu.siacs.conversations.axolotl'/><encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl' name='OMEMO'/><body>cannot read</body>";
    expect(message(fromAnn, omemo).what).toEqual({ kind: "encrypted", method: "OMEMO" });
  });

  it("is an error with what it asks for", () => {
    const read = message(
      "type='error' from='room@muc.example.org' id='m1'",
      "<body>lost</body><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not in the room</text></error>",
    );
    expect(read).toMatchObject({
      ids: { id: "m1" },
      what: { kind: "error", error: { type: "modify", condition: "not-acceptable", text: "not in the room" } },
    });
    expect(message("type='error'", "").what).toEqual({
      kind: "error",
      error: { type: "cancel", condition: "undefined-condition" },
    });
    expect(message("type='error'", "<error code='404' type='cancel'/>").what).toMatchObject({
      error: { condition: "item-not-found" },
    });
  });

  it("is an invitation, through the room or direct", () => {
    expect(
      message(
        "from='room@muc.example.org'",
        "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='ann@example.org'><reason>come</reason></invite><password>s</password></x><body>fallback</body>",
      ).what,
    ).toEqual({
      kind: "invite",
      how: "mediated",
      room: "room@muc.example.org",
      by: "ann@example.org",
      reason: "come",
      password: "s",
    });
    expect(
      message(fromAnn, "<x xmlns='jabber:x:conference' jid='room@muc.example.org' reason='come'/>").what,
    ).toMatchObject({ kind: "invite", how: "direct", room: "room@muc.example.org", by: "ann@example.org/phone" });
  });
});

describe("ids", () => {
  const sid = (by: string, id: string): string => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/>`;
  const origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o'/>";

  it("of a room are its own alone", () => {
    const read = (children: string) => message(inRoom, `<body>x</body>${children}`).ids;
    expect(read(origin + sid("room@muc.example.org", "s") + sid("evil@example.org", "x"))).toEqual({
      id: "m1",
      originId: "o",
      stanzaId: "s",
    });
    expect(read(sid("Room@MUC.example.org", "s"))).toMatchObject({ stanzaId: "s" });
    for (const forged of [
      sid("evil@example.org", "x"),
      sid("room@muc.example.org/ann", "x"),
      sid("", "x"),
      sid("room@muc.example.org", "s") + sid("room@muc.example.org", "t"),
    ])
      expect(read(forged)).toEqual({ id: "m1" });
  });

  it("of an account are its own server's", () => {
    const children = `<body>x</body>${sid("me@example.org", "s")}`;
    expect(message(fromAnn, children).ids).toEqual({ id: "m1" });
    expect(message(fromAnn, children, { account: "me@example.org" }).ids).toEqual({ id: "m1", stanzaId: "s" });
  });

  it("of occupants are the room's, and none where there are two", () => {
    const occupant = (id: string): string => `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${id}'/>`;
    expect(message(inRoom, `<body>x</body>${occupant("a")}`).occupantId).toBe("a");
    expect(message(inRoom, `<body>x</body>${occupant("a")}${occupant("b")}`)).not.toHaveProperty("occupantId");
  });
});

describe("delays", () => {
  it.each([
    [
      "<delay xmlns='urn:xmpp:delay' from='room@x' stamp='2002-09-10T23:08:25Z'>Offline</delay>",
      { at: 1031699305000, by: "room@x", reason: "Offline" },
    ],
    ["<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25.123456+02:00'/>", { at: 1031692105123 }],
    ["<x xmlns='jabber:x:delay' stamp='20020910T23:08:25'/>", { at: 1031699305000 }],
  ])("%s", (delay, expected) => expect(message(fromAnn, `<body>x</body>${delay}`).delay).toEqual(expected));
  it.each(["", "yesterday", "2002-13-10T23:08:25Z", "2002-09-10"])("%j is none", (stamp) =>
    expect(message(fromAnn, `<body>x</body><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>`)).not.toHaveProperty(
      "delay",
    ),
  );
});

describe("messages within messages", () => {
  const forwarded = (inner: string): string =>
    `<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>${inner}</forwarded>`;
  const said = (from: string): string =>
    `<message xmlns='jabber:client' type='chat' from='${from}' id='i'><body>x</body></message>`;
  const carbon = (inner: string): string => `<sent xmlns='urn:xmpp:carbons:2'>${forwarded(inner)}</sent>`;
  const result = (inner: string): string =>
    `<result xmlns='urn:xmpp:mam:2' queryid='q' id='a1'>${forwarded(inner)}</result>`;
  const account = { account: "me@example.org" };

  it("are carbons from the own account alone", () => {
    expect(
      message("from='me@example.org' to='me@example.org/x'", carbon(said("me@example.org/y")), account).what,
    ).toMatchObject({
      kind: "carbon",
      direction: "sent",
      message: { from: "me@example.org/y", what: { kind: "text" } },
    });
    for (const from of ["from='eve@example.org'", "from='me@example.org/other'", "from='me@example.org.evil'", ""])
      expect(message(from, carbon(said("me@example.org/y")), account).what.kind).toBe("forged");
    expect(message("from='me@example.org'", carbon(said("me@example.org/y"))).what.kind).toBe("forged");
  });

  it("are results of an archive, with the archive's id and time", () => {
    const read = message("from='room@muc.example.org'", result(said("room@muc.example.org/ann"))).what;
    expect(read).toMatchObject({
      kind: "archived",
      queryId: "q",
      id: "a1",
      message: { ids: { id: "i", stanzaId: "a1" }, delay: { at: 1031699305000 }, what: { kind: "text" } },
    });
  });

  it("of a room's archive are from that room", () => {
    expect(message("from='room@muc.example.org'", result(said("bob@example.org"))).what.kind).toBe("forged");
    expect(message("from='me@example.org'", result(said("bob@example.org")), account).what.kind).toBe("archived");
  });

  it("hold no more messages", () => {
    const nested = `<message xmlns='jabber:client' from='me@example.org'>${carbon(said("x@y"))}</message>`;
    expect(message("from='me@example.org'", carbon(nested), account).what).toMatchObject({
      message: { what: { kind: "ignored" } },
    });
  });
});

describe("any message", () => {
  const names = [
    "body",
    "subject",
    "thread",
    "x",
    "reply",
    "fallback",
    "reference",
    "replace",
    "retract",
    "apply-to",
    "moderated",
    "reactions",
    "reaction",
    "result",
    "forwarded",
    "sent",
    "message",
    "event",
    "items",
    "item",
    "file-sharing",
    "sources",
    "url-data",
    "html",
    "error",
    "invite",
    "delay",
    "stanza-id",
    "field",
    "value",
    "markup",
    "span",
    "query",
    "set",
    "vCard",
    "PHOTO",
  ];
  const attributes = [
    "id",
    "type",
    "from",
    "to",
    "by",
    "start",
    "end",
    "begin",
    "uri",
    "jid",
    "stamp",
    "target",
    "node",
    "var",
    "for",
    "code",
  ];
  const { node } = fc.letrec<{ node: XmlElement }>((tie) => ({
    node: fc
      .record({
        name: fc.constantFrom(...names),
        xmlns: fc.option(fc.constantFrom(...Object.values(ns)), { nil: undefined, freq: 2 }),
        given: fc.dictionary(
          fc.constantFrom(...attributes),
          fc.oneof(
            hostileText,
            fc.constantFrom("0", "1", "5", "mention", "groupchat", "error", "xmpp:a@b", "https://x.example/a.png"),
          ),
        ),
        children: fc.array(fc.oneof({ maxDepth: 5, depthSize: "small" }, hostileText, tie("node")), { maxLength: 4 }),
      })
      .map(({ name, xmlns, given, children }) => element(name, { xmlns, ...given }, ...children)),
  }));

  it("has a meaning, also after a way over the wire", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("message", "presence", "iq"),
        fc.dictionary(fc.constantFrom(...attributes), hostileText),
        fc.array(node, { maxLength: 6 }),
        (name, given, children) => {
          const stanza = element(name, given, ...children);
          const read = readStanza(stanza, { account: "me@example.org" });
          expect(read.stanza).toBe(name);
          const again = parseXml(stanza.toString());
          expect(again?.toString()).toBe(stanza.toString());
        },
      ),
      { seed: 20261122, numRuns: 4_000 },
    );
  });

  it("is no XML where it is malformed", () => {
    for (const text of [
      "",
      "x",
      "<a>",
      "</a>",
      "<a></b>",
      "<a/><b/>",
      "<a/></around><around>",
      "<a>&bogus;</a>",
      "<a>&#1;</a>",
      "<a",
      "<a/>junk",
    ])
      expect([text, parseXml(text)]).toEqual([text, undefined]);
  });
});
