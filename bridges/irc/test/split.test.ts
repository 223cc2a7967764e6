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
/** Everything but the spaces. */
const inked = (runs: readonly Run[]) =>
  mergeRuns(runs.map(({ text, style: own }) => ({ text: text.replace(/ /g, ""), style: own })));
const textOf = (runs: readonly Run[]) => runs.map(({ text }) => text).join("");

describe("splitting", () => {
  it("never exceeds the budget, loses nothing but the space at a cut, and keeps every style", () => {
    fc.assert(
      fc.property(line, budget, (runs, bytes) => {
        const pieces = splitLine(runs, bytes);
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(bytes);
        const text = textOf(runs);
        let at = 0;
        for (const piece of pieces) {
          const plain = textOf(parseRuns(piece));
          // Blank pieces are left out, so that any number of spaces may lie between two.
          while (!text.startsWith(plain, at) && text[at] === " ") at++;
          expect(text.startsWith(plain, at)).toBe(true);
          at += plain.length;
        }
        expect(text.slice(at).trim()).toBe("");
        expect(inked(pieces.flatMap((piece) => parseRuns(piece)))).toEqual(inked(runs));
      }),
      { seed, numRuns: 400 },
    );
  });

  it("cuts no grapheme that fits into a line", () => {
    const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
    const word = fc
      .array(
        unit.filter((each) => each !== " "),
        { maxLength: 400 },
      )
      .map((units) => units.join(""));
    fc.assert(
      fc.property(word, budget, (text, bytes) => {
        const whole = new Set([...segmenter.segment(text)].map(({ index }) => index));
        let at = 0;
        for (const piece of splitLine([{ text, style: PLAIN }], bytes)) {
          expect(whole.has(at)).toBe(true);
          at += textOf(parseRuns(piece)).length;
        }
      }),
      { seed, numRuns: 400 },
    );
  });

  it("cuts at a space where one is near, and drops it", () => {
    const words = Array.from({ length: 40 }, () => "word");
    const pieces = splitLine([{ text: words.join(" "), style: PLAIN }], 104);
    expect(pieces.join(" ")).toBe(words.join(" "));
    expect(pieces[0]).toHaveLength(104);
  });

  it("goes on with a grapheme that is longer than a line", () => {
    const zalgo = `a${"\u0301".repeat(500)}b`;
    const pieces = splitLine([{ text: zalgo, style: PLAIN }], 100);
    expect(pieces.join("")).toBe(zalgo);
    expect(Math.max(...pieces.map((piece) => Buffer.byteLength(piece)))).toBeLessThanOrEqual(100);
  });

  it("takes time in proportion to the text, also for one word", () => {
    const once = (text: string): number => {
      const started = process.cpuUsage();
      splitLine([{ text, style: PLAIN }], 400);
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    // The best of several: what garbage collection and others on the machine take is nobody's fault here.
    const cost = (text: string): number => Math.min(...Array.from({ length: 8 }, () => once(text)));
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
