import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { compare, findMarks, markOf, tally, type Said } from "../dist/crash/ledger.js";

const direction = "Matrix → IRC";
const marksOf = (count: number): string[] =>
  Array.from({ length: count }, (_, message) => markOf(direction, 3, message, 0).slice(1, -1));
const saidOf = (ids: readonly string[]): Said[] => ids.map((id, at) => ({ id, at }));
const judge = (said: readonly string[], heard: readonly string[]) => {
  const { lost, duplicated, reordered } = tally(said.length, compare(direction, 3, saidOf(said), heard));
  return { lost, duplicated, reordered };
};

describe("the judge of the crash suite", () => {
  it("finds nothing where all arrived once, in order", () => {
    expect(judge(marksOf(50), marksOf(50))).toEqual({ lost: 0, duplicated: 0, reordered: 0 });
  });

  it("counts exactly what is lost and what is duplicated, wherever it happened", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }), (copies) => {
        const said = marksOf(copies.length);
        const heard = said.flatMap((id, index) => Array.from({ length: copies[index] ?? 0 }, () => id));
        const lost = copies.filter((count) => count === 0).length;
        const duplicated = copies.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
        expect(judge(said, heard)).toEqual({ lost, duplicated, reordered: 0 });
      }),
      { seed: 1 },
    );
  });

  it("sees every order but the right one", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(marksOf(12), { minLength: 12 }), (heard) => {
        const said = marksOf(12);
        const { lost, duplicated, reordered } = judge(said, heard);
        expect({ lost, duplicated }).toEqual({ lost: 0, duplicated: 0 });
        expect(reordered === 0).toBe(heard.every((id, index) => id === said[index]));
      }),
      { seed: 1 },
    );
  });

  it("does not let pass what nobody said", () => {
    expect(judge(marksOf(2), [...marksOf(2), "m3-99.0"])).toEqual({ lost: 0, duplicated: 1, reordered: 0 });
  });

  it("finds the marks of its own direction in a text, also when lines were joined or wrapped", () => {
    const text = `<person> ${markOf(direction, 1, 2, 0)} beam … \u0001ACTION ${markOf(direction, 1, 2, 1)} span\u0001 ${markOf("IRC → Matrix", 1, 5, 0)}`;
    expect(findMarks(direction, text)).toEqual(["m1-2.0", "m1-2.1"]);
    expect(findMarks("IRC → Matrix", text)).toEqual(["i1-5.0"]);
  });
});
