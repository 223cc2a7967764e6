import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(120_000);

/** Events that a homeserver accepted and, because it was killed, never hands over by itself (Synapse does that). */
describe("a homeserver that forgets what it has accepted", () => {
  let stage: Stage;
  afterEach(async () => {
    delete process.env["TRESTLE_TEST_SLOW_COMMIT_MS"];
    await stage.close();
  });

  /** Kills the homeserver while a transaction is under way and events wait behind it. Resolves to how many it forgets. */
  async function killed(count = 6): Promise<number> {
    const { homeserver } = stage;
    homeserver.faults.transactionDelayMs = 60_000;
    await stage.sayOnMatrix(count);
    const forgotten = await homeserver.kill();
    homeserver.faults.transactionDelayMs = 0;
    return forgotten;
  }

  it("when it was killed and something new comes from the rooms", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    expect(await killed()).toBeGreaterThan(0);
    await stage.sayOnNetwork(2);
    await stage.homeserver.start();
    await stage.sayOnMatrix(6);
    await expectAllOnceInOrder(stage);
  });

  it("when it was killed and nobody says anything more", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    expect(await killed()).toBeGreaterThan(0);
    await stage.sayOnNetwork(2);
    await stage.homeserver.start();
    await expectAllOnceInOrder(stage);
    expect(await metric(stage, "trestle_missed_events_total")).toBeGreaterThan(0);
  });

  it("when it broke off a transaction and Trestle asked it for nothing meanwhile", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    process.env["TRESTLE_TEST_SLOW_COMMIT_MS"] = "400";
    await stage.stop();
    await stage.start();
    await stage.sayOnMatrix(1);
    await until(
      5_000,
      "a transaction under way",
      () => stage.homeserver.pushState("fake").pendingEvents > 0 || undefined,
    );
    await stage.sayOnMatrix(5);
    expect(await stage.homeserver.kill()).toBeGreaterThan(0);
    await stage.homeserver.start();
    await expectAllOnceInOrder(stage);
  });

  it("when its transaction ids begin again", async () => {
    stage = await Stage.open();
    for (let count = 0; count < 4; count++) {
      await stage.sayOnMatrix(2);
      await expectAllOnceInOrder(stage);
    }
    expect(await killed()).toBeGreaterThan(0);
    await stage.homeserver.start({ forgetTransactions: true });
    await stage.sayOnMatrix(2);
    await expectAllOnceInOrder(stage);
  });

  it.each([
    ["in good order", (): Promise<void> => stage.stop()],
    ["with the homeserver gone before", (): Promise<void> => stage.homeserver.pause().then(() => stage.stop())],
  ])("when Trestle itself ended %s and starts again", async (_, stop) => {
    stage = await Stage.open();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    const { homeserver } = stage;
    homeserver.faults.transactionDelayMs = 60_000;
    await stage.sayOnMatrix(6);
    await stop();
    expect(await homeserver.kill()).toBeGreaterThan(0);
    homeserver.faults.transactionDelayMs = 0;
    await homeserver.start();
    await stage.start();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
  });

  it("again and again, with traffic both ways and the histories read badly", async () => {
    stage = await Stage.open({ places: 3, homeserver: { seed: 11 } });
    const { homeserver } = stage;
    homeserver.faults.answer({ status: 503 }, { route: "/messages", probability: 0.3 });
    let forgotten = 0;
    for (let round = 0; round < 5; round++) {
      await stage.sayOnMatrix(6);
      await stage.sayOnNetwork(6);
      forgotten += await killed(9);
      await stage.sayOnNetwork(3);
      await homeserver.start({ forgetTransactions: round % 2 === 0 });
    }
    await stage.sayOnMatrix(3);
    expect(forgotten).toBeGreaterThan(0);
    await expectAllOnceInOrder(stage, 30_000);
  });

  it("although so much else happened in the room that pages of its history hold nothing of them", async () => {
    stage = await Stage.open({ places: 1 });
    await stage.sayOnMatrix(2);
    await expectAllOnceInOrder(stage);
    expect(await killed(4)).toBeGreaterThan(0);
    const { alice, homeserver } = stage;
    for (let n = 0; n < 150; n++)
      homeserver.sendEvent(stage.room(), { sender: alice.userId, type: "org.example.noise", content: { n } });
    await homeserver.kill();
    await stage.sayOnNetwork(1);
    await homeserver.start();
    await expectAllOnceInOrder(stage);
  });

  it("also more than a thousand of one room", async () => {
    stage = await Stage.open({ places: 1 });
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    expect(await killed(1_300)).toBeGreaterThan(1_000);
    await stage.homeserver.start();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
  });

  it("although it forgot that the room is encrypted now: nothing readable follows", async () => {
    stage = await Stage.open({ places: 1 });
    const { alice, homeserver, network } = stage;
    await stage.sayOnNetwork(1);
    await stage.sayOnMatrix(1);
    await expectAllOnceInOrder(stage);
    homeserver.faults.transactionDelayMs = 60_000;
    await stage.sayOnMatrix(1);
    await alice.setState(stage.room(), "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    expect(await homeserver.kill()).toBeGreaterThan(0);
    homeserver.faults.transactionDelayMs = 0;
    await network.say("channel0", "ann", "a secret");
    await homeserver.start();
    const dead = async (): Promise<true | undefined> =>
      (await stage.trestle.services.queue.list({ state: "dead" })).length > 0 || undefined;
    await until(10_000, "a dead letter", dead);
    expect(JSON.stringify(homeserver.room(stage.room()).messages())).not.toContain("a secret");
  });

  it("but takes nothing that was said before the room was linked", async () => {
    stage = await Stage.open({ places: 0, config: { permissions: { "*": "user" } } });
    const { alice, homeserver, network } = stage;
    const bot = "@fakebot:faults.test";
    const room = await alice.createRoom({
      power_level_content_override: { users: { [alice.userId]: 100, [bot]: 100 } },
    });
    await alice.sendText(room, "before the bot came");
    await alice.invite(room, bot);
    await until(5_000, "the bot", () => homeserver.room(room).members()[bot] === "join" || undefined);
    await alice.sendText(room, "before the link");
    await alice.setTopic(room, "a topic of before");
    await alice.sendText(room, "!fake link channel0");
    await until(5_000, "the link", async () => (await stage.trestle.services.list()).length === 1 || undefined);
    await alice.sendText(room, "after");
    await until(5_000, "the first message", () => network.taken.length === 1 || undefined);
    await homeserver.kill();
    await network.say("channel0", "ann", "hello");
    await homeserver.start();
    await alice.sendText(room, "later");
    await until(10_000, "the message after", () => network.taken.length === 2 || undefined);
    expect(network.taken.map(({ text }) => text)).toEqual(["after", "later"]);
  });

  it("without one room waiting for another whose history is long in coming", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(4);
    await expectAllOnceInOrder(stage);
    await stage.homeserver.kill();
    await stage.sayOnNetwork(2);
    const slow = stage.homeserver.faults.delay(60_000, { route: "/messages", times: 1 });
    await stage.homeserver.start();
    await stage.sayOnMatrix(2);
    const heard = (): readonly number[] =>
      ["channel0", "channel1"].map((each) => stage.network.taken.filter(({ channel }) => channel === each).length);
    await until(10_000, "the other room", () => heard().includes(3) || undefined);
    expect(slow.applied).toBe(1);
    expect(heard()).toContain(2);
    await stage.homeserver.restart();
    await expectAllOnceInOrder(stage);
  });
});

async function metric(stage: Stage, name: string): Promise<number> {
  const text = await (await fetch(`${stage.trestle.operationsUrl}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name}{`));
  return Number(line?.split(" ").at(-1));
}
