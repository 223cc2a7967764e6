import type { Database, Statement } from "better-sqlite3";
import { JournalWriter } from "./journal-writer.js";
import { MessageWriter } from "./message-writer.js";
import type { NewEntry } from "./segment.js";

export type Sql = string | number | null | Uint8Array;

/**
 * Every change the core makes to its store, by name. A write is a tuple `[name, ...parameters]`. Each
 * answers with one number: for an insert with "or nothing" semantics the new row's id, or 0 when the row was there already;
 * for all others the number of rows changed.
 */
const statements = {
  setMeta: "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  addBridge: "INSERT INTO bridge (name) VALUES (?) ON CONFLICT DO NOTHING",

  active:
    "INSERT INTO activity (bridge, direction, lane, at) VALUES (?, ?, ?, ?) ON CONFLICT (bridge, direction, lane) DO UPDATE SET at = excluded.at",
  waiting: "UPDATE journal SET state = 1, attempts = ?, error = ?, doubt = max(doubt, ?), strikes = 0 WHERE seq = ?",
  dead: "UPDATE journal SET state = 2, attempts = ?, error = ? WHERE seq = ?",
  strike: "UPDATE journal SET strikes = strikes + 1 WHERE seq = ?",
  discard: "DELETE FROM journal WHERE seq = ? AND state = 2",

  addPart: "INSERT INTO part (seq, part, wire) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  partSent: "UPDATE part SET sent = 1, remote = ? WHERE seq = ? AND part = ?",
  dropParts: "DELETE FROM part WHERE seq = ?",

  addRoom: "INSERT INTO room (room) VALUES (?) ON CONFLICT DO NOTHING",
  setEncrypted: "UPDATE room SET encrypted = max(coalesce(encrypted, 0), ?) WHERE room = ?",
  setManagement: "UPDATE room SET management = ?, direct_user = ? WHERE room = ?",
  setReplacement: "UPDATE room SET replacement = ? WHERE room = ?",

  addChannel: "INSERT INTO channel (bridge, channel, name, topic) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  setChannelName: "UPDATE channel SET name = ? WHERE id = ?",
  setChannelId: "UPDATE channel SET channel = ? WHERE id = ?",
  setCursor: "UPDATE channel SET cursor = ? WHERE id = ?",
  addLink: "INSERT INTO link (room, channel, kind, by, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  dropLink: "DELETE FROM link WHERE room = ? AND channel = ?",
  moveLinksToChannel: "UPDATE OR REPLACE link SET channel = ? WHERE channel = ?",
  moveLinks: "UPDATE OR REPLACE link SET room = ? WHERE room = ?",

  addGhost: "INSERT INTO ghost (bridge, remote, user) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  setGhostName: "UPDATE ghost SET name = ? WHERE id = ?",
  setGhostAvatar: "UPDATE ghost SET avatar = ? WHERE id = ?",
  wantMembership:
    "INSERT INTO membership (room, ghost, desired, actual, reason) VALUES (?, ?, ?, 0, ?) ON CONFLICT (room, ghost) DO UPDATE SET desired = excluded.desired, reason = excluded.reason, attempts = 0, next_at = 0",
  isMember:
    "INSERT INTO membership (room, ghost, desired, actual) SELECT room, ghost, inside, inside FROM (SELECT ? AS room, ? AS ghost, ? AS inside) WHERE true ON CONFLICT (room, ghost) DO UPDATE SET desired = excluded.desired, actual = excluded.actual, attempts = 0, reason = NULL",
  actualMembership: "UPDATE membership SET actual = ?, attempts = 0 WHERE room = ? AND ghost = ?",
  membershipFailed: "UPDATE membership SET attempts = attempts + 1, next_at = ? WHERE room = ? AND ghost = ?",
  emptyUnlinked:
    "UPDATE membership SET desired = 0, reason = ?, attempts = 0, next_at = 0 WHERE room = ? AND desired = 1 AND ghost IN (SELECT id FROM ghost WHERE bridge = ?) AND NOT EXISTS (SELECT 1 FROM link JOIN channel ON channel.id = link.channel WHERE link.room = membership.room AND channel.bridge = ?)",
  membershipGivenUp: "UPDATE membership SET desired = actual WHERE room = ? AND ghost = ?",
  moveMemberships:
    "INSERT INTO membership (room, ghost, desired, actual) SELECT ?, ghost, 1, 0 FROM membership WHERE room = ? AND desired = 1 ON CONFLICT DO NOTHING",

  mapReaction:
    "INSERT INTO reaction (channel, remote, room, sender, key, event) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (channel, remote, room, sender, key) DO UPDATE SET event = excluded.event",
  unmapReaction: "DELETE FROM reaction WHERE event = ?",
  setMember:
    "INSERT INTO member (room, user, membership, name, avatar) VALUES (?, ?, ?, ?, ?) ON CONFLICT (room, user) DO UPDATE SET membership = excluded.membership, name = excluded.name, avatar = excluded.avatar",

  mapMedia: "INSERT INTO media (bridge, source, uri, info) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  revoke: "INSERT INTO revoked (event, at) VALUES (?, ?) ON CONFLICT DO NOTHING",
  setLogin:
    "INSERT INTO login (id, bridge, user, network, name, remote, secret, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, remote = excluded.remote, secret = excluded.secret",
  setLoginNetwork: "UPDATE login SET network = ? WHERE id = ?",
  setLoginSecret: "UPDATE login SET secret = ? WHERE id = ?",
  dropLogin: "DELETE FROM login WHERE id = ?",
  beginLogin: "INSERT INTO login_begun (id, bridge, user, room) VALUES (?, ?, ?, ?)",
  endLogin: "DELETE FROM login_begun WHERE id = ?",
  setStorage:
    "INSERT INTO storage (bridge, key, value) VALUES (?, ?, ?) ON CONFLICT (bridge, key) DO UPDATE SET value = excluded.value",
  dropStorage: "DELETE FROM storage WHERE bridge = ? AND key = ?",

  addPin:
    "INSERT INTO pin (channel, room, remote, event) VALUES (?, ?, ?, ?) ON CONFLICT (channel, room, remote) DO UPDATE SET event = excluded.event",
  dropPin: "DELETE FROM pin WHERE channel = ? AND room = ? AND remote = ?",
  dropPins: "DELETE FROM pin WHERE channel = ? AND room = ?",

  addPicture: "INSERT INTO picture (bridge, source, uri, name) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  prunePictures: "DELETE FROM picture WHERE bridge = ? AND id <= (SELECT max(id) FROM picture WHERE bridge = ?) - ?",

  addSpace: "INSERT INTO space (bridge, space) VALUES (?, ?) ON CONFLICT DO NOTHING",
  setSpaceRoom: "UPDATE space SET room = ?, name = ?, topic = ?, picture = '' WHERE id = ?",
  setSpaceName: "UPDATE space SET name = ? WHERE id = ?",
  setSpaceTopic: "UPDATE space SET topic = ? WHERE id = ?",
  setSpacePicture: "UPDATE space SET picture = ? WHERE id = ?",
  addSpaceRoom: "INSERT INTO space_room (space, room) VALUES (?, ?) ON CONFLICT DO NOTHING",
  spaceRoomDone: "UPDATE space_room SET done = 1 WHERE space = ? AND room = ?",
  dropSpaceRoom: "DELETE FROM space_room WHERE space = ? AND room = ?",

  setPolicyList:
    "INSERT INTO policy_list (bridge, list, room) VALUES (?, ?, ?) ON CONFLICT (bridge, list) DO UPDATE SET room = excluded.room",
  dropPolicyList: "DELETE FROM policy_list WHERE bridge = ? AND list = ?",
  setPolicyRule:
    "INSERT INTO policy_rule (bridge, list, type, state_key, entity) VALUES (?, ?, ?, ?, ?) ON CONFLICT (bridge, list, type, state_key) DO UPDATE SET entity = excluded.entity",
  dropPolicyRule: "DELETE FROM policy_rule WHERE bridge = ? AND list = ? AND type = ? AND state_key = ?",
  dropPolicyRules: "DELETE FROM policy_rule WHERE bridge = ? AND list = ?",
  addAbsent: "INSERT INTO policy_absent (bridge, room, user) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  dropAbsent: "DELETE FROM policy_absent WHERE bridge = ? AND room = ? AND user = ?",
} as const;

