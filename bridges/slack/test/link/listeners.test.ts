import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, retry, type Interpretation } from "@trestle/core";
import { z } from "zod";
import { Stage, until, type StageOptions } from "./support/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(options: StageOptions = {}): Promise<Stage> {
  stage = await Stage.open(options);
  await stage.start();
  await until(20_000, "the workspace", () => (stage?.link.installations.all.length === 1 ? true : undefined));
  return stage;
}

function raw(on: Stage, event: Readonly<Record<string, unknown>>, more: Partial<Interpretation> = {}): Interpretation {
  const body = { type: "event_callback", event_id: "Ev1", api_app_id: on.slack.app().id, team_id: on.team, event };
  return {
    id: "event:Ev1",
    channel: ChannelId("lane"),
    wire: { from: "event", team: on.team, body },
    attempt: 1,
    receivedAt: 0,
    signal: new AbortController().signal,
    ...more,
  };
}

describe("Bolt's listeners", () => {
  it("are told of an event once it is in the journal, with the workspace it is about", async () => {
    const on = await open();
    const seen: unknown[] = [];
    on.link.app.event("message", ({ event, context, client }) => {
      const inJournal = on.core.kept.some(({ id }) => id === context.making.raw.id);
      seen.push([event.ts, context.making.workspace?.id, context.botUserId, client.token, inJournal]);
      return Promise.resolve();
    });
    const { ts } = on.alice.post("general", "hello");
    await on.hears("hello");
    const app = on.slack.app();
    expect(seen).toEqual([[ts, on.team, app.botUserId(), app.botToken(), true]]);
  });

  it("have what they throw thrown on, so that the core tries again", async () => {
    const on = await open();
    on.link.app.event("team_rename", () => Promise.reject(new Error("no idea what this means")));
    await expect(on.link.interpret(raw(on, { type: "team_rename", name: "x" }))).rejects.toThrow(
      "no idea what this means",
    );
  });

  it("may say that it cannot be known yet: then nothing has happened", async () => {
    const on = await open();
    on.link.app.event("message", ({ context }) => {
      context.making.failed(retry("Slack does not say who this is", { afterMs: 5 }));
      return Promise.resolve();
    });
    const message = {
      type: "message",
      channel: on.general.id,
      user: on.alice.id,
      text: "x",
      ts: "1.0",
      event_ts: "1.0",
    };
    expect(await on.link.interpret(raw(on, message))).toEqual({
      failed: "retry",
      reason: "Slack does not say who this is",
      afterMs: 5,
    });
  });

  it("are not told what nobody listens to", async () => {
    const on = await open();
    for (const type of ["emoji_changed", "something_new", "app_mention"])
      expect(await on.link.interpret(raw(on, { type }))).toMatchObject({ events: [] });
  });

  it("are told of edits and deletions of the bot's own messages too", async () => {
    const on = await open();
    const { workspace } = on;
    const { general } = on;
    const said = await on.link.poster.post({
      workspace,
      channel: general.id,
      effect: EffectId("effect1"),
      arguments: { text: "helo" },
    });
    await on.hears("helo");
    const ts = said !== undefined && "id" in said ? said.id : undefined;
    await workspace.call({
      method: "chat.update",
      arguments: { channel: general.id, ts, text: "hello" },
      answer: z.looseObject({}),
    });
    await on.hears("edited: hello");
  });

  it("reject what the journal holds in a form that nobody knows", async () => {
    const on = await open();
    await expect(on.link.interpret(raw(on, {}, { wire: { from: "the future" } }))).rejects.toThrow();
  });
});
