import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { constants, generateKeyPairSync, publicEncrypt, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImportRecord } from "@trestle/core";
import connector from "@trestle/irc";
import pg from "pg";
import { realServer } from "../../../test/support/servers/index.js";
import { startPostgresql } from "../../../test/support/servers/postgresql.js";

const importer = connector.importers!["matrix-appservice-irc"]!;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const config = {
  networks: [
    { name: "libera", host: "irc.libera.chat" },
    { name: "oftc", host: "irc.oftc.net", fallbacks: ["irc4.oftc.net:6697"] },
  ],
};

/** As that bridge wrote it: a salt, a space, the password. */
function encrypted(password: string, key = publicKey): string {
  const salt = randomBytes(16).toString("base64");
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, Buffer.from(`${salt} ${password}`)).toString(
    "base64",
  );
}

let directory: string;
let passkey: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "trestle-import-irc-"));
  passkey = join(directory, "passkey.pem");
  await writeFile(passkey, privateKey.export({ type: "pkcs8", format: "pem" }));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function read(source: string, withKey = true, network: object = config): Promise<ImportRecord[]> {
  const environment = withKey ? { MATRIX_APPSERVICE_IRC_PASSKEY: passkey } : {};
  const records: ImportRecord[] = [];
  for await (const record of importer.read(source, { config: network, environment })) records.push(record);
  return records;
}

const secrets = {
  alice: "a password with spaces, ü and : in it".replace(":", ""),
  bob: "bobby:s3cret: with colon",
};
const expected: ImportRecord[] = [
  { kind: "link", room: "!a:x", channel: "libera/#trestle", channelName: "libera/#trestle" },
  { kind: "link", room: "!b:x", channel: "oftc/#{brackets}", channelName: "oftc/#{brackets}" },
  { kind: "leftOut", reason: expect.stringContaining("not in the configuration"), subject: "!c:x irc.gone.net #gone" },
  { kind: "ghost", remote: "libera/carol", user: "@irc.libera.chat_Carol:x", name: "carol" },
  { kind: "link", room: "!pm:x", channel: "libera/carol/@alice:x", channelName: "carol" },
  { kind: "value", key: "nick:libera/@alice:x", value: "Alice_" },
  {
    kind: "login",
    user: "@alice:x",
    network: "libera",
    account: {
      name: "Alice_ on libera",
      secret: { network: "libera", method: "password", account: "Alice_", password: secrets.alice },
    },
  },
  {
    kind: "login",
    user: "@alice:x",
    network: "oftc",
    account: {
      name: "alice on oftc",
      secret: { network: "oftc", method: "password", account: "alice", password: "another one" },
    },
  },
  {
    kind: "login",
    user: "@bob:x",
    network: "oftc",
    account: {
      name: "bobby on oftc",
      secret: { network: "oftc", method: "password", account: "bobby", password: "s3cret: with colon" },
    },
  },
] as ImportRecord[];

