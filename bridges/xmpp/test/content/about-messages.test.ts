import { describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { message } from "./support.js";

const fromAnn = "type='chat' from='ann@example.org/phone' to='us@bridge.example' id='m1'";
const inRoom = "type='groupchat' from='room@muc.example.org/ann' to='us@bridge.example' id='m1'";
const byRoom = "type='groupchat' from='room@muc.example.org' to='us@bridge.example' id='m1'";

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
