import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { ImportRecord, ImportReport, LoadedConfig } from "@trestle/core";
import { databaseFile, importRecords, loadConfig, openOfflineServices } from "@trestle/core";
import { formatRegistration, generateRegistration } from "../../dist/appservice/registration-index.js";
import { Messages } from "../../dist/mapping/messages.js";
import { connectorStorage } from "../../dist/mapping/connector-storage.js";
import { Secrets } from "../../dist/store/secrets.js";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import { Writer } from "../../dist/store/writes.js";

let directory = "";
let loaded: LoadedConfig;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "trestle-import-"));
  const registration = generateRegistration({
    id: "slack",
    url: "http://127.0.0.1:1",
    botLocalpart: "slackbot",
    prefix: "slack_",
    serverName: "example.org",
  });
  await writeFile(join(directory, "registration.yaml"), formatRegistration(registration));
  const config = {
    homeserver: { url: "http://127.0.0.1:1", name: "example.org" },
    dataDirectory: "data",
    encryptionKey: "a key for tests that is long enough",
    permissions: { "*": "user" },
    bridges: [{ name: "slack", connector: "slack", registration: "registration.yaml" }],
  };
  await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
  loaded = await loadConfig(join(directory, "trestle.yaml"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function* from(records: Iterable<ImportRecord>): AsyncIterable<ImportRecord> {
  yield* records;
}

function importing(records: Iterable<ImportRecord>, apply = true): Promise<ImportReport> {
  return importRecords(loaded, { bridge: "slack", records: from(records), apply });
}

function message(event: string, remote = "1.1"): ImportRecord {
  return { kind: "message", channel: "T/C", remote, room: "!r:example.org", event };
}

const records: readonly ImportRecord[] = [
  { kind: "link", room: "!r:example.org", channel: "T/C", channelName: "#general" },
  { kind: "ghost", remote: "t-u1", user: "@slack_acme_U1:example.org", name: "Bob", avatar: "a1" },
  message("$first"),
  message("$correction"),
  message("$second", "2.2"),
  {
    kind: "reaction",
    channel: "T/C",
    remote: "1.1",
    room: "!r:example.org",
    event: "$reaction",
    key: "🎉",
    sender: "@slack_acme_U1:example.org",
  },
  { kind: "value", key: "cursor", value: "2.2" },
  { kind: "toDo", reason: "sign in", subject: "@carol:example.org" },
];

const none = { added: 0, present: 0 };

async function withStore<Result>(use: (store: SqliteStore) => Promise<Result>): Promise<Result> {
  const store = await SqliteStore.open({ file: databaseFile(loaded.config) });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

describe("an import", () => {
  it("is where the bridge looks for it", async () => {
    const report = await importing(records);
    expect(report).toMatchObject({
      applied: true,
      ghosts: { added: 1, present: 0 },
      links: { added: 1, present: 0 },
      messages: { added: 3, present: 0 },
      reactions: { added: 1, present: 0 },
      obstacles: [],
      leftOut: [],
      toDo: [{ reason: "sign in", count: 1, examples: ["@carol:example.org"] }],
    });
    const offline = await openOfflineServices(loaded.config);
    expect(await offline.list()).toEqual([
      { bridge: "slack", room: "!r:example.org", channel: "T/C", channelName: "#general", kind: "plumbed" },
    ]);
    await offline.close();
    await withStore(async (store) => {
      const messages = new Messages(store);
      expect(await messages.ofRemote(1, "1.1", 1)).toMatchObject([
        { event: "$first", part: 0, sender: "" },
        { event: "$correction", part: 1, sender: "" },
      ]);
      expect(await messages.ofEvent("$second", 1)).toMatchObject([{ remote: "2.2", part: 0 }]);
      expect(await messages.reactionOfEvent("$reaction")).toMatchObject({ remote: "1.1", key: "🎉" });
      expect(await store.get("SELECT remote, user, name, avatar FROM ghost")).toEqual({
        remote: "t-u1",
        user: "@slack_acme_U1:example.org",
        name: "Bob",
        avatar: "a1",
      });
      const storage = connectorStorage(store, 1, new Secrets(loaded.config.encryptionKey));
      expect(await storage.get("cursor")).toBe("2.2");
    });
  });

  it("changes nothing the second time, also where it had grown meanwhile", async () => {
    await importing(records);
    const dump = (): unknown[] => {
      const db = new Database(databaseFile(loaded.config), { readonly: true });
      const tables = ["room", "channel", "link", "ghost", "message", "reaction", "storage"];
      const rows = tables.map((table) => db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all());
      db.close();
      return rows;
    };
    const before = dump();
    const again = await importing([...records, { kind: "value", key: "cursor", value: "9.9" }]);
    expect(again).toMatchObject({
      ghosts: { added: 0, present: 1 },
      links: { added: 0, present: 1 },
      messages: { added: 0, present: 3 },
      reactions: { added: 0, present: 1 },
    });
    expect(dump()).toEqual(before);
    const grown = await importing([...records, message("$third", "1.1")]);
    expect(grown.messages).toEqual({ added: 1, present: 3 });
    await withStore(async (store) => {
      const parts = await new Messages(store).ofRemote(1, "1.1", 1);
      expect(parts.map(({ event, part }) => [event, part])).toEqual([
        ["$first", 0],
        ["$correction", 1],
        ["$third", 2],
      ]);
    });
  });

  it("knows what a process that was killed had just mapped", async () => {
    await importing(records);
    const db = new Database(databaseFile(loaded.config));
    const writer = new Writer(db);
    db.exec("BEGIN IMMEDIATE");
    writer.recover();
    writer.run(["mapMessage", 1, "3.3", 0, 1, "$live", ""]);
    writer.flush();
    db.exec("COMMIT");
    db.close();
    const again = await importing([...records, message("$live", "3.3")]);
    expect(again.messages).toEqual({ added: 0, present: 4 });
  });

  it("writes nothing without apply, not even a file, and says the same as it says when it writes", async () => {
    const dry = await importing(records, false);
    expect(await readdir(directory)).toEqual(expect.not.arrayContaining(["data"]));
    const { applied, ...report } = await importing(records);
    expect(applied).toBe(true);
    expect(dry).toEqual({ ...report, applied: false });
    expect((await importing([...records, message("$new")], false)).messages).toEqual({ added: 1, present: 3 });
    expect((await importing(records, false)).messages).toEqual({ added: 0, present: 3 });
  });

  it("is undone whole where its source fails in the middle", async () => {
    async function* failing(): AsyncIterable<ImportRecord> {
      yield* records;
      throw new Error("the source broke");
    }
    await expect(importRecords(loaded, { bridge: "slack", records: failing(), apply: true })).rejects.toThrow(
      "the source broke",
    );
    const report = await importing([]);
    expect(report).toMatchObject({ ghosts: none, links: none, messages: none, reactions: none });
    await withStore(async (store) => {
      expect(await store.get("SELECT count(*) AS count FROM message")).toEqual({ count: 0 });
      expect(await store.get("SELECT count(*) AS count FROM room")).toEqual({ count: 0 });
    });
  });

  it("refuses while Trestle runs, with and without apply", async () => {
    await importing([]);
    await withStore(async () => {
      for (const apply of [true, false])
        await expect(importing(records, apply)).rejects.toMatchObject({ name: "StoreInUse" });
    });
    expect((await importing(records)).applied).toBe(true);
  });

  it("refuses a database that a newer Trestle wrote", async () => {
    await importing([]);
    const db = new Database(databaseFile(loaded.config));
    db.pragma("user_version = 999");
    db.close();
    await expect(importing(records)).rejects.toMatchObject({ name: "StartError", failure: "databaseUnusable" });
  });

  it("is not written where the registration does not cover a ghost", async () => {
    const foreign: ImportRecord = { kind: "ghost", remote: "t-u2", user: "@old_acme_U2:example.org" };
    const elsewhere: ImportRecord = { kind: "ghost", remote: "t-u3", user: "@slack_acme_U3:other.example" };
    const bot: ImportRecord = { kind: "ghost", remote: "t-u4", user: "@slackbot:example.org" };
    const report = await importing([...records, foreign, elsewhere, bot]);
    expect(report.applied).toBe(false);
    expect(report.obstacles).toMatchObject([
      {
        reason: expect.stringContaining("namespaces.users"),
        count: 3,
        examples: ["@old_acme_U2:example.org", "@slack_acme_U3:other.example", "@slackbot:example.org"],
      },
    ]);
    await withStore(async (store) =>
      expect(await store.get("SELECT count(*) AS count FROM message")).toEqual({ count: 0 }),
    );
  });

  it("leaves a person the ghost they have, and a ghost the person it has", async () => {
    await importing(records);
    const other: ImportRecord = { kind: "ghost", remote: "t-u1", user: "@slack_new_U1:example.org" };
    const same: ImportRecord = { kind: "ghost", remote: "t-u9", user: "@slack_acme_U1:example.org" };
    const report = await importing([other, same]);
    expect(report.ghosts).toEqual(none);
    expect(report.leftOut.map(({ reason }) => reason)).toEqual([
      "another ghost stands for the person already",
      "the ghost stands for another person already",
    ]);
  });

  it("leaves out what no homeserver could have, and says so", async () => {
    const report = await importing([
      { kind: "link", room: "general", channel: "T/C", channelName: "#general" },
      { kind: "ghost", remote: "t-u1", user: "bob" },
      { ...message("no-event") },
      { kind: "reaction", channel: "T/C", remote: "1.1", room: "x", event: "$e", key: "k" },
    ]);
    expect(report).toMatchObject({ applied: true, ghosts: none, links: none, messages: none, reactions: none });
    expect(report.leftOut).toHaveLength(4);
  });

  it("takes as much as there is, and finds all of it again", async () => {
    const count = 45_000;
    const many = Array.from({ length: count }, (_, index) => message(`$e${index}`, `${Math.floor(index / 2)}.0`));
    // The same ones once more in the same import are the same ones.
    expect((await importing([...many, ...many.slice(0, 100), ...many.slice(-100)])).messages).toEqual({
      added: count,
      present: 200,
    });
    expect((await importing(many)).messages).toEqual({ added: 0, present: count });
    await withStore(async (store) => {
      const messages = new Messages(store);
      for (const index of [0, 1, 19_999, 20_000, 20_001, count - 1]) {
        const found = await messages.ofEvent(`$e${index}`, 1);
        expect(found).toMatchObject([{ remote: `${Math.floor(index / 2)}.0`, part: index % 2 }]);
      }
    });
  }, 60_000);

  it("says of many what is the same of all of them once, with some examples", async () => {
    const left = Array.from({ length: 100 }, (_, index): ImportRecord => ({
      kind: "leftOut",
      reason: "old",
      subject: `#${index}`,
    }));
    const [remark, ...others] = (await importing(left, false)).leftOut;
    expect(others).toEqual([]);
    expect(remark).toMatchObject({ reason: "old", count: 100 });
    expect(remark?.examples).toHaveLength(20);
    expect(existsSync(databaseFile(loaded.config))).toBe(false);
  });
});

describe("accounts on several networks", () => {
  const login = (network: string | undefined, word: string): ImportRecord => ({
    kind: "login",
    user: "@ann:example.org",
    ...(network !== undefined && { network }),
    account: { name: `ann, ${word}`, secret: { word } },
  });

  it("are taken one for each, and none beside one that may be for any", async () => {
    const report = await importing([login("red", "1"), login("blue", "2"), login("red", "3")]);
    expect(report.logins).toEqual({ added: 2, present: 1 });
    const before = await importing([{ ...login(undefined, "4"), user: "@bob:example.org" } as ImportRecord]);
    expect(before.logins).toEqual({ added: 1, present: 0 });
    const after = await importing([{ ...login("red", "5"), user: "@bob:example.org" } as ImportRecord]);
    expect(after.logins).toEqual({ added: 0, present: 1 });
  });
});
