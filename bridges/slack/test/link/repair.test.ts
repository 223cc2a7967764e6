import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage, until, type StageOptions } from "./support/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(options: StageOptions = {}): Promise<Stage> {
  stage = await Stage.open(options);
  await stage.start();
  return stage;
}

/** Everything that happened has had its turn. */
async function whole(on: Stage): Promise<void> {
  on.alice.post("general", "the end");
  await on.hears("the end");
}

describe("what happened while nobody listened", () => {
  it("comes in order, before what comes now: messages, edits, deletions, reactions, answers", async () => {
    const on = await open();
    const edited = on.alice.post("general", "to be edited");
    const deleted = on.alice.post("general", "to be deleted");
    const root = on.alice.post("general", "a thread");
    on.alice.reply(root, "first answer");
    on.alice.react(edited, "eyes");
    await on.hears("to be edited", "to be deleted", "a thread", "first answer", "reaction_added eyes");
    await on.restart(async () => {
      on.slack.app().cutConnections();
      on.alice.edit(edited, "was edited");
      on.alice.delete(deleted);
      on.alice.react(edited, "tada");
      on.alice.unreact(edited, "eyes");
      on.alice.post("general", "missed one");
      on.alice.reply(root, "missed answer");
      on.alice.post("general", "missed two");
      await on.slack.settled();
    });
    await whole(on);
    expect(on.heard().slice(5)).toEqual([
      "edited: was edited",
      "missed one",
      "missed answer",
      "missed two",
      "reaction_added tada",
      "reaction_removed eyes",
      "deleted",
      "the end",
    ]);
  });

  it("is nothing where nothing happened, and does not repeat what is known", async () => {
    const on = await open();
    for (let index = 0; index < 30; index += 1) on.alice.post("general", `message ${index}`);
    await on.hears("message 29");
    await on.restart();
    await whole(on);
    expect(on.heard().length).toBe(31);
    expect(new Set(on.heard()).size).toBe(31);
  });

  it("is made up for once when a crash forgot what was seen last", async () => {
    const on = await open();
    const said = on.alice.post("general", "hello");
    on.alice.react(said, "eyes");
    await on.hears("hello", "reaction_added eyes");
    // What is on disk is older than what was seen.
    for (const key of [...on.core.stored.keys()]) if (key.startsWith("seen:")) on.core.stored.delete(key);
    const stored = JSON.stringify({ watermark: "1.0", newest: "1.0", known: {}, threads: {} });
    await on.restart(() => void on.core.stored.set(`seen:${on.channel}`, stored));
    await whole(on);
    expect(on.heard().filter((text) => text === "hello")).toEqual(["hello"]);
  });

  it("is what Slack left out because there was too much", async () => {
    const on = await open();
    on.alice.post("general", "before");
    await on.hears("before");
    const lost = on.slack.faults.events({ kind: "lose" });
    on.alice.post("general", "left out");
    lost.lift();
    const app = on.slack.app().id;
    on.slack.app().sendFrame({
      type: "events_api",
      envelope_id: "limited",
      payload: { type: "app_rate_limited", team_id: on.team, api_app_id: app, minute_rate_limited: 1 },
    });
    await on.hears("left out");
  });

  it("is what Slack gave up, when something else comes late", async () => {
    const on = await open();
    on.alice.post("general", "before");
    await on.hears("before");
    const lost = on.slack.faults.events({ kind: "lose" });
    on.alice.post("general", "given up");
    const { ts } = on.alice.post("general", "late");
    lost.lift();
    await on.link.take({
      kind: "event",
      retryNum: 2,
      body: {
        type: "event_callback",
        event_id: "EvLate",
        api_app_id: on.slack.app().id,
        team_id: on.team,
        event: { type: "message", user: on.alice.id, text: "late", ts, channel: on.general.id, event_ts: ts },
      },
    });
    await on.hears("given up", "late");
    expect(on.heard()).toEqual(["before", "given up", "late"]);
  });

  it("does not hold up what comes now for ever when Slack does not say", async () => {
    const on = await open({ tuning: { holdMs: 200 } });
    on.alice.post("general", "before");
    await on.hears("before");
    await on.restart(() => void on.slack.faults.api({ kind: "status", status: 500, method: "conversations.history" }));
    await whole(on);
    on.slack.faults.clear();
    expect(on.heard()).toEqual(["before", "the end"]);
  });

  it("reads as many pages as there are", async () => {
    const on = await open({ slack: { historyPage: 7 } });
    on.alice.post("general", "before");
    await on.hears("before");
    const texts = Array.from({ length: 40 }, (_, index) => `missed ${index}`);
    await on.restart(async () => {
      on.slack.app().cutConnections();
      for (const text of texts) on.alice.post("general", text);
      await on.slack.settled();
    });
    await whole(on);
    expect(on.heard()).toEqual(["before", ...texts, "the end"]);
    await until(20_000, "the pages", () => (on.slack.calls("conversations.history").length > 5 ? true : undefined));
  });

  it("of a channel that was not followed concerns nobody", async () => {
    stage = await Stage.open();
    stage.alice.post("general", "before the channel was linked");
    await stage.slack.settled();
    await stage.start();
    await whole(stage);
    expect(stage.heard()).toEqual(["the end"]);
  });
});
