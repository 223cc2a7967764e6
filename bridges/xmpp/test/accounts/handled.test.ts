import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Handled } from "../../dist/accounts/connection/handled.js";

describe("what was dealt with", () => {
  it("is counted up to the first stanza that is not, in whatever order they are done", async () => {
    const cases = fc.array(fc.record({ order: fc.double({ noNaN: true }), fails: fc.boolean(), waits: fc.boolean() }), {
      maxLength: 12,
    });
    const property = fc.asyncProperty(cases, async (stanzas) => {
      const handled = new Handled();
      const pending = stanzas.map(({ waits, order, fails }, index) => {
        let done = (): void => undefined;
        const promise = new Promise<void>((resolve, reject) => {
          done = () => (fails ? reject(new Error("the disk refuses")) : resolve());
        });
        handled.take(() => {
          if (waits) handled.waitFor(promise, () => undefined);
        });
        return { index, waits, order, fails, done };
      });
      const isDone = pending.map(({ waits }) => !waits);
      const expected = () => {
        const first = isDone.indexOf(false);
        return first === -1 ? isDone.length : first;
      };
      expect(handled.count).toBe(expected());
      for (const { index, waits, fails, done } of [...pending].sort((one, other) => one.order - other.order)) {
        if (!waits) continue;
        done();
        await Promise.resolve();
        await Promise.resolve();
        if (!fails) isDone[index] = true;
        expect(handled.count).toBe(expected());
        expect(handled.isBehind).toBe(expected() < isDone.length);
      }
    });
    await fc.assert(property, { seed: 20261122, numRuns: 200 });
  });

  it("counts nothing of a connection that is gone", async () => {
    const handled = new Handled();
    let done = (): void => undefined;
    handled.take(() => handled.waitFor(new Promise((resolve) => (done = resolve)), () => undefined));
    handled.take(() => undefined);
    handled.cut();
    done();
    await Promise.resolve();
    await Promise.resolve();
    expect(handled.count).toBe(0);
    handled.take(() => undefined);
    expect(handled.count).toBe(1);
  });
});
