import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { elementsOf, parseXml, type XmlElement } from "../../dist/content/xml.js";
import { readStanza, type Stanza } from "../../dist/content/read/stanza.js";

const file = fileURLToPath(new URL("../../../../../shared/data/xmpp-examples/examples.json", import.meta.url));
const hasExamples = existsSync(file);
if (!hasExamples)
  process.stdout.write("skipped: the examples of the XEPs, for ../shared/data/xmpp-examples is absent\n");
const withExamples = hasExamples ? describe : describe.skip;

const schema = z.array(z.object({ xep: z.string(), caption: z.string(), xml: z.string() }));
const examples = hasExamples ? schema.parse(JSON.parse(readFileSync(file, "utf8"))) : [];

const stanzasOf = (text: string): readonly XmlElement[] | undefined => {
  const around = parseXml(`<example>${text}</example>`);
  return around && elementsOf(around);
};
const meaningOf = (stanza: Stanza): string =>
  stanza.stanza === "none" ? "none" : `${stanza.stanza} ${stanza.what.kind}`;
const meaningsOf = (xep: string): string[] =>
  examples
    .filter((example) => example.xep === xep)
    .flatMap(({ xml }) => (stanzasOf(xml) ?? []).map((stanza) => meaningOf(readStanza(stanza))));

withExamples("the examples of the XEPs", () => {
  it("all parse, and each stanza has a meaning", () => {
    const meanings = new Map<string, number>();
    for (const { xep, caption, xml } of examples) {
      const stanzas = stanzasOf(xml);
      expect([xep, caption, stanzas === undefined]).toEqual([xep, caption, false]);
      for (const stanza of stanzas ?? []) {
        const meaning = meaningOf(readStanza(stanza, { account: "romeo@montague.example" }));
        expect(meaning === "none").toBe(!["message", "presence", "iq"].includes(stanza.getName()));
        meanings.set(meaning, (meanings.get(meaning) ?? 0) + 1);
      }
    }
    expect([...meanings.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(850);
    // Nothing of what the bridge is about is among what it does not know.
    expect(meanings.get("presence unknown")).toBeUndefined();
    expect(meanings.get("message unknown")).toBeLessThanOrEqual(7);
  });

  it.each([
    ["0054", ["iq vcard"]],
    ["0077", ["iq register"]],
    ["0085", ["message chatState"]],
    ["0184", ["message text", "message receipt"]],
    ["0249", ["message invite"]],
    ["0280", ["message carbon"]],
    ["0308", ["message correction"]],
    ["0313", ["message archived", "iq archiveQuery", "iq archiveEnd"]],
    ["0333", ["message marker"]],
    ["0363", ["iq uploadSlot"]],
    ["0410", ["iq ping"]],
    ["0421", ["presence roomJoin"]],
    [
      "0045",
      ["presence occupant", "presence occupantLeft", "message roomStatus", "message inviteRequest", "message invite"],
    ],
    ["0424", ["message retraction"]],
    ["0425", ["iq moderate"]],
    ["0444", ["message reactions"]],
    ["0461", ["message text"]],
  ])("of XEP-%s mean %j among others", (xep, expected) => {
    const account = { account: "romeo@montague.example" };
    const meanings =
      xep === "0280"
        ? examples
            .filter((example) => example.xep === xep)
            .flatMap(({ xml }) => (stanzasOf(xml) ?? []).map((stanza) => meaningOf(readStanza(stanza, account))))
        : meaningsOf(xep);
    expect(meanings).toEqual(expect.arrayContaining(expected));
  });

  it("come out of the serialiser as they went in", () => {
    for (const { xml } of examples) {
      for (const stanza of stanzasOf(xml) ?? []) {
        const again = parseXml(stanza.toString());
        expect(again?.toString()).toBe(stanza.toString());
        if (again !== undefined) expect(meaningOf(readStanza(again))).toBe(meaningOf(readStanza(stanza)));
      }
    }
  });
});
