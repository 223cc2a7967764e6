import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { ImportRecord } from "@trestle/core";
import connector from "@trestle/xmpp";
import pg from "pg";
import { realServer } from "../../../test/support/servers/index.js";
import { startPostgresql } from "../../../test/support/servers/postgresql.js";

const importer = connector.importers!["matrix-bifrost"]!;

async function read(source: string): Promise<ImportRecord[]> {
  const records: ImportRecord[] = [];
  for await (const record of importer.read(source, { config: {}, environment: {} })) records.push(record);
  return records;
}

const expected: ImportRecord[] = [
  { kind: "ghost", remote: "dan@example.net", user: "@_bifrost_dan=40example.net:x", name: "Dan" },
  {
    kind: "ghost",
    remote: "nick:hall@rooms.example.org/Carol Ü",
    user: "@_bifrost_Carol=20=c3=9c/hall=40rooms.example.org:x",
  },
  { kind: "leftOut", reason: expect.stringContaining("prpl-sipe"), subject: "@_bifrost_eve:x" },
  { kind: "link", room: "!a:x", channel: "hall@rooms.example.org", channelName: "hall" },
  { kind: "link", room: "!b:x", channel: "garden@rooms.example.org", channelName: "garden" },
  {
    kind: "leftOut",
    reason: expect.stringContaining("needs no link"),
    subject: "!c:x #trestle#x@matrix.example.org",
  },
  { kind: "leftOut", reason: expect.stringContaining("prpl-sipe"), subject: "!d:x lobby" },
  { kind: "link", room: "!e:x", channel: "@alice:x dan@example.net", channelName: "dan" },
  { kind: "leftOut", reason: expect.stringContaining("inside a room"), subject: expect.stringContaining("!f:x") },
  {
    kind: "toDo",
    reason: expect.stringContaining("sign in anew"),
    subject: "@bob:x was bob@example.net (prpl-jabber)",
  },
] as ImportRecord[];

describe("the NeDB files of matrix-bifrost", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "trestle-import-xmpp-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const room = (id: string, matrix: string, type: string, remote: object) => ({
    _id: id,
    id: `${matrix} ${Buffer.from(id).toString("base64")}`,
    matrix_id: matrix,
    remote_id: Buffer.from(id).toString("base64"),
    matrix: { extras: { type }, name: "", topic: "" },
    remote,
    data: {},
  });
  /** A Matrix user and somebody on a network, and that they are the same. */
  const person = (id: string, user: string, protocol: string, username: string, type: string, displayname?: string) => [
    { _id: `${id}m`, type: "matrix", id: user, data: { localpart: user, ...(displayname && { displayname }) } },
    { _id: `${id}r`, type: "remote", id: `${protocol}://${username}`, data: { protocol_id: protocol, username, type } },
    { _id: `${id}u`, type: "union", link: { matrix: user, remote: `${protocol}://${username}` } },
  ];

  async function write(): Promise<void> {
    const rooms = [
      { $$indexCreated: { fieldName: "id", unique: true, sparse: false } },
      room("1", "!old:x", "group", { protocol_id: "xmpp-js", room_name: "hall@rooms.example.org" }),
      room("2", "!deleted:x", "group", { protocol_id: "xmpp-js", room_name: "gone@rooms.example.org" }),
      { $$deleted: true, _id: "2" },
      room("1", "!a:x", "group", {
        protocol_id: "xmpp-js",
        room_name: "hall@rooms.example.org",
        plumbed: true,
        properties: { room: "hall", server: "rooms·example·org" },
      }),
      room("3", "!b:x", "group", {
        protocol_id: "prpl-jabber",
        properties: { room: "Garden", server: "rooms.example.org" },
      }),
      room("4", "!c:x", "group", {
        protocol_id: "xmpp-js",
        type: "group",
        room_name: "#trestle#x@matrix.example.org",
        gateway: true,
        properties: { room_id: "!c:x", room_alias: "#trestle:x" },
      }),
      room("5", "!d:x", "group", { protocol_id: "prpl-sipe", room_name: "lobby" }),
      room("6", "!e:x", "im", { protocol_id: "xmpp-js", matrixUser: "@alice:x", recipient: "dan@example.net" }),
      room("7", "!f:x", "im", {
        protocol_id: "xmpp-js",
        matrixUser: "@alice:x",
        recipient: "hall@rooms.example.org/Carol",
      }),
      room("8", "!admin:x", "user-admin", { matrixUser: "@alice:x" }),
    ];
    const users = [
      ...person("a", "@_bifrost_dan=40example.net:x", "xmpp-js", "dan@example.net", "ghost", "Dan"),
      ...person(
        "b",
        "@_bifrost_Carol=20=c3=9c/hall=40rooms.example.org:x",
        "xmpp-js",
        "hall@rooms.example.org/Carol Ü",
        "ghost",
      ),
      ...person("c", "@_bifrost_eve:x", "prpl-sipe", "eve", "ghost"),
      ...person("d", "@alice:x", "xmpp-js", "alice_x@matrix.example.org", "account"),
      ...person("e", "@bob:x", "prpl-jabber", "bob@example.net", "account"),
    ];
    const lines = (documents: readonly object[]) => documents.map((each) => `${JSON.stringify(each)}\n`).join("");
    await writeFile(join(directory, "room-store.db"), lines(rooms));
    await writeFile(join(directory, "user-store.db"), lines(users));
  }

  it("are links, private conversations and the ghosts there are", async () => {
    await write();
    expect(await read(directory)).toEqual(expected);
    expect(await read(`nedb://${directory}`)).toEqual(expected);
  });

  it("are read as far as they can be", async () => {
    await write();
    await writeFile(join(directory, "room-store.db"), 'not JSON\n{"_id":"1","matrix":{"extras":{"type":"group"}}}\n');
    const records = await read(directory);
    expect(records.filter(({ kind }) => kind === "link")).toEqual([]);
    expect(records).toContainEqual({
      kind: "leftOut",
      reason: "it could not be read",
      subject: "a line of room-store.db (2)",
    });
  });

  it("that are not there are asked for", async () => {
    await expect(read(directory)).rejects.toThrow(/datastore\.connectionString/);
  });
});

