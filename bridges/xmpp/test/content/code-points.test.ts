import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { codePointLength, cutRanges, element, readMessage, type Range } from "../../dist/content/index.js";
import { hostileText } from "./arbitrary.js";
import { plain, whatOf } from "./support.js";

const seed = 20261122;
const range = fc.record<Range>({ start: fc.nat(40), end: fc.nat(40) });
const isIn =
  (at: number) =>
  (given: Range): boolean =>
    given.start <= at && at < given.end;

describe("ranges of code points", () => {
  it("are cut out exactly, and what else was marked is where it was", () => {
    fc.assert(
      fc.property(
        hostileText,
        fc.array(range, { maxLength: 4 }),
        fc.array(range, { maxLength: 4 }),
        (text, cut, marked) => {
          const characters = Array.from(text);
          expect(codePointLength(text)).toBe(characters.length);
          const result = cutRanges(text, cut, marked);
          expect(result.text).toBe(characters.filter((_, at) => !cut.some(isIn(at))).join(""));
          const whole = marked.filter(
            ({ start, end }) =>
              start < end &&
              end <= characters.length &&
              !characters.some((_, at) => isIn(at)({ start, end }) && cut.some(isIn(at))),
          );
          if (cut.length === 0) return;
          const left = Array.from(result.text);
          expect(result.kept.map(({ start, end }) => left.slice(start, end).join(""))).toEqual(
            whole.map(({ start, end }) => characters.slice(start, end).join("")),
          );
        },
      ),
      { seed, numRuns: 3_000 },
    );
  });

  it("of a fallback leave the rest of the body", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "é", "😀", "👍🏽", "<", "\n", "b"), { minLength: 1, maxLength: 30 }),
        range,
        (parts, { start, end }) => {
          const characters = Array.from(parts.join(""));
          const rest = characters.filter((_, at) => !isIn(at)({ start, end })).join("");
          const message = element(
            "message",
            {},
            element("body", {}, characters.join("")),
            element("reply", { xmlns: "urn:xmpp:reply:0", id: "r" }),
            element(
              "fallback",
              { xmlns: "urn:xmpp:fallback:0", for: "urn:xmpp:reply:0" },
              element("body", { start, end }),
            ),
            element("unstyled", { xmlns: "urn:xmpp:styling:0" }),
          );
          if (characters.join("").trim() === "") return;
          const [content] = whatOf("text", readMessage(message)).contents;
          const expected = rest.trim() === "" ? characters.join("") : rest;
          expect(content?.type === "text" && plain(content.body)).toBe(expected.replace(/^\n+|\n+$/g, ""));
        },
      ),
      { seed, numRuns: 2_000 },
    );
  });
});
