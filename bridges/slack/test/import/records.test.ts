import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { ImportRecord } from "@trestle/core";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort } from "../../../../test/support/bounded.js";
import { realServer } from "../../../../test/support/servers/index.js";
import { startPostgresql } from "../../../../test/support/servers/postgresql.js";
import { slackConnector } from "../../dist/index.js";
import { ChannelMemory } from "../../dist/link/gaps/memory.js";
import { writeNedb, writePostgresql, type OldBridge } from "../support/old-bridge.js";

const old: OldBridge = {
  teams: [
    { id: "T0ACME001", domain: "acme", botUser: "U0OLDBOT1" },
    { id: "T0OTHER01", domain: "other-co", botUser: "U0OLDBOT2" },
  ],
  rooms: [
    { room: "!general:slack.test", inbound: "aaa", channel: "C0GENERAL", name: "general", team: "T0ACME001" },
    {
      room: "!secret:slack.test",
      inbound: "bbb",
      channel: "G0SECRET1",
      name: "#secret",
      team: "T0OTHER01",
      type: "group",
    },
    {
      room: "!hooks:slack.test",
      inbound: "ccc",
      name: "hooks",
      webhook: "https://hooks.slack.com/services/T/B/secret",
    },
    {
      room: "!dm:slack.test",
      inbound: "ddd",
      channel: "D0PRIVATE",
      team: "T0ACME001",
      type: "im",
      owner: "@carol:slack.test",
    },
  ],
  ghosts: [
    {
      user: "@slack_acme_U0BOB0001:slack.test",
      slackId: "U0BOB0001",
      team: "T0ACME001",
      name: "bob",
      avatarHash: "g123",
    },
    { user: "@slack_acme_B0ROBOT01:slack.test", slackId: "B0ROBOT01", team: "T0ACME001" },
    // So it was before people's own ids were kept.
    { user: "@slack_other-co_U0DAVE001:slack.test", name: "dave" },
    { user: "@slack_nowhere_U0EVE0001:slack.test" },
  ],
  events: [
    { room: "!general:slack.test", event: "$correction", channel: "C0GENERAL", ts: "1700000001.000100" },
    {
      room: "!general:slack.test",
      event: "$first",
      channel: "C0GENERAL",
      ts: "1700000001.000100",
      thread: ["1700000002.000100"],
    },
    { room: "!general:slack.test", event: "$answer", channel: "C0GENERAL", ts: "1700000002.000100" },
    { room: "!unlinked:slack.test", event: "$lost", channel: "C0GONE001", ts: "1700000003.000100" },
    { room: "!general:slack.test", event: "$timeless", channel: "C0GENERAL", ts: "yesterday" },
  ],
  reactions: [
    {
      room: "!general:slack.test",
      event: "$bobs",
      channel: "C0GENERAL",
      ts: "1700000001.000100",
      slackUser: "U0BOB0001",
      name: "tada",
    },
    {
      room: "!general:slack.test",
      event: "$alices",
      channel: "C0GENERAL",
      ts: "1700000001.000100",
      slackUser: "U0OLDBOT1",
      name: "+1::skin-tone-2",
    },
    {
      room: "!general:slack.test",
      event: "$whose",
      channel: "C0GENERAL",
      ts: "1700000001.000100",
      slackUser: "U0NOBODY1",
      name: "tada",
    },
  ],
  puppets: [{ user: "@carol:slack.test", slackId: "U0CAROL01", team: "T0ACME001" }],
};

const general = "T0ACME001/C0GENERAL";
const expected: ImportRecord[] = [
  { kind: "link", room: "!general:slack.test", channel: general, channelName: "#general" },
  { kind: "link", room: "!secret:slack.test", channel: "T0OTHER01/G0SECRET1", channelName: "#secret" },
  {
    kind: "leftOut",
    reason: "the link was made by webhooks alone: link the room again, or set up mode webhook for it",
    subject: "!hooks:slack.test (hooks)",
  },
  {
    kind: "leftOut",
    reason: "the link is a private conversation; a new room is made for it when its owner has signed in",
    subject: "!dm:slack.test (D0PRIVATE)",
  },
  { kind: "toDo", reason: "install the bridge's app in the workspace", subject: "acme.slack.com (T0ACME001)" },
  { kind: "toDo", reason: "install the bridge's app in the workspace", subject: "other-co.slack.com (T0OTHER01)" },
  {
    kind: "ghost",
    remote: "t0acme001-u0bob0001",
    user: "@slack_acme_U0BOB0001:slack.test",
    name: "bob",
    avatar: "g123",
  },
  { kind: "ghost", remote: "t0acme001-b0robot01", user: "@slack_acme_B0ROBOT01:slack.test" },
  { kind: "ghost", remote: "t0other01-u0dave001", user: "@slack_other-co_U0DAVE001:slack.test", name: "dave" },
  { kind: "leftOut", reason: "it is not known whose ghost it is", subject: "@slack_nowhere_U0EVE0001:slack.test" },
  // The one with a thread is the message, and the other its correction.
  { kind: "message", channel: general, remote: "1700000001.000100", room: "!general:slack.test", event: "$first" },
  { kind: "message", channel: general, remote: "1700000001.000100", room: "!general:slack.test", event: "$correction" },
  { kind: "message", channel: general, remote: "1700000002.000100", room: "!general:slack.test", event: "$answer" },
  { kind: "leftOut", reason: "the message is of a link that is no more", subject: "!unlinked:slack.test $lost" },
  { kind: "leftOut", reason: "the message has no valid ts", subject: "!general:slack.test $timeless" },
  {
    kind: "value",
    key: `seen:${general}`,
    // All up to the newest message is known, and nothing more.
    value: ChannelMemory.since("1700000002.000100").write(),
  },
  {
    kind: "toDo",
    reason: "has to sign in to Slack again, with the command login",
    subject: "@carol:slack.test (acme.slack.com (T0ACME001))",
  },
];
const reactions: ImportRecord[] = [
  {
    kind: "reaction",
    channel: general,
    remote: "1700000001.000100",
    room: "!general:slack.test",
    event: "$bobs",
    key: "🎉",
    sender: "@slack_acme_U0BOB0001:slack.test",
  },
  {
    kind: "reaction",
    channel: general,
    remote: "1700000001.000100",
    room: "!general:slack.test",
    event: "$alices",
    key: "👍🏻",
  },
  { kind: "leftOut", reason: "it is not known whose reaction it is", subject: "!general:slack.test $whose" },
];

