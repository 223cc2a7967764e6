import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { NumberSet } from "../../dist/store/number-set.js";

describe("a set of numbers", () => {
  it("has what was added to it, and nothing else", () => {
    // Many have the same low bits, so that they are looked for in the same place.
    const number = fc.oneof(
      fc.maxSafeNat().map((n) => Math.min(n, 2 ** 53 - 2)),
      fc.nat(200).map((n) => n * 2 ** 40),
    );
    fc.assert(
      fc.property(
        fc.array(number, { maxLength: 3_000, size: "max" }),
        fc.array(number, { maxLength: 300 }),
        (added, others) => {
          const set = new NumberSet();
          const model = new Set(added);
          for (const each of added) set.add(each);
          for (const each of [0, 2 ** 53 - 2, ...added, ...others]) expect(set.has(each)).toBe(model.has(each));
        },
      ),
      { seed: 20_261_123, numRuns: 30 },
    );
  });
});