describe("the NeDB files of matrix-appservice-irc", () => {
  const room = (id: string, matrix: string, domain: string, channel: string, more: object = {}) => ({
    _id: id,
    id,
    matrix_id: matrix,
    remote_id: `${domain} ${channel}`,
    matrix: {},
    remote: { domain, channel, type: channel.startsWith("#") ? "channel" : "pm" },
    data: { origin: "join" },
    ...more,
  });

  async function write(): Promise<void> {
    const rooms = [
      { $$indexCreated: { fieldName: "id", unique: true, sparse: false } },
      room("1", "!old:x", "irc.libera.chat", "#trestle"),
      room("2", "!deleted:x", "irc.libera.chat", "#deleted"),
      { $$deleted: true, _id: "2" },
      room("1", "!a:x", "irc.libera.chat", "#trestle"),
      room("3", "!b:x", "irc4.oftc.net", "#[brackets]"),
      room("4", "!c:x", "irc.gone.net", "#gone"),
      room("5", "!pm:x", "irc.libera.chat", "carol", {
        data: { real_user_id: "@alice:x", virtual_user_id: "@irc.libera.chat_Carol:x" },
      }),
      { _id: "6", id: "ADMIN_@alice:x", matrix_id: "!admin:x", matrix: { extras: { admin_id: "@alice:x" } } },
    ];
    const users = [
      {
        _id: "a",
        type: "matrix",
        id: "@alice:x",
        data: {
          localpart: "alice",
          client_config: {
            irc_libera_chat: { nick: "Alice_", username: "alice", password: encrypted(secrets.alice) },
            irc_oftc_net: { username: "alice", password: encrypted("another one") },
          },
        },
      },
      {
        _id: "b",
        type: "matrix",
        id: "@bob:x",
        data: { client_config: { irc_oftc_net: { username: "bob", password: encrypted(secrets.bob) } } },
      },
      { _id: "c", type: "remote", id: "config", data: {} },
      { _id: "d", type: "matrix", id: "@dan:x", data: { features: { mentions: true } } },
    ];
    const lines = (documents: readonly object[]) => documents.map((each) => `${JSON.stringify(each)}\n`).join("");
    await writeFile(join(directory, "rooms.db"), lines(rooms));
    await writeFile(join(directory, "users.db"), lines(users));
  }

  it("are links, private conversations with their ghosts, and accounts with whole passwords", async () => {
    await write();
    expect(await read(directory)).toEqual(expected);
    expect(await read(`nedb://${directory}`)).toEqual(expected);
  });

  it("say what is missing for the passwords", async () => {
    await write();
    const without = await read(directory, false);
    expect(without.filter(({ kind }) => kind === "login")).toEqual([]);
    expect(without).toContainEqual(
      expect.objectContaining({ kind: "toDo", reason: expect.stringContaining("MATRIX_APPSERVICE_IRC_PASSKEY") }),
    );
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(passkey, other.privateKey.export({ type: "pkcs8", format: "pem" }));
    expect(await read(directory)).toContainEqual(
      expect.objectContaining({ kind: "toDo", reason: expect.stringContaining("another key") }),
    );
    await writeFile(passkey, "no key");
    await expect(read(directory)).rejects.toThrow(/passwordEncryptionKeyPath/);
  });

  it("say whose nick cannot be taken over", async () => {
    await write();
    const nickless = { ...config, networks: [{ ...config.networks[0], chosenNicks: false }] };
    expect(await read(directory, true, nickless)).toContainEqual({
      kind: "toDo",
      reason: expect.stringContaining("chosenNicks"),
      subject: "@alice:x was Alice_ on libera",
    });
    const settings = { nick: "1 nick", username: "eve" };
    const eve = { _id: "e", type: "matrix", id: "@eve:x", data: { client_config: { irc_libera_chat: settings } } };
    await writeFile(join(directory, "users.db"), `${JSON.stringify(eve)}\n`);
    expect((await read(directory)).filter(({ kind }) => kind !== "link" && kind !== "ghost")).toEqual([
      expect.objectContaining({ kind: "leftOut" }),
      { kind: "toDo", reason: expect.stringContaining("display name"), subject: "@eve:x was 1 nick on libera" },
    ]);
  });

  it("that are not there are asked for", async () => {
    await expect(read(directory)).rejects.toThrow(/database\.connectionString/);
  });
});

const postgresql = await realServer("postgresql");
postgresql.describe("the PostgreSQL database of matrix-appservice-irc", (install) => {
  let postgres: Awaited<ReturnType<typeof startPostgresql>>;
  beforeAll(async () => {
    postgres = await startPostgresql(install);
  }, 60_000);
  afterAll(() => postgres.server.stop());

  it("is read alike, and another database is refused", async () => {
    const { url } = postgres;
    await expect(read(url)).rejects.toThrow(/no tables rooms and client_config/);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`
      CREATE TABLE schema (version INTEGER UNIQUE NOT NULL);
      INSERT INTO schema VALUES (9);
      CREATE TABLE rooms (origin TEXT NOT NULL, room_id TEXT NOT NULL, type TEXT NOT NULL, irc_domain TEXT NOT NULL,
        irc_channel TEXT NOT NULL, irc_json JSON NOT NULL, matrix_json JSON NOT NULL);
      CREATE TABLE pm_rooms (room_id TEXT UNIQUE, irc_domain TEXT NOT NULL, irc_nick TEXT NOT NULL, matrix_user_id TEXT,
        virtual_user_id TEXT);
      CREATE TABLE client_config (user_id TEXT, domain TEXT NOT NULL, config JSON, password TEXT);
      INSERT INTO rooms VALUES ('join', '!a:x', 'channel', 'irc.libera.chat', '#trestle', '{}', '{}'),
        ('alias', '!b:x', 'channel', 'irc4.oftc.net', '#[brackets]', '{}', '{}'),
        ('config', '!c:x', 'channel', 'irc.gone.net', '#gone', '{}', '{}');
      INSERT INTO pm_rooms VALUES ('!pm:x', 'irc.libera.chat', 'carol', '@alice:x', '@irc.libera.chat_Carol:x');`);
    await client.query("INSERT INTO client_config VALUES ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12)", [
      ...["@alice:x", "irc.libera.chat", '{"nick":"Alice_","username":"alice"}', encrypted(secrets.alice)],
      ...["@alice:x", "irc.oftc.net", '{"username":"alice"}', encrypted("another one")],
      ...["@bob:x", "irc.oftc.net", '{"username":"bob"}', encrypted(secrets.bob)],
    ]);
    await client.end();
    expect(await read(url)).toEqual(expected);
  });
});
