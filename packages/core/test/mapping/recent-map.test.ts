import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { RecentMap } from "../../dist/mapping/recent-map.js";

const max = 12;

describe("a map of the newest entries", () => {
  it("has the newest ones for certain, whatever came before, and never an old value", () => {
    const step = fc.record({ key: fc.nat({ max: 40 }), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = new RecentMap<number>(max);
        const latest = new Map<string, number>();
        for (const [at, { key, remove }] of steps.entries()) {
          const name = `key${key}`;
          latest.delete(name);
          if (remove) map.delete(name);
          else {
            map.set(name, at);
            latest.set(name, at);
          }
          for (const [known, value] of [...latest].slice(-max)) expect(map.get(known)).toBe(value);
          for (const [known, value] of latest) expect([value, undefined]).toContain(map.get(known));
          if (remove) expect(map.get(name)).toBeUndefined();
        }
      }),
      { seed: 4711, numRuns: 100 },
    );
  });

  it("forgets the oldest: it holds at most a third more than it must", () => {
    const map = new RecentMap<number>(max);
    for (let n = 0; n < 1_000; n += 1) map.set(`key${n}`, n);
    const held = Array.from({ length: 1_000 }, (_, n) => n).filter((n) => map.get(`key${n}`) !== undefined);
    expect(held.length).toBeGreaterThanOrEqual(max);
    expect(held.length).toBeLessThanOrEqual((max * 4) / 3);
    expect(held.at(-1)).toBe(999);
  });
});
