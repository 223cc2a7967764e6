import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { colourOf } from "../dist/format/colours.js";
import { mergeRuns, parseRuns, PLAIN, type Run, type Style } from "../dist/format/runs.js";
import { encodeLine, MIN_BUDGET, splitLine } from "../dist/format/split.js";
import { cutToBytes } from "../dist/wire/sanitise.js";

const seed = 20240602;
const style: fc.Arbitrary<Style> = fc.constantFrom(
  PLAIN,
  { ...PLAIN, bold: true },
  { ...PLAIN, mono: true, strike: true },
  { ...PLAIN, foreground: colourOf(4)!, background: colourOf(1)! },
  { ...PLAIN, foreground: colourOf(12)! },
);
const unit = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 1 }) },
  { weight: 2, arbitrary: fc.constantFrom(" ", "1", ",", "é", "漢", "👩‍👩‍👧‍👦", "🇩🇪", "n̈", "ش") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 1 }) },
);
const line: fc.Arbitrary<Run[]> = fc
  .array(fc.record({ text: fc.array(unit, { maxLength: 300 }).map((units) => units.join("")), style }), {
    maxLength: 5,
  })
  .map((runs) => mergeRuns(runs));
const budget = fc.integer({ min: MIN_BUDGET, max: 450 });
const textOf = (runs: readonly Run[]) => runs.map(({ text }) => text).join("");

describe("splitting", () => {
  it("never exceeds the budget, loses no character and keeps every style", () => {
    fc.assert(
      fc.property(line, budget, (runs, bytes) => {
        const pieces = splitLine(runs, bytes);
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(bytes);
        expect(mergeRuns(pieces.flatMap((piece) => parseRuns(piece)))).toEqual(runs);
      }),
      { seed, numRuns: 400 },
    );
  });

  it("cuts no grapheme that fits into a line", () => {
    const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
    fc.assert(
      fc.property(
        fc.array(unit, { maxLength: 400 }).map((units) => units.join("")),
        budget,
        (text, bytes) => {
          const whole = new Set([...segmenter.segment(text)].map(({ index }) => index));
          let at = 0;
          for (const piece of splitLine([{ text, style: PLAIN }], bytes)) {
            expect(whole.has(at)).toBe(true);
            at += textOf(parseRuns(piece)).length;
          }
        },
      ),
      { seed, numRuns: 400 },
    );
  });

  it("cuts at a space where one is near", () => {
    const words = "word ".repeat(40);
    for (const piece of splitLine([{ text: words, style: PLAIN }], 103)) expect(piece).toMatch(/^word.*word $/);
  });

  it("goes on with a grapheme that is longer than a line", () => {
    const zalgo = `a${"\u0301".repeat(500)}b`;
    const pieces = splitLine([{ text: zalgo, style: PLAIN }], 100);
    expect(pieces.join("")).toBe(zalgo);
    expect(Math.max(...pieces.map((piece) => Buffer.byteLength(piece)))).toBeLessThanOrEqual(100);
  });

  it("takes time in proportion to the text, also for one word", () => {
    const cost = (text: string) => {
      const started = process.cpuUsage();
      for (let round = 0; round < 4; round++) splitLine([{ text, style: PLAIN }], 400);
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    for (const letter of ["x", "é", "漢"]) {
      const short = letter.repeat(32 * 1024);
      cost(short);
      // Quadratic time would be sixteen times as much.
      expect(cost(short.repeat(4))).toBeLessThan(Math.max(cost(short), 2_000) * 12);
    }
  });

  it("writes a whole line without cutting it", () => {
    expect(
      encodeLine([
        { text: "a", style: PLAIN },
        { text: "b", style: { ...PLAIN, bold: true } },
        { text: "c", style: PLAIN },
      ]),
    ).toBe("a\x02b\x0fc");
  });
});

describe("cutting free text", () => {
  it("stays within the bytes, is a beginning, and cuts no grapheme", () => {
    fc.assert(
      fc.property(
        fc.array(unit, { maxLength: 80 }).map((units) => units.join("")),
        fc.integer({ min: 0, max: 120 }),
        (text, bytes) => {
          const cut = cutToBytes(text, bytes);
          expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
          expect(text.startsWith(cut)).toBe(true);
        },
      ),
      { seed, numRuns: 400 },
    );
  });
});
