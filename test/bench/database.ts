import Database from "better-sqlite3";
import { z } from "zod";
import type * as MessageWriter from "../../packages/core/dist/store/message-writer.js";
import { serverName } from "./load/homeserver.js";

// Not public: only who writes the tables by hand needs the hashes of their indexes.
const messageWriter = new URL("./store/message-writer.js", import.meta.resolve("@trestle/core")).href;
const { eventHash, remoteHash } = (await import(messageWriter)) as typeof MessageWriter;

export interface LargeState {
  readonly ghosts: number;
  /** Pairs of linked rooms: half of them named `!in{n}`, half `!out{n}`. */
  readonly pairs: number;
  readonly messages: number;
}

/**
 * Fills a database that Trestle has made (and let go of) with what years of use leave: ghosts, linked rooms,
 * memberships, mapped messages, and the memory of delivered events.
 */
export function fillDatabase(file: string, { ghosts, pairs, messages }: LargeState): void {
  const db = new Database(file);
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = OFF");
    db.pragma("cache_size = -200000");
    const bridge = db.prepare("SELECT id FROM bridge").pluck().get();
    if (typeof bridge !== "number") throw new Error(`There is no bridge in ${file}`);
    const indexes = takeIndexes(db);
    db.transaction(() => {
      addGhosts(db, bridge, ghosts);
      addLinks(db, bridge, pairs);
      addMessages(db, messages, pairs, ghosts);
      addMemory(db, Math.min(messages, 200_000));
    })();
    for (const index of indexes) db.exec(index);
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

/** A number is bound as REAL; what is divided must be an integer. */
const int = "CAST(? AS INTEGER)";
/** As long and as random as the ids of room version 4 and later. */
const eventId = "substr(hex(randomblob(22)), 1, 43)";
const numbers = (name: string): string =>
  `WITH RECURSIVE ${name}(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM ${name} WHERE n + 1 < ?)`;

/** Removes the indexes that can be made anew, which is much quicker than keeping them; returns what makes them. */
function takeIndexes(db: Database.Database): string[] {
  const rows = z
    .array(z.object({ name: z.string(), sql: z.string() }))
    .parse(db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all());
  for (const { name } of rows) db.exec(`DROP INDEX "${name}"`);
  return rows.map(({ sql }) => sql);
}

function addGhosts(db: Database.Database, bridge: number, count: number): void {
  db.prepare(
    `${numbers("ghosts")} INSERT OR IGNORE INTO ghost (bridge, remote, user, name)
     SELECT ?, 'idle' || n, '@bench_idle' || n || ':${serverName}', 'Idle person ' || n FROM ghosts`,
  ).run(count, bridge);
}

function addLinks(db: Database.Database, bridge: number, pairs: number): void {
  for (const side of ["in", "out"]) {
    db.prepare(
      `${numbers("rooms")} INSERT OR IGNORE INTO room (room, encrypted) SELECT '!${side}' || n || ':${serverName}', 0 FROM rooms`,
    ).run(pairs);
    db.prepare(
      `${numbers("channels")} INSERT OR IGNORE INTO channel (bridge, channel, name) SELECT ?, '${side}' || n, '${side}' || n FROM channels`,
    ).run(pairs, bridge);
    db.prepare(
      `${numbers("pairs")} INSERT OR IGNORE INTO link (room, channel, kind, by, at)
       SELECT room.id, channel.id, 1, 'operator', 0 FROM pairs
       JOIN room ON room.room = '!${side}' || n || ':${serverName}' JOIN channel ON channel.bridge = ? AND channel.channel = '${side}' || n`,
    ).run(pairs, bridge);
  }
}

/** Messages of every channel, in random order of event ids, and five memberships for each ghost. */
function addMessages(db: Database.Database, count: number, pairs: number, ghosts: number): void {
  const firstRoom = Number(db.prepare("SELECT id FROM room WHERE room = ?").pluck().get(`!out0:${serverName}`));
  const firstChannel = Number(db.prepare("SELECT id FROM channel WHERE channel = 'out0'").pluck().get());
  const perChannel = Math.max(1, Math.ceil(count / pairs));
  db.prepare(
    `${numbers("messages")} INSERT INTO message (channel, remote, part, room, event, sender)
     SELECT ${int} + n / ${int}, 'm' || (n % ${int}), 0, ${int} + n / ${int}, '$' || ${eventId}, '@bench_idle' || (n % ${int}) || ':${serverName}' FROM messages`,
  ).run(count, firstChannel, perChannel, perChannel, firstRoom, perChannel, Math.max(1, ghosts));
  const seed = Number(db.prepare("SELECT value FROM meta WHERE key = 'hashSeed'").pluck().get());
  db.function("event_hash", { deterministic: true }, (event: unknown) => BigInt(eventHash(String(event), seed)));
  db.function("remote_hash", { deterministic: true }, (channel: unknown, remote: unknown, room: unknown) =>
    BigInt(remoteHash(Number(channel), String(remote), Number(room), seed)),
  );
  db.exec("INSERT INTO message_event (hash, id) SELECT event_hash(event), id FROM message ORDER BY 1");
  db.exec(
    "INSERT INTO message_remote (hash, id) SELECT remote_hash(channel, remote, room), id FROM message ORDER BY 1",
  );
  db.exec("INSERT INTO meta (key, value) SELECT 'foldedMessages', max(id) FROM message");
  const firstGhost = Number(db.prepare("SELECT min(id) FROM ghost WHERE remote LIKE 'idle%'").pluck().get());
  db.prepare(
    `${numbers("memberships")} INSERT OR IGNORE INTO membership (room, ghost, desired, actual)
     SELECT ${int} + (n * 7919) % ${int}, ${int} + n % ${int}, 1, 1 FROM memberships`,
  ).run(ghosts * 5, firstRoom, pairs, firstGhost, Math.max(1, ghosts));
}

/** What was delivered is remembered, to recognise repetitions. */
function addMemory(db: Database.Database, count: number): void {
  db.prepare(
    `${numbers("entries")} INSERT OR IGNORE INTO seen (hash) SELECT abs(random() % 9007199254740991) FROM entries ORDER BY 1`,
  ).run(count);
}
