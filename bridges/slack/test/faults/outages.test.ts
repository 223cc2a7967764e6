import { afterEach, describe, expect, it } from "@jest/globals";
import { FaultStage } from "./stage.js";

let stage: FaultStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});
const timeoutMs = 120_000;

describe.each(["socket", "http"] as const)("over %s", (mode) => {
  it(
    "everything is there after Slack was down for a minute",
    async () => {
      stage = await FaultStage.open(mode);
      const on = stage;
      const { slack } = on;
      await on.sayEverywhere(5);
      await on.slackGoesAway(async () => {
        await on.sayEverywhere(5);
        slack.clock.advance(60_000);
        await on.sayEverywhere(5);
      });
      await slack.comeBack();
      await stage.sayEverywhere(5);
      await stage.expectWhole();
    },
    timeoutMs,
  );

  it(
    "everything is there after the homeserver was down",
    async () => {
      stage = await FaultStage.open(mode);
      const [general, random] = stage.places;
      await stage.sayEverywhere(5);
      await stage.homeserver.stop();
      for (const place of [general, random]) stage.sayOnSlack(place, 10);
      stage.slack.clock.advance(60_000);
      await stage.slack.settled();
      await stage.homeserver.start();
      await stage.sayEverywhere(5);
      await stage.expectWhole();
    },
    timeoutMs,
  );

  it(
    "a channel that Slack limits does not hold up another",
    async () => {
      stage = await FaultStage.open(mode);
      const [general, random] = stage.places;
      const storm = stage.slack.faults.api({
        kind: "rate_limit",
        method: "chat.postMessage",
        channel: general.channel.id,
        retryAfter: 1,
      });
      await stage.sayOnMatrix(general, 10);
      await stage.until("Slack to limit the channel", () => storm.hits > 0);
      await stage.sayOnMatrix(random, 10);
      await stage.until("the other channel's messages", () => stage?.arrivedOnSlack(random).length === 10);
      expect(stage.arrivedOnSlack(general)).toEqual([]);
      storm.lift();
      await stage.expectWhole();
    },
    timeoutMs,
  );

  it(
    "nothing is lost or posted twice when Slack refuses whatever it is asked for being too much",
    async () => {
      stage = await FaultStage.open(mode);
      await stage.sayEverywhere(3);
      const storm = stage.slack.faults.api({ kind: "rate_limit", retryAfter: 1, times: 12 });
      await stage.sayEverywhere(5);
      await stage.until("the end of the storm", () => storm.hits === 12);
      await stage.sayEverywhere(5);
      await stage.expectWhole();
    },
    timeoutMs,
  );

  it.each([
    { what: "server errors", kind: "status", status: 503, times: 6 },
    { what: "answers that are lost after the post", kind: "drop_after", times: 6 },
    { what: "connections that break before the post", kind: "drop_before", times: 6 },
    { what: "answers that never come after the post", kind: "hang_after", times: 2 },
    { what: "answers that never come", kind: "hang_before", times: 2 },
    { what: "internal errors", kind: "error", error: "internal_error", times: 4 },
  ] as const)(
    "nothing is lost or posted twice with $what",
    async ({ what: _what, ...fault }) => {
      stage = await FaultStage.open(mode);
      const fails = stage.slack.faults.api({ method: "chat.postMessage", skip: 1, ...fault });
      await stage.sayEverywhere(8);
      await stage.expectWhole();
      expect(fails.hits).toBe(fault.times);
    },
    timeoutMs,
  );

  it(
    "nothing is lost when whatever is asked fails now and then",
    async () => {
      stage = await FaultStage.open(mode);
      const methods = [
        "users.info",
        "conversations.info",
        "conversations.history",
        "conversations.replies",
        "bots.info",
      ];
      for (const method of methods) stage.slack.faults.api({ kind: "status", method, status: 500, times: 3 });
      const on = stage;
      await on.slackGoesAway(() => on.sayEverywhere(5));
      await stage.slack.comeBack();
      await stage.expectWhole();
    },
    timeoutMs,
  );
});

it(
  "what is said between the first look at the channels and the first connection is found in its place",
  async () => {
    stage = await FaultStage.open("socket");
    const { slack, places } = stage;
    await stage.sayEverywhere(3);
    await stage.expectWhole();
    await stage.stop();
    const shut = slack.faults.api({ kind: "status", method: "apps.connections.open", status: 503 });
    const before = slack.calls("conversations.history").length;
    await stage.start("socket", false);
    await stage.until(
      "a look at both channels",
      () => slack.calls("conversations.history").filter(({ answer }) => answer !== undefined).length >= before + 2,
    );
    for (const place of places) stage.sayOnSlack(place, 2);
    shut.lift();
    await stage.connected();
    for (const place of places) stage.sayOnSlack(place, 2);
    await stage.expectWhole();
  },
  timeoutMs,
);