/**
 * Writes that are more than one statement: `append` and `appendDead` journal an entry that was not journaled before,
 * `done` takes it out, `known` asks whether it was journaled before, `remember` takes it for that; `unpack` gives every entry a row in `journal`, where it can be read.
 */
const composed = [
  "append",
  "appendDead",
  "known",
  "remember",
  "done",
  "requeue",
  "forget",
  "relane",
  "unpack",
  "mapMessage",
  "unmapEvent",
] as const;
type ComposedName = (typeof composed)[number];

export type WriteName = keyof typeof statements | ComposedName;
export type Write = readonly [name: WriteName, ...parameters: Sql[]];

const inserts: ReadonlySet<string> = new Set(
  Object.entries(statements)
    .filter(([, sql]) => sql.startsWith("INSERT"))
    .map(([name]) => name),
);
const composedNames: ReadonlySet<string> = new Set(composed);
/** So many entries of a large index go to their place together: each of them alone would write a page of its own. */
const indexedTogether = 16_384;

/** Runs writes against one database with its statements prepared once. */
export class Writer {
  readonly journal: JournalWriter;
  readonly messages: MessageWriter;
  readonly #prepared = new Map<WriteName, Statement>();

  constructor(
    readonly db: Database,
    runLength = indexedTogether,
  ) {
    this.journal = new JournalWriter(db, runLength);
    this.messages = new MessageWriter(db, runLength);
  }

