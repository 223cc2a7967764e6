import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { numbered, Tally } from "../dist/playground/tally.js";

const TOTAL = 20;

/** What the tally says after these numbers arrived on IRC, in this order. */
function after(arrivals: readonly number[]): { arrived: number; duplicated: number; outOfOrder: number } {
  const tally = new Tally(3, TOTAL, "IRC");
  for (const number of arrivals)
    tally.arrived(
      "toNetwork",
      `<alice> ${numbered({ direction: "toNetwork", run: 3, number: number, total: TOTAL, network: "IRC" })}`,
    );
  const { arrived, duplicated, outOfOrder } = tally.state.toNetwork;
  return { arrived, duplicated, outOfOrder };
}

const all = Array.from({ length: TOTAL }, (_none, index) => index + 1);

describe("the playground's tally", () => {
  it("has nothing to say against messages that arrive once and in order", () => {
    expect(after(all)).toEqual({ arrived: TOTAL, duplicated: 0, outOfOrder: 0 });
  });

  it("sees what is lost, repeated and overtaken", () => {
    expect(after([1, 2, 4])).toEqual({ arrived: 3, duplicated: 0, outOfOrder: 0 });
    expect(after([1, 2, 2, 3, 1])).toEqual({ arrived: 3, duplicated: 2, outOfOrder: 0 });
    expect(after([1, 3, 2, 4])).toEqual({ arrived: 4, duplicated: 0, outOfOrder: 1 });
  });

  it("never counts a message as arrived twice, and finds every disorder", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: TOTAL }), { maxLength: 60 }), (arrivals) => {
        const first = [...new Set(arrivals)];
        const { arrived, duplicated, outOfOrder } = after(arrivals);
        expect(arrived).toBe(first.length);
        expect(duplicated).toBe(arrivals.length - first.length);
        expect(outOfOrder === 0).toBe(first.every((number, index) => index === 0 || number > (first[index - 1] ?? 0)));
      }),
      { seed: 8090, numRuns: 300 },
    );
  });

  it("counts only what comes from the other side, in this run", () => {
    const tally = new Tally(3, TOTAL, "IRC");
    expect(
      tally.arrived("toNetwork", numbered({ direction: "toMatrix", run: 3, number: 1, total: TOTAL, network: "IRC" })),
    ).toBe(false);
    expect(
      tally.arrived("toNetwork", numbered({ direction: "toNetwork", run: 2, number: 1, total: TOTAL, network: "IRC" })),
    ).toBe(false);
    expect(tally.arrived("toNetwork", "No. 1, anyone?")).toBe(false);
    expect(
      tally.arrived("toNetwork", numbered({ direction: "toNetwork", run: 3, number: 1, total: TOTAL, network: "IRC" })),
    ).toBe(true);
    tally.sent("toNetwork");
    expect(tally.state).toEqual({
      run: 3,
      total: TOTAL,
      toNetwork: { sent: 1, arrived: 1, duplicated: 0, outOfOrder: 0 },
      toMatrix: { sent: 0, arrived: 0, duplicated: 0, outOfOrder: 0 },
    });
  });
});
