import { ChannelId, type MessageEffect, RemoteMessageId, RemoteUserId, systemClock } from "@trestle/core";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until, within } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
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

describe("a stop while something is not answered", () => {
  const never = "1h";
  let stage: Stage;
  afterEach(() => stage.close());

  async function open(bridge: Readonly<Record<string, unknown>> = {}): Promise<void> {
    stage = await Stage.open({
      places: 1,
      bridge,
      delivery: { stopTimeout: 300, handlerTimeout: never },
      homeserverConfig: { requestTimeout: never },
    });
    await stage.sayOnMatrix(1);
    await stage.sayOnNetwork(1);
    await expectAllOnceInOrder(stage);
  }

  it("waits for a homeserver no longer than it may, and says again after the next start what was not answered", async () => {
    await open();
    const held = stage.homeserver.faults.hold({ route: "/send/", fromAppService: true });
    await stage.sayOnNetwork(3);
    await until(10_000, "the request", () => held.applied > 0 || undefined);
    await within(10_000, "the stop", stage.stop());
    held.remove();
    await stage.start();
    await stage.sayOnNetwork(1);
    await expectAllOnceInOrder(stage);
  });

  it.each([["hang"], ["takeAndHang"]] as const)(
    "waits for a network no longer than it may, and asks it after the next start (%s)",
    async (reaction) => {
      await open();
      let attempted: MessageEffect | undefined;
      stage.network.react = (effect) => {
        attempted = effect;
        return reaction;
      };
      await stage.sayOnMatrix(3);
      const { signal } = await until(10_000, "the attempt", () => attempted);
      expect(signal.aborted).toBe(false);
      await within(10_000, "the stop", stage.stop());
      // The connector is told, and nothing of it is sent any more.
      expect(signal.aborted).toBe(true);
      stage.network.react = () => "take";
      await stage.start();
      await stage.sayOnMatrix(1);
      await expectAllOnceInOrder(stage);
    },
  );

  it("waits for a join of the homeserver no longer than it may", async () => {
    await open({ membership: "full" });
    const held = stage.homeserver.faults.hold({ route: "/join", fromAppService: true });
    await stage.network.port.receive({
      kind: "membership",
      id: RemoteMessageId("comes"),
      channel: ChannelId("channel0"),
      user: { id: RemoteUserId("somebody new") },
      change: "join",
    });
    await until(10_000, "the request", () => held.applied > 0 || undefined);
    await within(10_000, "the stop", stage.stop());
    held.remove();
  });
});
