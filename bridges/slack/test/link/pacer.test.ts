import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { limitOf, Pacer } from "../../dist/link/index.js";

const pace = (key: string, perMinute = 60, burst = 1) => ({ key, perMinute, burst });

/** Never waits, so that what it would wait for can be seen. */
function impatient(now: () => number): Pacer {
  return new Pacer({ longestWaitMs: 0, now });
}

describe("pacing", () => {
  it("lets a burst through and then as many as the pace allows", async () => {
    let now = 0;
    const pacer = impatient(() => now);
    const taken = async (): Promise<number> => {
      let count = 0;
      while ((await pacer.take([pace("a", 60, 3)])) === 0) count += 1;
      return count;
    };
    expect(await taken()).toBe(3);
    now = 1_000;
    expect(await taken()).toBe(1);
    now = 10_000;
    expect(await taken()).toBe(3);
  });

  it("says how long it would be, and holds no place for whoever does not wait", async () => {
    let now = 0;
    const pacer = impatient(() => now);
    await pacer.take([pace("a")]);
    expect(await pacer.take([pace("a")])).toBe(1_000);
    expect(await pacer.take([pace("a")])).toBe(1_000);
    now = 400;
    expect(await pacer.take([pace("a")])).toBe(600);
  });

  it("stops one key when Slack says so, and no other", async () => {
    let now = 0;
    const pacer = impatient(() => now);
    expect(pacer.block(pace("a"), 5_000)).toBe(5_000);
    expect(await pacer.take([pace("a")])).toBe(5_000);
    expect(await pacer.take([pace("b")])).toBe(0);
    now = 5_000;
    expect(await pacer.take([pace("a")])).toBe(0);
  });

  it("never lets more through than burst and pace, whatever the order of requests", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.boolean()), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, burst) => {
          let now = 0;
          const pacer = impatient(() => now);
          let through = 0;
          for (const [pause, twice] of steps) {
            now += pause;
            for (let time = 0; time < (twice ? 2 : 1); time += 1)
              if ((await pacer.take([pace("a", 60, burst)])) === 0) through += 1;
          }
          expect(through).toBeLessThanOrEqual(burst + now / 1_000);
        },
      ),
      { seed: 4, numRuns: 100 },
    );
  });

  it("waits where that is short, in turn, and gives up its place when nobody waits any more", async () => {
    const pacer = new Pacer({ longestWaitMs: 5_000 });
    const quick = pace("a", 6_000, 1);
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map(async (each) => pacer.take([quick]).then(() => order.push(each))));
    expect(order).toEqual([1, 2, 3, 4]);
    const controller = new AbortController();
    await pacer.take([pace("b", 60, 1)]);
    const waiting = pacer.take([pace("b", 60, 1)], controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });

  it("knows that an app for others reads history once a minute", () => {
    expect(limitOf("conversations.history", "internal").perMinute).toBe(50);
    expect(limitOf("conversations.history", "distributed").perMinute).toBe(1);
    expect(limitOf("conversations.info", "distributed").perMinute).toBe(50);
    expect(limitOf("chat.postMessage", "internal")).toMatchObject({ perMinute: 60, perChannel: true });
  });
});
