import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { Gathering } from "../../dist/delivery/gathering.js";

describe("work on what has come", () => {
  const load = { isHigh: false };
  let begun = 0;
  let gathering: Gathering;
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
    jest.advanceTimersByTime(1_000);
    begun = 0;
    load.isHigh = false;
    gathering = new Gathering(() => (begun += 1), load);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it("begins at once while the thread has time for it", () => {
    for (let n = 1; n <= 3; n += 1) {
      gathering.came();
      expect(begun).toBe(n);
    }
  });

  it("begins together, within a few milliseconds, where the thread has none", () => {
    load.isHigh = true;
    gathering.came();
    expect(begun).toBe(1);
    for (let n = 0; n < 50; n += 1) gathering.came();
    expect(begun).toBe(1);
    jest.advanceTimersByTime(10);
    expect(begun).toBe(2);
    jest.advanceTimersByTime(1_000);
    expect(begun).toBe(2);
  });

  it("does not begin by itself after the end", () => {
    load.isHigh = true;
    gathering.came();
    gathering.came();
    gathering.end();
    jest.advanceTimersByTime(1_000);
    expect(begun).toBe(1);
  });
});
