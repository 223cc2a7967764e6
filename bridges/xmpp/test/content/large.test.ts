import { describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { parseMatrixHtml } from "@trestle/rich-text";
import { element, parseXml, readMessage, writeSaid, type Envelope } from "../../dist/content/index.js";
import { whatOf } from "./support.js";

const chat: Envelope = { to: "bob@example.org", type: "chat", id: "m1" };
/** In code points: more than a call has arguments, and about what servers let through. */
const length = 300_000;

/** As large as a stanza can be, and larger. */
describe("a very large message", () => {
  it.each(["a", "a\n", "*a* ", "> ", "> *a*\n", "```\n", "😀", "_*~`", "\ufdd0"])("of %j comes in", (part) => {
    const body = part.repeat(length / Array.from(part).length);
    const mention = {
      xmlns: "urn:xmpp:reference:0",
      type: "mention",
      uri: "xmpp:a@b",
      begin: length - 5,
      end: length - 4,
    };
    const fallback = element(
      "fallback",
      { xmlns: "urn:xmpp:fallback:0", for: "urn:xmpp:reply:0" },
      element("body", { start: 3, end: 5 }),
    );
    const reply = element("reply", { xmlns: "urn:xmpp:reply:0", id: "r" });
    const read = readMessage(
      element("message", {}, element("body", {}, body), element("reference", mention), reply, fallback),
    );
    expect(whatOf("text", read).contents.length).toBe(1);
  });

  it("of thousands of elements comes in", () => {
    const parts = Array.from({ length: 5_000 }, (_, index) => [
      element("x", { xmlns: "jabber:x:oob" }, element("url", {}, `https://example.org/${index}.png`)),
      element("reference", {
        xmlns: "urn:xmpp:reference:0",
        type: "mention",
        uri: "xmpp:a@b",
        begin: index,
        end: index + 1,
      }),
      element(
        "fallback",
        { xmlns: "urn:xmpp:fallback:0", for: "urn:xmpp:sfs:0" },
        element("body", { start: index, end: index + 1 }),
      ),
    ]);
    const read = readMessage(element("message", {}, element("body", {}, "a".repeat(10_000)), parts));
    expect(whatOf("text", read).contents.length).toBe(20);
  });

  it.each([
    "a\n",
    "*a* ",
    "<b>a</b> <i>b</i><br>",
    "<a href='https://example.org'>a<br></a>",
    "<span data-mx-spoiler>a</span><br>",
  ])("of %j goes out", (part) => {
    const html = part.repeat(8_000);
    for (const content of [textContent(html), { type: "text", style: "text", body: parseMatrixHtml(html) } as const]) {
      const written = writeSaid(chat, content, { xhtml: true }).toString();
      expect(parseXml(written)).toBeDefined();
    }
  });
});
