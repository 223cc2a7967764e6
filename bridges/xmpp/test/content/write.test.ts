import { describe, expect, it } from "@jest/globals";
import { textContent, type Content, type MediaContent } from "@trestle/core";
import { normalise, parseMatrixHtml, parsePlainText, toMatrixHtml, type RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyHtml } from "../../../../packages/rich-text/test/arbitrary-tree.js";
import {
  codePointLength,
  isEmoji,
  partsOf,
  readMessage,
  readStanza,
  writeChatState,
  writeDecline,
  writeDirectInvite,
  writeInviteRequest,
  writeMarker,
  writeMediatedInvite,
  writeModeration,
  writeReactions,
  writeReceipt,
  writeRetraction,
  writeSaid,
  writeSubject,
  moderationRequest,
  element,
  type Envelope,
  type SaidOptions,
  type XmlElement,
} from "../../dist/content/index.js";
import { hostileText, stylableTree } from "./arbitrary.js";
import { plain, whatOf, xml } from "./support.js";

const seed = 20261122;
const chat: Envelope = { from: "ann@bridge.example/m", to: "bob@example.org", type: "chat", id: "m1" };
const room: Envelope = { from: "ann@bridge.example/m", to: "room@muc.example.org", type: "groupchat", id: "m1" };

/** Over the wire and back. */
const wire = (stanza: XmlElement) => readMessage(xml(stanza.toString()));
const bodyIn = (stanza: XmlElement): string => stanza.getChildText("body") ?? "";
const say = (content: Content | string, options?: SaidOptions, envelope = chat) =>
  writeSaid(envelope, typeof content === "string" ? textContent(content) : content, options);
const saidBy = (stanza: XmlElement) => whatOf("text", wire(stanza));

