import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage } from "../faults/stage.js";
import { eventually } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(places: number, beforeReady: () => Promise<void> = () => Promise.resolve()) {
  const asked: string[] = [];
  const catchUp = (channel: string, cursor: string | null): Promise<void> => {
    asked.push(`${channel} since ${cursor ?? "ever"}`);
    return Promise.resolve();
  };
  stage = await Stage.open({ places, network: { handlers: { catchUp }, beforeReady } });
  return { stage, asked };
}

describe("what was missed", () => {
  it("is asked at the start, also of a connector that is connected long before it is ready", async () => {
    const on = await open(2, async () => {
      for (let turns = 0; turns < 5; turns += 1) await turn();
    });
    await on.stage.stop();
    on.asked.length = 0;
    await on.stage.start();
    await eventually(() => on.asked.length === 2, "both channels are asked");
    expect(on.asked).toEqual(["channel0 since ever", "channel1 since ever"]);
  });

  it("is asked after every connection, since the last message", async () => {
    const on = await open(1);
    await on.stage.network.say("channel0", "carol", "hello", "message1");
    on.stage.network.comeBack();
    await eventually(() => on.asked.includes("channel0 since message1"), "it is asked again");
    await on.stage.network.say("channel0", "carol", "hello again", "message2");
    await on.stage.stop();
    await on.stage.start();
    await eventually(() => on.asked.includes("channel0 since message2"), "it is asked after the start");
  });
});
