import { describe, expect, it } from "@jest/globals";
import { DiskPace } from "../../dist/store/disk-pace.js";

function paceOf(...took: readonly number[]): DiskPace {
  const pace = new DiskPace();
  for (const each of took) pace.took(each);
  return pace;
}

describe("a disk", () => {
  it("is taken for fast until it shows otherwise", () => {
    expect(paceOf().isFast).toBe(true);
    expect(paceOf(0.2, 0.3, 0.2).isFast).toBe(true);
  });

  it("is not slow for a single long wait: others may have written", () => {
    expect(paceOf(0.2, 0.2, 6, 0.2).isFast).toBe(true);
  });

  it("is slow where half of the last waits were long", () => {
    expect(paceOf(5, 5, 5, 5).isFast).toBe(false);
  });

  it("is slow after one wait that everything else would have felt, and for a while after it", () => {
    expect(paceOf(0.2, 250).isFast).toBe(false);
    expect(paceOf(0.2, 250, 0.2, 0.2, 0.2).isFast).toBe(false);
  });

  it("is fast again when the last waits were short", () => {
    expect(paceOf(5, 5, 5, 250, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2).isFast).toBe(true);
  });
});