const postgresql = await realServer("postgresql");
postgresql.describe("the PostgreSQL database of matrix-bifrost", (install) => {
  let postgres: Awaited<ReturnType<typeof startPostgresql>>;
  beforeAll(async () => {
    postgres = await startPostgresql(install);
  }, 60_000);
  afterAll(() => postgres.server.stop());

  it("is read alike, and another database is refused", async () => {
    const { url } = postgres;
    await expect(read(url)).rejects.toThrow(/no tables group_rooms and remote_users/);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`
      CREATE TABLE schema (version INTEGER UNIQUE NOT NULL);
      INSERT INTO schema VALUES (2);
      CREATE TABLE rooms (room_id TEXT);
      CREATE TABLE group_rooms (room_id TEXT UNIQUE NOT NULL, protocol_id TEXT NULL, room_name TEXT, gateway BOOLEAN,
        properties JSONB) INHERITS (rooms);
      CREATE TABLE im_rooms (room_id TEXT UNIQUE NOT NULL, user_id TEXT NOT NULL, remote_id TEXT NOT NULL,
        protocol_id TEXT NOT NULL) INHERITS (rooms);
      CREATE TABLE admin_rooms (room_id TEXT UNIQUE NOT NULL, user_id TEXT) INHERITS (rooms);
      CREATE TABLE accounts (user_id TEXT NOT NULL, protocol_id TEXT NOT NULL, username TEXT NOT NULL, extra_data JSONB);
      CREATE TABLE ghost_cache (user_id TEXT UNIQUE NOT NULL, displayname TEXT, avatar_url TEXT);
      CREATE TABLE remote_users (user_id TEXT UNIQUE NOT NULL, sender_name TEXT, protocol_id TEXT, extra_data JSONB);
      INSERT INTO group_rooms VALUES
        ('!a:x', 'xmpp-js', 'hall@rooms.example.org', NULL, '{"room":"hall","server":"rooms.example.org"}'),
        ('!b:x', 'prpl-jabber', NULL, NULL, '{"room":"Garden","server":"rooms.example.org"}'),
        ('!c:x', 'xmpp-js', '#trestle#x@matrix.example.org', TRUE, '{"room_id":"!c:x","room_alias":"#trestle:x"}'),
        ('!d:x', 'prpl-sipe', 'lobby', NULL, '{}');
      INSERT INTO im_rooms VALUES ('!e:x', '@alice:x', 'dan@example.net', 'xmpp-js'),
        ('!f:x', '@alice:x', 'hall@rooms.example.org/Carol', 'xmpp-js');
      INSERT INTO admin_rooms VALUES ('!admin:x', '@alice:x');
      INSERT INTO accounts VALUES ('@alice:x', 'xmpp-js', 'alice_x@matrix.example.org', '{}'),
        ('@bob:x', 'prpl-jabber', 'bob@example.net', '{}');
      INSERT INTO ghost_cache VALUES ('@_bifrost_dan=40example.net:x', 'Dan', 'mxc://x/y');
      INSERT INTO remote_users VALUES ('@_bifrost_dan=40example.net:x', 'dan@example.net', 'xmpp-js', '{}'),
        ('@_bifrost_Carol=20=c3=9c/hall=40rooms.example.org:x', 'hall@rooms.example.org/Carol Ü', 'xmpp-js', '{}'),
        ('@_bifrost_eve:x', 'eve', 'prpl-sipe', '{}');`);
    await client.end();
    const order = (records: readonly ImportRecord[]): string[] => records.map((each) => JSON.stringify(each)).sort();
    const found = await read(url);
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(order(found)).toHaveLength(expected.length);
  });
});
