import { systemClock } from "@trestle/core";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/bounded.js";
import { Stage } from "./stage.js";

jest.setTimeout(60_000);

/** Real time, with a list of what is still waited for. */
class WatchedClock {
  readonly waits = new Map<object, number>();

  readonly clock = {
    now: () => systemClock.now(),
    after: (ms: number, call: () => void): (() => void) => {
      const wait = {};
      this.waits.set(wait, ms);
      const cancel = systemClock.after(ms, () => {
        this.waits.delete(wait);
        call();
      });
      return () => {
        this.waits.delete(wait);
        cancel();
      };
    },
  };
}

describe("a stop while the homeserver is away", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  it("waits for nothing that waits for the homeserver, and leaves no timer behind", async () => {
    const watched = new WatchedClock();
    stage = await Stage.open({ clock: watched.clock });
    await stage.sayOnMatrix(2);
    await stage.homeserver.pause();
    await stage.stop();
    await stage.startUngreeted();
    await stage.sayOnNetwork(2);
    const { greeted } = stage.trestle;
    await until(10_000, "the wait between two tries", () => [...watched.waits.values()].includes(1_000) || undefined);
    await stage.stop();
    await greeted;
    expect([...watched.waits.values()]).toEqual([]);
  });

  it("ends the wait for a link of the configuration that cannot be made", async () => {
    const watched = new WatchedClock();
    stage = await Stage.open({
      clock: watched.clock,
      network: { handlers: { resolveChannel: () => Promise.resolve(null) } },
    });
    await stage.stop();
    await stage.startUngreeted();
    const { greeted } = stage.trestle;
    await until(10_000, "the wait between two tries", () => [...watched.waits.values()].includes(1_000) || undefined);
    await stage.stop();
    await greeted;
    expect([...watched.waits.values()]).toEqual([]);
  });
});
