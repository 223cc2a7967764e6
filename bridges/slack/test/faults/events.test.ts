import { afterEach, describe, expect, it } from "@jest/globals";
import { FaultStage } from "./stage.js";

let stage: FaultStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});
const timeoutMs = 120_000;

describe.each(["socket", "http"] as const)("events over %s", (mode) => {
  it(
    "that come twice are told once",
    async () => {
      stage = await FaultStage.open(mode);
      const fault = stage.slack.faults.events({ kind: "duplicate", event: "message", times: 20 });
      await stage.sayEverywhere(15);
      await stage.expectWhole();
      expect(fault.hits).toBe(20);
    },
    timeoutMs,
  );

  it(
    "whose acknowledgement is lost come again and are told once",
    async () => {
      stage = await FaultStage.open(mode, {
        retryDelays: [0, 20, 20],
        apps: [{ name: "Trestle", installations: [{ workspace: "acme", channels: [] }] }],
      });
      const fault = stage.slack.faults.events({ kind: "lose_ack", event: "message", times: 20 });
      await stage.sayEverywhere(15);
      await stage.expectWhole();
      expect(fault.hits).toBe(20);
    },
    timeoutMs,
  );
});

describe("events over socket", () => {
  it(
    "that change places on the way are put in order",
    async () => {
      stage = await FaultStage.open("socket");
      const [general] = stage.places;
      const channel = general.channel.id;
      for (let pair = 1; pair <= 10; pair++) {
        const fault = stage.slack.faults.events({ kind: "reorder", event: "message", channel, times: 1 });
        stage.sayOnSlack(general, 2);
        expect(fault.hits).toBe(1);
        await stage.until("both", () => stage?.arrivedOnMatrix(general).length === 2 * pair);
      }
      await stage.expectWhole();
    },
    timeoutMs,
  );

  it.each(["oldest", "all"] as const)(
    "are all there in order when Slack renews connections (%s) under load",
    async (which) => {
      stage = await FaultStage.open("socket");
      const [general] = stage.places;
      const app = stage.slack.app();
      const eachMs = 5;
      const batch = 100;
      for (let round = 0; round < 4; round++) {
        for (let message = 0; message < batch; message++) {
          stage.sayOnSlack(general, 1);
          // The first round shows how it is without.
          if (round > 0 && message === batch / 2) app.askToLeave("refresh_requested", which);
          await new Promise((resolve) => setTimeout(resolve, eachMs));
        }
        await app.waitForConnections(2);
      }
      // While one connection is renewed the other takes everything: nothing waits to be sent again.
      if (which === "oldest") {
        await stage.slack.settled();
        const delays = stage.delays(general);
        const longest = (from: number, to: number): string => Math.max(...delays.slice(from, to)).toFixed(0);
        console.log(
          `Of ${batch} events the slowest was acknowledged after ${longest(0, batch)} ms; of ${3 * batch} while a connection was renewed three times after ${longest(batch, 4 * batch)} ms`,
        );
        const again = app.deliveries().filter(({ attempts }) => attempts.length > 1);
        expect(again).toEqual([]);
      }
      await stage.expectWhole();
    },
    timeoutMs,
  );
});
