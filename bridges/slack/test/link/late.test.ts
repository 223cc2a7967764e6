import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage } from "./support/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(): Promise<Stage> {
  stage = await Stage.open();
  await stage.start();
  return stage;
}

let count = 0;

/** Slack sends once more what it could not deliver. */
async function sendAgain(
  on: Stage,
  event: Readonly<Record<string, unknown>> & { readonly type: string },
): Promise<void> {
  const body = {
    type: "event_callback",
    event_id: `EvLate${++count}`,
    api_app_id: on.slack.app().id,
    team_id: on.team,
    event: { channel: on.general.id, ...event },
  };
  await on.link.take({ kind: "event", retryNum: 1, body });
}

/** Everything that came has had its turn. */
async function heardAtLast(on: Stage): Promise<string[]> {
  const text = `the end ${++count}`;
  on.alice.post("general", text);
  await on.hears(text);
  return on.heard().filter((each) => !each.startsWith("the end"));
}

describe("what Slack sends again", () => {
  it("is left out where the message was deleted since", async () => {
    const on = await open();
    const lost = on.slack.faults.events({ kind: "lose" });
    const posted = on.alice.post("general", "short-lived");
    on.alice.delete(posted);
    lost.lift();
    await heardAtLast(on);
    const { ts } = posted;
    await sendAgain(on, { type: "message", user: on.alice.id, text: "short-lived", ts, event_ts: ts });
    expect(await heardAtLast(on)).toEqual([]);
  });

  it("is left out where the message was deleted by an event that came first", async () => {
    const on = await open();
    const lost = on.slack.faults.events({ kind: "lose", times: 1 });
    const posted = on.alice.post("general", "short-lived");
    expect(lost.active).toBe(false);
    on.alice.delete(posted);
    await heardAtLast(on);
    const { ts } = posted;
    await sendAgain(on, { type: "message", user: on.alice.id, text: "short-lived", ts, event_ts: ts });
    expect(await heardAtLast(on)).toEqual(["deleted"]);
  });

  it("is told where the message is still there", async () => {
    const on = await open();
    on.slack.faults.events({ kind: "lose", times: 1 });
    const { ts } = on.alice.post("general", "late");
    on.alice.post("general", "on time");
    await on.hears("on time");
    await sendAgain(on, { type: "message", user: on.alice.id, text: "late", ts, event_ts: ts });
    expect(await heardAtLast(on)).toEqual(["on time", "late"]);
  });

  it("is left out where the message was edited again since", async () => {
    const on = await open();
    const posted = on.alice.post("general", "first");
    await on.hears("first");
    await on.restart(() => {
      on.alice.edit(posted, "second");
      on.alice.edit(posted, "third");
    });
    await on.hears("edited: third");
    const message = { type: "message", user: on.alice.id, text: "second", ts: posted.ts, edited: { ts: posted.ts } };
    await sendAgain(on, { type: "message", subtype: "message_changed", message, ts: posted.ts, event_ts: posted.ts });
    expect(await heardAtLast(on)).toEqual(["first", "edited: third"]);
  });

  it("is left out where a reaction was taken back since, and told where it stands", async () => {
    const on = await open();
    const posted = on.alice.post("general", "first");
    await on.hears("first");
    const lost = on.slack.faults.events({ kind: "lose" });
    on.alice.react(posted, "eyes");
    on.alice.unreact(posted, "eyes");
    on.alice.react(posted, "tada");
    lost.lift();
    for (const reaction of ["eyes", "tada"]) {
      const item = { type: "message", channel: on.general.id, ts: posted.ts };
      await sendAgain(on, { type: "reaction_added", user: on.alice.id, reaction, item, event_ts: posted.ts });
    }
    expect(await heardAtLast(on)).toEqual(["first", "reaction_added tada"]);
  });

  it("is not needed for an edit of what has not come: the message goes before it", async () => {
    const on = await open();
    on.slack.faults.events({ kind: "lose", times: 1 });
    const posted = on.alice.post("general", "first");
    on.alice.post("general", "second");
    await on.hears("second");
    on.alice.edit(posted, "was edited");
    await on.hears("edited: was edited");
    await sendAgain(on, { type: "message", user: on.alice.id, text: "first", ts: posted.ts, event_ts: posted.ts });
    expect(await heardAtLast(on)).toEqual(["second", "was edited", "edited: was edited"]);
  });

  it("is left out where the message and its edits were forgotten since", async () => {
    const on = await open();
    const posted = on.alice.post("general", "first");
    await on.hears("first");
    on.slack.faults.events({ kind: "lose", times: 1 });
    on.alice.edit(posted, "second");
    on.alice.edit(posted, "third");
    await on.hears("edited: third");
    // More than are remembered of one channel.
    for (let index = 0; index < 520; index += 1) on.alice.post("general", `the end of ${index}`);
    await on.hears("the end of 519");
    const { ts } = posted;
    await sendAgain(on, { type: "message", user: on.alice.id, text: "first", ts, event_ts: ts });
    const message = { type: "message", user: on.alice.id, text: "second", ts, edited: { ts } };
    await sendAgain(on, { type: "message", subtype: "message_changed", message, ts, event_ts: ts });
    expect(await heardAtLast(on)).toEqual(["first", "edited: third"]);
  });
});
