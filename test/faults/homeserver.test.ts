import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/bounded.js";
import { fastClock } from "../support/fast-clock.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage, type StageOptions } from "./stage.js";

jest.setTimeout(60_000);

const speed = 100;
/** So long an outage of a minute takes on the fast clock. */
const aMinute = 60_000 / speed;
/** The pauses an operator has who changes nothing; time passes fast. */
const realPauses = (): StageOptions => ({
  clock: fastClock(speed),
  delivery: { retryMin: "500ms", retryMax: "60s", stopTimeout: "20s" },
});
const ours = { fromAppService: true } as const;

describe("a homeserver that fails", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  it("answers 502 for a minute", async () => {
    stage = await Stage.open(realPauses());
    await stage.sayOnNetwork(4);
    stage.homeserver.faults.answer({ status: 502, html: true }, ours);
    await stage.sayOnNetwork(20);
    await stage.sayOnMatrix(20);
    await sleep(aMinute);
    stage.homeserver.faults.clear();
    await stage.sayOnNetwork(4);
    await expectAllOnceInOrder(stage);
  });

  it("is away, and Trestle is restarted meanwhile", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(6);
    await expectAllOnceInOrder(stage);
    await stage.homeserver.pause();
    await stage.sayOnNetwork(20);
    await stage.stop();
    await stage.startUngreeted();
    await stage.sayOnNetwork(10);
    await stage.homeserver.start();
    await stage.sayOnMatrix(6);
    await expectAllOnceInOrder(stage);
  });

  it("is away, Trestle is restarted, and the network speaks while it is still connecting", async () => {
    let speak = (): Promise<void> => Promise.resolve();
    let early = Promise.resolve();
    // Entering a channel takes the network a while.
    const linked = (): Promise<void> => sleep(100);
    const onConnect = (): void => {
      early = speak();
    };
    stage = await Stage.open({ places: 1, network: { handlers: { linked }, onConnect } });
    await stage.homeserver.pause();
    await stage.sayOnNetwork(20);
    await stage.stop();
    speak = () => stage.sayOnNetwork(5);
    await stage.startUngreeted();
    await early;
    await stage.homeserver.start();
    await stage.sayOnNetwork(5);
    await expectAllOnceInOrder(stage);
  });

  it("is back, and nothing waits for the end of a long pause", async () => {
    stage = await Stage.open({ places: 4, delivery: { retryMin: "60s", retryMax: "60s" } });
    await stage.sayOnMatrix(4);
    await stage.sayOnNetwork(4);
    await expectAllOnceInOrder(stage);
    await stage.homeserver.pause();
    await stage.sayOnNetwork(8);
    await until(5_000, "four lanes that wait", async () => (await waitingToMatrix(stage)) >= 4 || undefined);
    await stage.homeserver.start();
    await stage.sayOnMatrix(1);
    await expectAllOnceInOrder(stage);
  });

  it("is away together with the network", async () => {
    stage = await Stage.open();
    stage.network.down = true;
    await stage.sayOnMatrix(20);
    await stage.homeserver.pause();
    await stage.sayOnNetwork(20);
    await sleep(100);
    stage.network.comeBack();
    await sleep(100);
    await stage.homeserver.start();
    await expectAllOnceInOrder(stage);
  });

  it("limits the rate of half of all requests", async () => {
    stage = await Stage.open();
    stage.homeserver.faults.answer({ status: 429, retryAfterMs: 20 }, { ...ours, probability: 0.5 });
    for (let i = 0; i < 10; i++) {
      await stage.sayOnMatrix(4);
      await stage.sayOnNetwork(4);
    }
    await expectAllOnceInOrder(stage);
  });

  it("asks for 24 hours of patience", async () => {
    stage = await Stage.open(realPauses());
    const limited = stage.homeserver.faults.answer(
      { status: 429, retryAfterMs: 86_400_000 },
      { ...ours, route: "/send/", times: 3 },
    );
    await stage.sayOnNetwork(10);
    await expectAllOnceInOrder(stage);
    expect(limited.applied).toBe(3);
  });

  it("asks for 24 hours of patience at a ghost's first steps", async () => {
    stage = await Stage.open(realPauses());
    for (const route of ["/register", "/displayname", "/join"]) {
      stage.homeserver.faults.answer({ status: 429, retryAfterMs: 86_400_000 }, { ...ours, route, times: 1 });
    }
    await stage.sayOnNetwork(10);
    await expectAllOnceInOrder(stage);
  });

  it("closes connections that it promised to keep", async () => {
    stage = await Stage.open();
    stage.homeserver.faults.dropKeepAlive = 0.5;
    for (let i = 0; i < 10; i++) {
      await stage.sayOnMatrix(4);
      await stage.sayOnNetwork(4);
    }
    await expectAllOnceInOrder(stage);
  });

  it.each(["before", "after"] as const)("drops connections %s it has acted on the request", async (when) => {
    stage = await Stage.open();
    stage.homeserver.faults.drop(when, { ...ours, probability: 0.3 });
    for (let i = 0; i < 10; i++) {
      await stage.sayOnMatrix(4);
      await stage.sayOnNetwork(4);
    }
    await expectAllOnceInOrder(stage);
  });

  it("takes messages, loses the answers, restarts and has forgotten their transaction ids", async () => {
    stage = await Stage.open();
    await stage.sayOnNetwork(4);
    await expectAllOnceInOrder(stage);
    const dropped = stage.homeserver.faults.drop("after", { ...ours, route: "/send/", times: 2 });
    const refused = stage.homeserver.faults.answer({ status: 503 }, { ...ours, method: "GET" });
    await stage.sayOnNetwork(10);
    // Whether a second room's message is on its way when the first is lost is a matter of time: after that they wait.
    while (dropped.applied < 1) await sleep(5);
    await stage.homeserver.restart({ forgetTransactions: true });
    refused.remove();
    await expectAllOnceInOrder(stage);
  });

  it("fails one request in five in every way at once", async () => {
    stage = await Stage.open({ places: 4, homeserver: { seed: 7 } });
    const { faults } = stage.homeserver;
    faults.answer({ status: 502, html: true }, { ...ours, probability: 0.05 });
    faults.answer({ status: 500 }, { ...ours, probability: 0.05 });
    faults.answer({ status: 429, retryAfterMs: 30 }, { ...ours, probability: 0.05 });
    faults.drop("after", { ...ours, probability: 0.05 });
    faults.delay(10, { ...ours, probability: 0.2 });
    for (let i = 0; i < 20; i++) {
      await stage.sayOnMatrix(8);
      await stage.sayOnNetwork(8);
    }
    await expectAllOnceInOrder(stage, 30_000);
  });
});

async function waitingToMatrix(stage: Stage): Promise<number> {
  const entries = await stage.trestle.services.queue.list({ direction: "toMatrix", state: "waiting" });
  return entries.length;
}
