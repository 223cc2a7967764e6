import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { element, ns, parseXml, readStanza, type XmlElement } from "../../dist/content/index.js";
import { hostileText } from "./arbitrary.js";

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
