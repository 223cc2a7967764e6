import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { refused, retry, uncertain } from "@trestle/core";
import { until } from "../support/bounded.js";
import { fastClock } from "../support/fast-clock.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(60_000);

describe("a network that fails", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  it("is down for a minute", async () => {
    stage = await Stage.open({
      clock: fastClock(100),
      delivery: { retryMin: "500ms", retryMax: "60s", stopTimeout: "20s" },
    });
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    stage.network.down = true;
    await stage.sayOnMatrix(20);
    await stage.sayOnNetwork(20);
    await sleep(600);
    stage.network.comeBack();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
  });

  it("is down while Trestle is restarted", async () => {
    stage = await Stage.open();
    stage.network.down = true;
    await stage.sayOnMatrix(20);
    await stage.stop();
    await stage.sayOnMatrix(10);
    await stage.start();
    await stage.sayOnMatrix(10);
    stage.network.comeBack();
    await expectAllOnceInOrder(stage);
  });

  it("takes a message and says that it does not know", async () => {
    stage = await Stage.open();
    stage.network.react = ({ attempt }) => (attempt === 1 ? "takeAndFail" : "take");
    await stage.sayOnMatrix(20);
    await expectAllOnceInOrder(stage);
  });

  it("does not know, has not taken it, and can be asked", async () => {
    stage = await Stage.open();
    stage.network.react = ({ attempt }) => (attempt <= 2 ? { answer: uncertain("no answer in time") } : "take");
    await stage.sayOnMatrix(12);
    await expectAllOnceInOrder(stage);
  });

  it("asks for 24 hours of patience", async () => {
    stage = await Stage.open({
      clock: fastClock(100),
      delivery: { retryMin: "500ms", retryMax: "60s", stopTimeout: "20s" },
    });
    stage.network.react = ({ attempt }, text) =>
      attempt === 1 && text.endsWith("1") ? { answer: retry("slow down", { afterMs: 86_400_000 }) } : "take";
    await stage.sayOnMatrix(12);
    await expectAllOnceInOrder(stage);
  });

  it("throws at the first attempt of each message", async () => {
    stage = await Stage.open();
    stage.network.react = ({ attempt }) =>
      attempt === 1 ? { throws: new Error("a defect of the connector") } : "take";
    await stage.sayOnMatrix(12);
    await stage.sayOnNetwork(12);
    await expectAllOnceInOrder(stage);
  });

  it("hangs at the first attempt of some messages", async () => {
    stage = await Stage.open({ delivery: { handlerTimeout: 50 } });
    stage.network.react = ({ attempt }, text) => (attempt === 1 && text.endsWith("3") ? "hang" : "take");
    await stage.sayOnMatrix(24);
    await stage.sayOnNetwork(12);
    await expectAllOnceInOrder(stage);
  });

  it.each([
    ["refuses", { answer: refused("nobody may say that here") }],
    ["throws at", { throws: new Error("a defect of the connector") }],
    ["hangs at", "hang"],
  ] as const)("%s one message for ever: it is kept, its sender is told, and the others arrive", async (_, reaction) => {
    stage = await Stage.open({ places: 2, delivery: { handlerTimeout: 30, attempts: 3 } });
    stage.network.react = (__, text) => (text === "poison" ? reaction : "take");
    await stage.sayOnMatrix(4);
    await stage.alice.sendText(stage.room(0), "poison");
    await stage.sayOnMatrix(8);
    await expectAllOnceInOrder(stage);
    const { queue } = stage.trestle.services;
    const [dead, ...others] = await until(5_000, "the dead letter", async () => {
      const entries = await queue.list({ state: "dead" });
      return entries.length > 0 ? entries : undefined;
    });
    expect(others).toEqual([]);
    expect(dead).toMatchObject({ direction: "toNetwork", state: "dead" });
    const told = await stage.homeserver.waitFor(
      (event) => event["sender"] === "@fakebot:faults.test" && event["type"] === "m.room.message",
      { what: "the notice to the sender" },
    );
    expect(told["room_id"]).toBe(stage.room(0));

    // The reason is gone: what was kept is sent after all.
    stage.network.react = () => "take";
    expect(await queue.replay("all")).toBe(1);
    stage.expectOnNetwork("poison", 0);
    await expectAllOnceInOrder(stage);
  });

  it("one channel that is stuck does not delay another", async () => {
    stage = await Stage.open({ places: 2 });
    stage.network.react = ({ channel }) =>
      channel === "channel0" ? { answer: retry("this channel is closed for now") } : "take";
    await stage.sayOnMatrix(3, 0);
    await stage.sayOnMatrix(10, 1);
    await until(5_000, "the other channel's messages", () => stage.network.taken.length === 10 || undefined);
    stage.network.react = () => "take";
    await expectAllOnceInOrder(stage);
  });
});
