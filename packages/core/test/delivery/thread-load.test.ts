import { describe, expect, it } from "@jest/globals";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import { until } from "../../../../test/support/bounded.js";
import { ThreadLoad } from "../../dist/delivery/thread-load.js";

describe("the load of the thread", () => {
  it("is high where it works without a pause, and no longer when it has pauses again", async () => {
    const load = new ThreadLoad();
    expect(load.isHigh).toBe(false);
    const enough = new AbortController();
    const work = (async () => {
      while (!enough.signal.aborted) await turn();
    })();
    await until(20_000, "the load to be high", () => load.isHigh || undefined);
    enough.abort();
    await work;
    await until(20_000, "the load to fall", async () => {
      await pause(5);
      return !load.isHigh || undefined;
    });
  });
});
