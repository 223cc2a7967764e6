import { afterEach, describe, expect, it } from "@jest/globals";
import type { Posted } from "@trestle/slack-emulator";
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

/** As Slack tells when something was edited. */
function secondOf(ts: string): string {
  return `${ts.split(".", 1)[0] ?? ""}.000000`;
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
      on.slack.clock.advance(1_000);
      on.alice.edit(posted, "third");
    });
    await on.hears("edited: third");
    const edited = { ts: secondOf(posted.ts) };
    const message = { type: "message", user: on.alice.id, text: "second", ts: posted.ts, edited };
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
    on.slack.clock.advance(1_000);
    on.alice.edit(posted, "third");
    await on.hears("edited: third");
    // More than are remembered of one channel.
    for (let index = 0; index < 520; index += 1) on.alice.post("general", `the end of ${index}`);
    await on.hears("the end of 519");
    const { ts } = posted;
    await sendAgain(on, { type: "message", user: on.alice.id, text: "first", ts, event_ts: ts });
    const message = { type: "message", user: on.alice.id, text: "second", ts, edited: { ts: secondOf(ts) } };
    await sendAgain(on, { type: "message", subtype: "message_changed", message, ts, event_ts: ts });
    expect(await heardAtLast(on)).toEqual(["first", "edited: third"]);
  });
});

describe("edits of one second", () => {
  const openFrozen = async (): Promise<Stage> => {
    // Slack gives up at once what it cannot deliver.
    stage = await Stage.open({ slack: { clock: "frozen", retryDelays: [] } });
    await stage.start();
    // What is written now is newer than the link.
    stage.slack.clock.advance(2_000);
    return stage;
  };
  const write = async (on: Stage): Promise<Posted> => {
    const posted = on.alice.post("general", "first");
    await on.hears("first");
    return posted;
  };
  /** Edits of which the bridge is told nothing, as the events that Slack could not deliver. */
  const miss = async (on: Stage, posted: Posted, ...texts: readonly string[]) => {
    const before = on.slack.app().deliveries().length;
    await on.restart(async () => {
      for (const text of texts) on.alice.edit(posted, text);
      await on.slack.settled();
    });
    return on.slack
      .app()
      .deliveries()
      .slice(before)
      .map(({ body }) => body);
  };
  const comeLate = async (on: Stage, body: unknown): Promise<void> => {
    await on.link.take({ kind: "event", retryNum: 1, body });
  };
  const edits = (heard: readonly string[]): string[] =>
    heard.flatMap((each) => (each.startsWith("edited: ") ? [each.slice("edited: ".length)] : []));

  it("are all told, also the one that goes back to what was there", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    for (const text of ["a", "b", "a", "c", "a"]) on.alice.edit(posted, text);
    expect(edits(await heardAtLast(on))).toEqual(["a", "b", "a", "c", "a"]);
  });

  it("are told where one of them was missed, and none again that comes late", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    on.alice.edit(posted, "a");
    await on.hears("edited: a");
    const [b, c] = await miss(on, posted, "b", "c");
    await on.hears("edited: c");
    await comeLate(on, c);
    await comeLate(on, b);
    await comeLate(on, c);
    expect(edits(await heardAtLast(on))).toEqual(["a", "c"]);
    await on.restart();
    expect(edits(await heardAtLast(on))).toEqual(["a", "c"]);
  });

  it("are told where the one that was missed went back to what was told before", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    on.alice.edit(posted, "a");
    on.alice.edit(posted, "b");
    await on.hears("edited: b");
    const [a] = await miss(on, posted, "a");
    expect(edits(await heardAtLast(on))).toEqual(["a", "b", "a"]);
    await comeLate(on, a);
    on.alice.edit(posted, "b");
    expect(edits(await heardAtLast(on))).toEqual(["a", "b", "a", "b"]);
  });

  it("are told once where what was told of them was forgotten", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    const [a, b] = await miss(on, posted, "a", "b");
    await on.hears("edited: b");
    on.slack.clock.advance(1_000);
    for (let index = 0; index < 520; index += 1) on.alice.post("general", `the end of ${index}`);
    await on.hears("the end of 519");
    await comeLate(on, a);
    await comeLate(on, b);
    expect(edits(await heardAtLast(on))).toEqual(["b"]);
  });

  it("do not bring back what was there in between", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    on.alice.edit(posted, "a");
    await on.hears("edited: a");
    // Nothing seems to have happened.
    const [b, a] = await miss(on, posted, "b", "a");
    await comeLate(on, b);
    expect(edits(await heardAtLast(on))).toEqual(["a"]);
    await comeLate(on, a);
    expect(new Set(edits(await heardAtLast(on)))).toEqual(new Set(["a"]));
  });

  it("are in the order of their events where one overtook the other", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    on.slack.faults.events({ kind: "reorder", event: "message.channels", times: 1 });
    on.alice.edit(posted, "a");
    on.alice.edit(posted, "b");
    const told = edits(await heardAtLast(on));
    expect(told.at(-1)).toBe("b");
  });

  it("that came late are told where they hold", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    on.slack.faults.events({ kind: "delay", ms: 60_000, event: "message.channels", times: 1 });
    on.alice.edit(posted, "a");
    on.slack.clock.advance(60_000);
    await on.hears("edited: a");
    on.alice.edit(posted, "b");
    on.alice.edit(posted, "c");
    expect(edits(await heardAtLast(on))).toEqual(["a", "b", "c"]);
  });

  it("that say nothing new do not pass for the one that was missed", async () => {
    const on = await openFrozen();
    const posted = await write(on);
    const lost = on.slack.faults.events({ kind: "lose", times: 1 });
    on.alice.edit(posted, "a");
    expect(lost.active).toBe(false);
    // They save it once more as it is.
    on.slack.clock.advance(1_000);
    on.alice.edit(posted, "a");
    await heardAtLast(on);
    await on.restart();
    expect(edits(await heardAtLast(on))).toEqual(["a"]);
  });
});
