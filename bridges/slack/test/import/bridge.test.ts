import { afterEach, describe, expect, it } from "@jest/globals";
import { join } from "node:path";
import { importRecords, loadConfig } from "@trestle/core";
import { TestClient } from "@trestle/testkit";
import { realServer } from "../../../../test/support/servers/index.js";
import { startPostgresql } from "../../../../test/support/servers/postgresql.js";
import { slackConnector } from "../../dist/index.js";
import { writeNedb, writePostgresql, type OldBridge } from "../support/old-bridge.js";
import { SlackStage } from "../support/stage.js";

let stage: SlackStage | undefined;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await stage?.close();
  stage = undefined;
  for (const close of closers.splice(0)) await close();
});

/** What was said while the other bridge ran. */
interface Before {
  readonly ghost: string;
  /** Bob's message, by both of its names, and its reaction in Matrix. */
  readonly bobs: { readonly ts: string; readonly event: string; readonly reaction: string };
  /** Bob said it after the other bridge had stopped. */
  readonly between: string;
}

/** Lets an old bridge have carried a message, and hands what it kept to `write`; resolves to where that is. */
async function migrated(write: (directory: string, old: OldBridge) => Promise<string>): Promise<Before> {
  let before: Before | undefined;
  const prepare = async (ready: SlackStage): Promise<void> => {
    const { slack, homeserver, room, alice, directory } = ready;
    const workspace = slack.workspace("acme");
    const [bob, general] = [workspace.person("bob"), workspace.channel("general")];
    const ghost = `@slack_acme_${bob.id}:slack.test`;
    const as = new TestClient(homeserver.url, "as-token-of-the-slack-tests", "@slackbot:slack.test");
    const v3 = "/_matrix/client/v3";
    const query = { user_id: ghost };
    const username = ghost.slice(1, ghost.indexOf(":"));
    await as.request("POST", `${v3}/register`, { body: { type: "m.login.application_service", username } });
    await as.request("PUT", `${v3}/profile/${encodeURIComponent(ghost)}/displayname`, {
      query,
      body: { displayname: "Bobby" },
    });
    await alice.invite(room, ghost);
    for (const user_id of ["@slackbot:slack.test", ghost])
      await as.request("POST", `${v3}/join/${encodeURIComponent(room)}`, { query: { user_id }, body: {} });
    const send = async (type: string, id: string, body: object): Promise<string> => {
      const path = `${v3}/rooms/${encodeURIComponent(room)}/send/${type}/${id}`;
      const { event_id } = await as.request("PUT", path, { query, body: { ...body } });
      if (typeof event_id !== "string") throw new Error("the homeserver gave no event id");
      return event_id;
    };
    const said = bob.post("general", "said before");
    const event = await send("m.room.message", "1", { msgtype: "m.text", body: "said before" });
    bob.react(said, "tada");
    const reaction = await send("m.reaction", "2", {
      "m.relates_to": { rel_type: "m.annotation", event_id: event, key: "🎉" },
    });
    const channel = general.id;
    const source = await write(directory, {
      teams: [{ id: workspace.id, domain: "acme", botUser: "U0OLDBOT1" }],
      rooms: [{ room, inbound: "aaa", channel, name: "general", team: workspace.id }],
      ghosts: [{ user: ghost, slackId: bob.id, team: workspace.id, name: "Bobby" }],
      events: [{ room, event, channel, ts: said.ts }],
      reactions: [{ room, event: reaction, channel, ts: said.ts, slackUser: bob.id, name: "tada" }],
    });
    const between = "said while no bridge ran";
    bob.post("general", between);
    const importer = slackConnector.importers!["matrix-appservice-slack"]!;
    const loaded = await loadConfig(join(directory, "trestle.yaml"));
    const report = await importRecords(loaded, {
      bridge: "slack",
      records: importer.read(source, { config: undefined, environment: {} }),
      apply: true,
    });
    expect(report).toMatchObject({ applied: true, obstacles: [], links: { added: 1 }, messages: { added: 1 } });
    before = { ghost, between, bobs: { ts: said.ts, event, reaction } };
  };
  stage = await SlackStage.open({ bridge: () => ({ links: [] }), prepare });
  if (!before) throw new Error("nothing was prepared");
  return before;
}

async function nedb(directory: string, old: OldBridge): Promise<string> {
  await writeNedb(join(directory, "old"), old);
  return join(directory, "old");
}

describe("a bridge that took over from matrix-appservice-slack", () => {
  it("goes on with the same ghosts, and with what was said between", async () => {
    const { ghost, between } = await migrated(nedb);
    const missed = await stage!.saidOnMatrix(between);
    expect(missed.sender).toBe(ghost);
    stage!.slack.workspace("acme").person("bob").post("general", "said after");
    expect((await stage!.saidOnMatrix("said after")).sender).toBe(ghost);
    expect(stage!.bodies()).toEqual(["said before", between, "said after"]);
  });

  it("knows what was said before: answers and reactions of Matrix find it", async () => {
    const { bobs } = await migrated(nedb);
    const { alice, room, slack } = stage!;
    const general = slack.workspace("acme").channel("general");
    await alice.reply(room, bobs.event, "an answer");
    await stage!.eventually(
      () => general.thread(bobs.ts).some(({ text }) => text === "an answer"),
      "the answer arrives",
    );
    await alice.react(room, bobs.event, "👍️");
    await stage!.eventually(() => general.message(bobs.ts)?.reactions["+1"] !== undefined, "the reaction arrives");
  });

  it("knows what was said before: corrections, answers and deletions of Slack find it", async () => {
    const { bobs, ghost } = await migrated(nedb);
    const bob = stage!.slack.workspace("acme").person("bob");
    const said = { channel: stage!.slack.workspace("acme").channel("general").id, ts: bobs.ts };
    bob.reply(said, "in the thread");
    const answer = await stage!.saidOnMatrix("in the thread");
    expect(answer.content["m.relates_to"]).toMatchObject({ rel_type: "m.thread", event_id: bobs.event });
    bob.edit(said, "said better");
    const correction = await stage!.saidOnMatrix("* said better");
    expect(correction.sender).toBe(ghost);
    expect(correction.content["m.relates_to"]).toMatchObject({ rel_type: "m.replace", event_id: bobs.event });
    bob.delete(said);
    await stage!.eventually(
      () => stage!.events("m.room.redaction").some((each) => redacts(each) === bobs.event),
      "the message is taken back",
    );
  });
});

const postgresql = await realServer("postgresql");
postgresql.describe("a bridge that took over from a matrix-appservice-slack on PostgreSQL", (install) => {
  it("knows the reactions there were", async () => {
    const { bobs } = await migrated(async (_directory, old) => {
      const { server, url } = await startPostgresql(install);
      closers.push(() => server.stop());
      await writePostgresql(url, old);
      return url;
    });
    const bob = stage!.slack.workspace("acme").person("bob");
    bob.unreact({ channel: stage!.slack.workspace("acme").channel("general").id, ts: bobs.ts }, "tada");
    await stage!.eventually(
      () => stage!.events("m.room.redaction").some((each) => redacts(each) === bobs.reaction),
      "the reaction is taken back",
    );
  });
});

function redacts(event: object): unknown {
  return "redacts" in event ? event.redacts : "content" in event && (event.content as { redacts?: unknown }).redacts;
}
