import type { Database, Statement } from "better-sqlite3";
import { hash53 } from "./hash.js";
import { SortedFold } from "./sorted-fold.js";

const foldedUpTo = "foldedMessages";

/**
 * So many messages are on disk without being in the indexes at most, twice: those of the run that is under way, and
 * those that came since. Whoever reads must know the newest ones by other means.
 */
const runLength = 2_048;
export const mostUnindexedMessages = 3 * runLength;

/** The hash that `message_event` has of an event id. */
export function eventHash(event: string, seed: number): number {
  return hash53(event, seed);
}

/** The hash that `message_remote` has of a network's message in a room. */
export function remoteHash(channel: number, remote: string, room: number, seed: number): number {
  return hash53(`${channel} ${room} ${remote}`, seed);
}

interface Unindexed {
  readonly id: number;
  readonly event: number;
  readonly remote: number;
}

interface MessageRow {
  readonly id: number;
  readonly channel: number;
  readonly remote: string;
  readonly room: number;
  readonly event: string;
}

/** Which event is which message: rows in the order of time, and two indexes that follow in sorted runs. */
export class MessageWriter {
  #new: Unindexed[] = [];
  #folding: Unindexed[] = [];
  readonly #events = new SortedFold((index) => this.#place(this.#placeEvent, this.#folding[index], "event"));
  readonly #remotes = new SortedFold((index) => this.#place(this.#placeRemote, this.#folding[index], "remote"));
  readonly #seed: number;
  readonly #insert: Statement<[number, string, number, number, string, string]>;
  readonly #placeEvent: Statement<[number, number]>;
  readonly #placeRemote: Statement<[number, number]>;
  readonly #findEvent: Statement<[number], { id: number }>;
  readonly #remove: Statement<[number, string]>;
  /** Rows since the last commit. */
  #added = 0;

  constructor(readonly db: Database) {
    this.#seed = Number(db.prepare("SELECT value FROM meta WHERE key = 'hashSeed'").pluck().get());
    this.#insert = db.prepare(
      "INSERT INTO message (channel, remote, part, room, event, sender) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#placeEvent = db.prepare("INSERT OR IGNORE INTO message_event (hash, id) VALUES (?, ?)");
    this.#placeRemote = db.prepare("INSERT OR IGNORE INTO message_remote (hash, id) VALUES (?, ?)");
    this.#findEvent = db.prepare("SELECT id FROM message_event WHERE hash = ?");
    this.#remove = db.prepare("DELETE FROM message WHERE id = ? AND event = ?");
  }

  /** Takes up what is on disk, and brings all of it into the indexes. */
  recover(): void {
    this.#new = [];
    this.#folding = [];
    this.#events.reset();
    this.#remotes.reset();
    const from = Number(this.db.prepare("SELECT value FROM meta WHERE key = ?").pluck().get(foldedUpTo) ?? 0);
    const rows = this.db
      .prepare<[number], MessageRow>("SELECT id, channel, remote, room, event FROM message WHERE id > ? ORDER BY id")
      .all(from);
    for (const { id, channel, remote, room, event } of rows) this.#note(id, channel, remote, room, event);
    this.settle();
  }

  map(channel: number, remote: string, part: number, room: number, event: string, sender: string): number {
    const id = Number(this.#insert.run(channel, remote, part, room, event, sender).lastInsertRowid);
    this.#note(id, channel, remote, room, event);
    this.#added += 1;
    return id;
  }

  unmapEvent(event: string): number {
    const hash = eventHash(event, this.#seed);
    const ids = this.#findEvent.all(hash).map(({ id }) => id);
    for (const row of [...this.#new, ...this.#folding]) if (row.event === hash) ids.push(row.id);
    let changes = 0;
    // Index entries of a row that is gone do no harm: whoever finds one looks at the row.
    for (const id of ids) changes += this.#remove.run(id, event).changes;
    return changes;
  }

  /** Brings some rows into the indexes; the last thing before a commit. */
  flush(): void {
    // So much quicker than new ones come that a run is over before the next is due.
    const most = Math.max(256, 4 * this.#added);
    this.#added = 0;
    if (!this.#events.busy && !this.#remotes.busy) {
      if (this.#new.length < runLength) return;
      this.#begin();
    }
    if (this.#events.busy) this.#events.advance(most);
    else if (this.#remotes.advance(most)) this.#folded();
  }

  /** Brings all rows into the indexes. */
  settle(): void {
    const everything = Number.POSITIVE_INFINITY;
    this.#events.advance(everything);
    if (this.#remotes.advance(everything)) this.#folded();
    if (this.#new.length === 0) return;
    this.#begin();
    this.#events.advance(everything);
    this.#remotes.advance(everything);
    this.#folded();
  }

  #begin(): void {
    this.#folding = this.#new;
    this.#new = [];
    this.#events.begin(this.#folding.map(({ event }) => event));
    this.#remotes.begin(this.#folding.map(({ remote }) => remote));
  }

  #folded(): void {
    const last = this.#folding.at(-1);
    this.#folding = [];
    if (last) {
      this.db
        .prepare("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .run(foldedUpTo, String(last.id));
    }
  }

  #note(id: number, channel: number, remote: string, room: number, event: string): void {
    this.#new.push({ id, event: eventHash(event, this.#seed), remote: remoteHash(channel, remote, room, this.#seed) });
  }

  #place(statement: Statement<[number, number]>, row: Unindexed | undefined, index: "event" | "remote"): void {
    if (row) statement.run(row[index], row.id);
  }
}