describe("a text that goes out", () => {
  it("is a body, its id told twice, and a chat state", () => {
    expect(say("hello").toString()).toBe(
      '<message from="ann@bridge.example/m" to="bob@example.org" type="chat" id="m1"><body>hello</body>' +
        '<active xmlns="http://jabber.org/protocol/chatstates"/><origin-id xmlns="urn:xmpp:sid:0" id="m1"/></message>',
    );
  });

  it("is an action with /me, and no action where it only looks like one", () => {
    expect(bodyIn(say(textContent("waves", "emote")))).toBe("/me waves");
    expect(saidBy(say(textContent("waves", "emote"))).contents).toMatchObject([{ style: "emote" }]);
    expect(bodyIn(say("/me waves"))).toBe("\u2060/me waves");
    expect(saidBy(say("/me waves")).contents).toMatchObject([{ style: "text" }]);
    expect(bodyIn(say("/metric"))).toBe("/metric");
  });

  it("says that it is not styled where it looks so", () => {
    expect(say("*x*").getChild("unstyled", "urn:xmpp:styling:0")).toBeDefined();
    expect(say("x").getChild("unstyled")).toBeUndefined();
    expect(
      say({ type: "text", style: "text", body: parseMatrixHtml("<b>x</b>") }).getChild("unstyled"),
    ).toBeUndefined();
  });

  it("answers with a quotation that is cut again exactly", () => {
    const reply = { id: "r1", author: "bob@example.org/phone", name: "Bøb 😀", excerpt: "one 👨‍👩‍👧\ntwo" };
    const stanza = say("the answer", { reply });
    expect(bodyIn(stanza)).toBe("> Bøb 😀: one 👨‍👩‍👧\n> two\nthe answer");
    const range = stanza.getChild("fallback", "urn:xmpp:fallback:0")?.getChild("body")?.attrs;
    expect(range).toEqual({ start: "0", end: String(codePointLength("> Bøb 😀: one 👨‍👩‍👧\n> two\n")) });
    expect(saidBy(stanza)).toMatchObject({
      replyTo: { id: "r1", author: "bob@example.org/phone" },
      contents: [textContent("the answer")],
    });
  });

  it("mentions people where they stand in the body, behind the quotation", () => {
    const body = parseMatrixHtml('😀 <a href="https://matrix.to/#/@eve:example.org">Eve</a>!');
    const mention: SaidOptions["mention"] = (target) =>
      target.kind === "matrixUser" ? { jid: "eve@bridge.example", name: "Eve E." } : undefined;
    const stanza = say({ type: "text", style: "text", body }, { mention, reply: { id: "r", name: "Bob" } });
    expect(bodyIn(stanza)).toBe("> Bob\n😀 Eve E.!");
    expect(stanza.getChild("reference")?.attrs).toMatchObject({
      begin: "8",
      end: "14",
      uri: "xmpp:eve@bridge.example",
    });
    const [content] = saidBy(stanza).contents;
    expect(content?.type === "text" && content.body.blocks).toEqual([
      {
        type: "paragraph",
        children: [
          { type: "text", text: "😀 " },
          { type: "mention", target: { kind: "remoteUser", id: "eve@bridge.example" }, text: "Eve E." },
          { type: "text", text: "!" },
        ],
      },
    ]);
  });

  it("hides what is a spoiler", () => {
    const body = parseMatrixHtml('<span data-mx-spoiler="the end">he dies</span>');
    const stanza = say({ type: "text", style: "text", body }, { xhtml: true });
    expect(stanza.getChildText("spoiler", "urn:xmpp:spoiler:0")).toBe("the end");
    expect(stanza.getChild("html")).toBeUndefined();
    const [content] = saidBy(stanza).contents;
    expect(content?.type === "text" && toMatrixHtml(content.body)).toBe(
      '<span data-mx-spoiler="the end">he dies</span>',
    );
  });

  it("corrects the first form of a message, without anything in the body that says so", () => {
    const stanza = say("better", { replaces: "first" });
    expect(bodyIn(stanza)).toBe("better");
    expect(wire(stanza).what).toMatchObject({ kind: "correction", target: "first", contents: [textContent("better")] });
  });

  it("stands in a thread, and asks for receipts only outside of rooms", () => {
    const options = { thread: { id: "t", parent: "p" }, wantsReceipt: true, markable: true };
    expect(wire(say("x", options))).toMatchObject({
      wantsReceipt: true,
      markable: true,
      what: { thread: { id: "t", parent: "p" } },
    });
    expect(wire(say("x", options, room)).wantsReceipt).toBe(false);
  });

  it("comes back as it was, whatever it is", () => {
    fc.assert(
      fc.property(hostileText, fc.boolean(), hostileText, (text, isEmote, excerpt) => {
        const content = textContent(text, isEmote ? "emote" : "text");
        const stanza = say(content, { reply: { id: "r", name: "Bob", excerpt } });
        const expected = normalise(parsePlainText(text.replace(/[\ufdd0-\ufdef]/g, "\ufffd")));
        if (plain(expected).trim() === "") return;
        const said = saidBy(stanza);
        const [got] = said.contents;
        expect(said.contents.length).toBe(1);
        if (got?.type === "location") return;
        expect(got).toMatchObject({ type: "text", style: content.style });
        if (got?.type === "text")
          expect(plain(got.body).replaceAll("\u2060", "")).toBe(plain(expected).replaceAll("\u2060", ""));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("comes back with its styles, also through XHTML-IM", () => {
    fc.assert(
      fc.property(stylableTree, fc.boolean(), (tree, xhtml) => {
        const [got] = saidBy(say({ type: "text", style: "text", body: tree }, { xhtml })).contents;
        const shown = (given: RichText): string =>
          toMatrixHtml(given).replace(/ class="[^"]*"|[\u2060\s\u00a0]|&nbsp;|&#9;|<br>|<\/?p>/g, "");
        const marked = JSON.parse(JSON.stringify(tree).replace(/[\ufdd0-\ufdef]/g, "\ufffd")) as RichText;
        expect(got?.type === "text" && shown(got.body).replace(/[\ufdd0-\ufdef]/g, "\ufffd")).toBe(shown(marked));
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it("is XML 1.0, whatever the HTML", () => {
    fc.assert(
      fc.property(anyHtml, hostileText, (html, name) => {
        const body = parseMatrixHtml(html);
        const stanza = say(
          { type: "text", style: "text", body },
          { xhtml: true, reply: { id: name, name, excerpt: html }, replaces: name },
        );
        const text = stanza.toString();
        expect(text).not.toMatch(/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|\p{Surrogate}/u);
        expect(xml(text).toString()).toBe(text);
        expect(
          xml(text)
            .getChildElements()
            .map(({ name: tag }) => tag),
        ).toEqual(stanza.getChildElements().map(({ name: tag }) => tag));
      }),
      { seed, numRuns: 1_500 },
    );
  });
});

describe("a file that goes out", () => {
  const media: MediaContent = {
    type: "media",
    kind: "image",
    name: "../cat\u0001 <1>.png",
    source: { from: "url", url: "https://example.org/u/cat.png" },
    mimeType: "image/png",
    size: 1234,
    width: 64,
    height: 48,
    durationMs: 10,
  };
  const url = "https://example.org/u/cat.png";

  it("is its address, told in each of the ways", () => {
    const stanza = say(media, { url });
    expect(bodyIn(stanza)).toBe(url);
    expect(stanza.getChild("x", "jabber:x:oob")?.getChildText("url")).toBe(url);
    expect(saidBy(stanza).contents).toEqual([{ ...media, name: "cat <1>.png" }]);
  });

  it("is a sticker where it was one", () => {
    expect(saidBy(say({ ...media, kind: "sticker" }, { url })).contents).toMatchObject([{ kind: "sticker" }]);
  });

  it("answers without a quotation, which would hide the address", () => {
    expect(saidBy(say(media, { url, reply: { id: "r", name: "Bob", excerpt: "x" } }))).toMatchObject({
      replyTo: { id: "r" },
    });
  });

  it("is named where nobody can fetch it", () => {
    expect(bodyIn(say(media))).toBe("../cat <1>.png (image, 0:00, 1.2 kB)");
  });

  it("is followed by its caption", () => {
    const caption = parsePlainText("look");
    expect(partsOf({ ...media, caption })).toEqual([media, { type: "text", style: "text", body: caption }]);
    expect(partsOf(media)).toEqual([media]);
  });

  it("is a place where it is one", () => {
    const place: Content = { type: "location", latitude: 51.5, longitude: -0.12 };
    expect(bodyIn(say(place))).toBe("geo:51.5,-0.12");
    expect(saidBy(say(place)).contents).toEqual([place]);
    expect(bodyIn(say({ ...place, description: "Big Ben" }))).toBe("Big Ben: 51.5, -0.12\ngeo:51.5,-0.12");
  });
});

describe("what is said about messages", () => {
  it("is read as what it was written as", () => {
    expect(wire(writeRetraction(room, "t", { reason: "typo" })).what).toEqual({
      kind: "retraction",
      target: "t",
      reason: "typo",
    });
    expect(wire(writeReactions(room, "t", ["👍", "👍", "🏳️‍🌈", "text", ""])).what).toEqual({
      kind: "reactions",
      target: "t",
      keys: ["👍", "🏳️‍🌈"],
    });
    expect(wire(writeReactions(room, "t", [])).what).toEqual({ kind: "reactions", target: "t", keys: [] });
    expect(wire(writeReceipt(chat, "t")).what).toEqual({ kind: "receipt", target: "t" });
    expect(wire(writeMarker(room, "t")).what).toEqual({ kind: "marker", marker: "displayed", target: "t" });
    expect(wire(writeChatState(chat, "composing")).what).toEqual({ kind: "chatState", state: "composing" });
    expect(wire(writeSubject(room, "a & b")).what).toEqual({ kind: "subject", subject: "a & b" });
    expect(wire(writeSubject(room, "")).what).toEqual({ kind: "subject", subject: "" });
  });

  it("has no body but a retraction's, which says that the client is too old", () => {
    for (const stanza of [
      writeReactions(room, "t", ["👍"]),
      writeReceipt(chat, "t"),
      writeMarker(chat, "t"),
      writeSubject(room, "x"),
    ])
      expect(stanza.getChild("body")).toBeUndefined();
    expect(writeRetraction(room, "t").getChild("fallback")?.attrs).toMatchObject({ for: "urn:xmpp:message-retract:1" });
  });

  it("is understood by those who know only the first retraction", () => {
    const fastened = writeRetraction(chat, "t", { old: true }).getChild("apply-to", "urn:xmpp:fasten:0");
    expect(fastened?.attrs).toMatchObject({ id: "t" });
    expect(fastened?.getChild("retract", "urn:xmpp:message-retract:0")).toBeDefined();
    expect(wire(element("message", { from: "a@b/c", type: "chat" }, fastened)).what).toEqual({
      kind: "retraction",
      target: "t",
    });
  });

  it.each([false, true])("asks a room to take a message away (old: %s)", (old) => {
    const iq = element("iq", { type: "set", id: "1" }, moderationRequest("t", { reason: "spam", old }));
    expect(readStanza(xml(iq.toString()))).toMatchObject({ what: { kind: "moderate", target: "t", reason: "spam" } });
  });

  it("tells that a moderator took a message away, in both ways", () => {
    const stanza = writeModeration({ from: "room@muc.example.org", to: "a@b/c", type: "groupchat", id: "1" }, "t", {
      by: "room@muc.example.org/mod",
      occupantId: "o",
      reason: "spam",
    });
    const what = { kind: "moderation", target: "t", by: "room@muc.example.org/mod", reason: "spam" };
    expect(wire(stanza).what).toEqual({ ...what, byOccupantId: "o" });
    const old = element("message", { from: "room@muc.example.org", type: "groupchat" }, stanza.getChild("apply-to"));
    expect(wire(old).what).toEqual(what);
  });

  it("invites, asks for invitations, and refuses", () => {
    const invite = { room: "room@muc.example.org", reason: "come", password: "secret" };
    expect(wire(writeDirectInvite(chat, invite)).what).toEqual({
      kind: "invite",
      how: "direct",
      by: "ann@bridge.example/m",
      ...invite,
    });
    const fromRoom: Envelope = { from: "room@muc.example.org", to: "bob@example.org", type: "normal", id: "1" };
    expect(
      wire(writeMediatedInvite(fromRoom, { by: "ann@bridge.example", reason: "come", password: "secret" })).what,
    ).toEqual({
      kind: "invite",
      how: "mediated",
      by: "ann@bridge.example",
      ...invite,
    });
    expect(wire(writeInviteRequest(room, "eve@example.org", "come")).what).toEqual({
      kind: "inviteRequest",
      to: ["eve@example.org"],
      reason: "come",
    });
    expect(wire(writeDecline(room, "eve@example.org", "no time")).what).toEqual({
      kind: "declineRequest",
      to: "eve@example.org",
      reason: "no time",
    });
  });

  it.each(["👍", "👍🏽", "🇩🇪", "👨‍👩‍👧", "❤️", "1️⃣", "☺"])("%s is an emoji", (key) => expect(isEmoji(key)).toBe(true));
  it.each(["", "a", "+1", ":thumbsup:", "👍👍", "1", "é", "mxc://a/b"])("%j is none", (key) =>
    expect(isEmoji(key)).toBe(false),
  );
});