  run(write: Write): number {
    const [name] = write;
    if (isComposed(name)) return this.#compose(name, write);
    // What is said of an entry is said in its row.
    if (name === "waiting" || name === "dead" || name === "strike")
      this.journal.single(numberAt(write, write.length - 1));
    let statement = this.#prepared.get(name);
    if (!statement) {
      statement = this.db.prepare(statements[name]);
      this.#prepared.set(name, statement);
    }
    const info = statement.run(...write.slice(1));
    return info.changes > 0 && inserts.has(name) ? Number(info.lastInsertRowid) || info.changes : info.changes;
  }

  /** After a start, or after a transaction was undone: only what is on disk counts. */
  recover(): void {
    this.journal.recover();
    this.messages.recover();
  }

  /** Writes what the transaction has gathered; the last thing before its commit. */
  flush(): void {
    this.journal.flush();
    this.messages.flush();
  }

  /** What was written is on disk. */
  committed(): void {
    this.messages.committed();
  }

  /** Puts all in its place before the end. */
  settle(): void {
    this.journal.settle();
    this.messages.settle();
  }

  #compose(name: ComposedName, write: Write): number {
    switch (name) {
      case "append":
        return this.journal.append(entryOf(write));
      case "appendDead":
        return this.journal.appendDead(entryOf(write), textAt(write, 7));
      case "known":
        return this.journal.isKnown(numberAt(write, 1), numberAt(write, 2), textAt(write, 3), textAt(write, 4)) ? 1 : 0;
      case "remember":
        return this.journal.remember(numberAt(write, 1), numberAt(write, 2), textAt(write, 3), textAt(write, 4));
      case "done":
        return this.journal.done(numberAt(write, 1));
      case "requeue":
        return this.journal.requeue(numberAt(write, 1), numberAt(write, 2));
      case "forget":
        return this.journal.forget(numberAt(write, 1), numberAt(write, 2));
      case "relane":
        return this.journal.relane(textAt(write, 1), textAt(write, 2), numberAt(write, 3), numberAt(write, 4));
      case "unpack":
        this.journal.unpackAll();
        return 0;
      case "mapMessage":
        return this.messages.map(
          numberAt(write, 1),
          textAt(write, 2),
          numberAt(write, 3),
          numberAt(write, 4),
          textAt(write, 5),
          textAt(write, 6),
        );
      case "unmapEvent":
        return this.messages.unmapEvent(textAt(write, 1));
    }
  }
}

function isComposed(name: WriteName): name is ComposedName {
  return composedNames.has(name);
}

/** @throws TypeError where the parameters of an `append` are not what it takes */
function entryOf(write: Write): NewEntry {
  return {
    bridge: numberAt(write, 1),
    direction: numberAt(write, 2),
    lane: textAt(write, 3),
    source: textAt(write, 4),
    at: numberAt(write, 5),
    payload: textAt(write, 6),
  };
}

/** @throws TypeError where the parameter is not a number */
function numberAt(write: Write, at: number): number {
  const value = write[at];
  if (typeof value !== "number") throw new TypeError(`Parameter ${at} of the write ${write[0]} is not a number`);
  return value;
}

function textAt(write: Write, at: number): string {
  const value = write[at];
  if (typeof value !== "string") throw new TypeError(`Parameter ${at} of the write ${write[0]} is not a text`);
  return value;
}
