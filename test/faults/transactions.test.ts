import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Faults } from "@trestle/testkit";
import { until } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
import { channelOf, Stage } from "./stage.js";

jest.setTimeout(60_000);

describe("transactions as real homeservers send them", () => {
  let stage: Stage;
  afterEach(async () => {
    delete process.env["TRESTLE_TEST_SLOW_COMMIT_MS"];
    await stage.close();
  });

  const habits: readonly (readonly [string, (faults: Faults) => void])[] = [
    ["every transaction comes twice", (faults) => (faults.duplicateTransactions = 1)],
    ["events come again in other transactions", (faults) => (faults.repeatEvents = 1)],
    ["answers are lost, so that transactions are repeated", (faults) => (faults.loseTransactionAnswers = 0.5)],
    [
      "a repeated transaction keeps its id and has more events",
      (faults) => {
        faults.loseTransactionAnswers = 0.5;
        faults.growRetriedTransactions = true;
      },
    ],
    ["ids are hashes of the content", (faults) => (faults.transactionIds = "content-hash")],
    ["an event is pushed before its sender has the answer", (faults) => (faults.pushBeforeResponse = true)],
    ["the token is a query parameter", (faults) => (faults.token = "query")],
    ["the token is in both places", (faults) => (faults.token = "both")],
    ["paths are those of the first specification", (faults) => (faults.legacyPaths = true)],
    [
      "everything at once",
      (faults) => {
        faults.duplicateTransactions = 0.5;
        faults.repeatEvents = 0.5;
        faults.loseTransactionAnswers = 0.3;
        faults.growRetriedTransactions = true;
        faults.pushBeforeResponse = true;
      },
    ],
  ];

  it.each(habits)("%s", async (_, begin) => {
    stage = await Stage.open();
    begin(stage.homeserver.faults);
    for (let i = 0; i < 10; i++) {
      await stage.sayOnMatrix(4);
      await stage.sayOnNetwork(4);
    }
    await expectAllOnceInOrder(stage);
  });

  it("the numbering begins again, with Trestle restarted or not", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(6);
    stage.homeserver.resetTransactionIds();
    await stage.sayOnMatrix(6);
    await stage.stop();
    stage.homeserver.resetTransactionIds();
    await stage.sayOnMatrix(6);
    await stage.start();
    await stage.homeserver.restart({ forgetTransactions: true });
    await stage.sayOnMatrix(6);
    await expectAllOnceInOrder(stage);
  });

  it("a transaction is repeated while the disk is still busy with it", async () => {
    process.env["TRESTLE_TEST_SLOW_COMMIT_MS"] = "60";
    stage = await Stage.open();
    stage.homeserver.faults.transactionTimeoutMs = 20;
    await stage.sayOnMatrix(12);
    await sleep(200);
    stage.homeserver.faults.transactionTimeoutMs = 60_000;
    await stage.sayOnNetwork(6);
    await expectAllOnceInOrder(stage);
  });

  it("typing comes under both names, and is passed on once", async () => {
    stage = await Stage.open();
    await stage.sayOnMatrix(1, 0);
    stage.homeserver.faults.ephemeralNames = "both";
    await stage.alice.setTyping(stage.room(), true);
    await until(5_000, "the typing", () => stage.network.typing.length > 0 || undefined);
    await stage.sayOnMatrix(1, 0);
    await expectAllOnceInOrder(stage);
    expect(stage.network.typing.map(({ channel, authors }) => [channel, authors.map(({ userId }) => userId)])).toEqual([
      [channelOf(0), [stage.alice.userId]],
    ]);
  });

  it("private read receipts go nowhere, public ones arrive once", async () => {
    stage = await Stage.open();
    stage.homeserver.faults.leakPrivateReceipts = true;
    stage.homeserver.faults.ephemeralNames = "both";
    await stage.sayOnNetwork(1, 0);
    await expectAllOnceInOrder(stage);
    const eventId = stage.homeserver.room(stage.room()).messages().at(-1)?.["event_id"];
    if (typeof eventId !== "string") throw new Error("The message has no id");
    await stage.alice.sendReceipt(stage.room(), eventId, "m.read.private");
    await stage.sayOnMatrix(1, 0);
    await expectAllOnceInOrder(stage);
    expect(stage.network.receipts).toEqual([]);
    await stage.alice.sendReceipt(stage.room(), eventId, "m.read");
    await until(5_000, "the receipt", () => stage.network.receipts.length > 0 || undefined);
    await stage.sayOnMatrix(1, 0);
    await expectAllOnceInOrder(stage);
    expect(stage.network.receipts.map(({ author }) => author.userId)).toEqual([stage.alice.userId]);
  });
});