async function read(source: string): Promise<ImportRecord[]> {
  const importer = slackConnector.importers?.["matrix-appservice-slack"];
  const records: ImportRecord[] = [];
  for await (const record of importer!.read(source, { config: undefined, environment: {} })) records.push(record);
  return records;
}

async function query(url: string, sql: string, ...values: readonly unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql, values.length === 0 ? undefined : [...values]);
  } finally {
    await client.end();
  }
}

const sorted = (records: readonly unknown[]): string[] => records.map((each) => JSON.stringify(each)).sort();
const ofKind = (records: readonly ImportRecord[], kind: string): ImportRecord[] =>
  records.filter((each) => each.kind === kind);

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "trestle-old-bridge-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("what matrix-appservice-slack kept in NeDB", () => {
  const torn = ["teams.db", "room-store.db", "user-store.db", "event-store.db"].map((name) => ({
    kind: "leftOut",
    reason: `a line of ${name} cannot be read`,
    subject: "1 of them",
  }));

  it("is read whole: what was changed counts as it is now, what was deleted not, a torn line is told of", async () => {
    await writeNedb(directory, old);
    const records = await read(directory);
    expect(sorted(records)).toEqual(sorted([...expected, ...torn]));
    expect(ofKind(records, "message").map((each) => "event" in each && each.event)).toEqual([
      "$first",
      "$correction",
      "$answer",
    ]);
  });

  it("is read from the copy that NeDB leaves when it dies while it compacts", async () => {
    await writeNedb(directory, old);
    await rename(join(directory, "event-store.db"), join(directory, "event-store.db~"));
    expect(ofKind(await read(directory), "message")).toHaveLength(3);
  });

  it("survives nonsense", async () => {
    await writeNedb(directory, { ...old, events: [] });
    const lines = ["[]", "null", "7", '{"_id":"x"}', '{"_id":"y","matrix":7,"remote":[]}', "{}", "\u0000"];
    await writeFile(join(directory, "event-store.db"), lines.join("\n"));
    const records = await read(directory);
    expect(ofKind(records, "message")).toEqual([]);
    expect(records).toContainEqual({
      kind: "leftOut",
      reason: "a line of event-store.db cannot be read",
      subject: `${lines.length} of them`,
    });
  });

  it("is not taken for something else", async () => {
    await expect(read(directory)).rejects.toThrow("There is no room-store.db in");
  });
});

const postgresql = await realServer("postgresql");
postgresql.describe("what matrix-appservice-slack kept in PostgreSQL", (install) => {
  let postgres: Awaited<ReturnType<typeof startPostgresql>>;
  let [url, databases] = ["", 0];
  beforeAll(async () => {
    postgres = await startPostgresql(install);
  });
  afterAll(() => postgres.server.stop());
  beforeEach(async () => {
    databases += 1;
    await query(postgres.url, `CREATE DATABASE test${databases}`);
    url = postgres.url.replace(/[^/]+$/, `test${databases}`);
  });

  it("is read whole, and in the right order", async () => {
    await writePostgresql(url, old);
    const records = await read(url);
    expect(sorted(records)).toEqual(sorted([...expected, ...reactions]));
    expect(ofKind(records, "message")).toEqual(ofKind(expected, "message"));
  });

  it("is read in pieces", async () => {
    const many = Array.from({ length: 11_000 }, (_, index) => `17000${String(index).padStart(5, "0")}.000100`);
    await writePostgresql(url, { ...old, events: [] });
    await query(
      url,
      "INSERT INTO events SELECT '!general:slack.test', '$' || ts, 'C0GENERAL', ts, '{}' FROM unnest($1::text[]) AS ts",
      many,
    );
    const messages = ofKind(await read(url), "message");
    expect(messages.map((each) => "remote" in each && each.remote)).toEqual(many);
  });

  it("is read from a database of old, which has fewer tables", async () => {
    await writePostgresql(url, old);
    await query(
      url,
      "DROP TABLE reactions; DROP TABLE linked_accounts; DROP TABLE puppets; UPDATE schema SET version = 3",
    );
    const records = await read(url);
    expect(ofKind(records, "reaction")).toEqual([]);
    expect(ofKind(records, "message")).toHaveLength(3);
  });

  it("is not taken for another database, and a password is never shown", async () => {
    const secret = url.replace("trestle@", "trestle:hunter2@");
    await expect(read(secret)).rejects.toThrow(/^(?!.*hunter2).*it is no database of matrix-appservice-slack/);
    const nobody = secret.replace(/:\d+\//, `:${await freePort()}/`);
    await expect(read(nobody)).rejects.toThrow(/^(?!.*hunter2).*cannot be reached: .*ECONNREFUSED/);
  });
});
