import type { Database, Statement } from "better-sqlite3";
import { hash53 } from "./hash.js";
import { RowInserter } from "./row-inserter.js";
import { SortedFold } from "./sorted-fold.js";

const foldedUpTo = "foldedMessages";

/**
 * So many messages are on disk without being in the indexes at most, twice: those of the run that is under way, and
 * those that came since. Whoever reads must know the newest ones by other means.
 */
const runLength = 1_024;
/** An index is written to when there is so much to bring there: a commit that writes to fewer pages is a shorter one. */
const together = 8;
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
  /** Rows that this transaction has still to write, value by value. */
  #rows: (number | string)[] = [];
  #lastId = 0;
  readonly #events = new SortedFold((indexes) => this.#place(this.#placeEvent, indexes, "event"));
  readonly #remotes = new SortedFold((indexes) => this.#place(this.#placeRemote, indexes, "remote"));
  readonly #seed: number;
  readonly #insert: RowInserter;
  readonly #placeEvent: RowInserter;
  readonly #placeRemote: RowInserter;
  readonly #findEvent: Statement<[number], { id: number }>;
  readonly #remove: Statement<[number, string]>;
  /** Rows since the last commit. */
  #added = 0;

  constructor(readonly db: Database) {
    this.#seed = Number(db.prepare("SELECT value FROM meta WHERE key = 'hashSeed'").pluck().get());
    this.#insert = new RowInserter(db, "INSERT INTO message (id, channel, remote, part, room, event, sender)", 7);
    this.#placeEvent = new RowInserter(db, "INSERT OR IGNORE INTO message_event (hash, id)", 2);
    this.#placeRemote = new RowInserter(db, "INSERT OR IGNORE INTO message_remote (hash, id)", 2);
    this.#findEvent = db.prepare("SELECT id FROM message_event WHERE hash = ?");
    this.#remove = db.prepare("DELETE FROM message WHERE id = ? AND event = ?");
  }

  /** Takes up what is on disk, and brings all of it into the indexes. */
  recover(): void {
    this.#rows = [];
    this.#new = [];
    this.#folding = [];
    this.#events.reset();
    this.#remotes.reset();
    const from = Number(this.db.prepare("SELECT value FROM meta WHERE key = ?").pluck().get(foldedUpTo) ?? 0);
    // An id that was in the indexes is not given again, although its row may be gone: nobody would look for it there.
    this.#lastId = Math.max(from, Number(this.db.prepare("SELECT max(id) FROM message").pluck().get() ?? 0));
    const rows = this.db
      .prepare<[number], MessageRow>("SELECT id, channel, remote, room, event FROM message WHERE id > ? ORDER BY id")
      .all(from);
    for (const { id, channel, remote, room, event } of rows) this.#note(id, channel, remote, room, event);
    this.settle();
  }

  map(channel: number, remote: string, part: number, room: number, event: string, sender: string): number {
    const id = ++this.#lastId;
    this.#rows.push(id, channel, remote, part, room, event, sender);
    this.#note(id, channel, remote, room, event);
    this.#added += 1;
    return id;
  }

  unmapEvent(event: string): number {
    this.#writeRows();
    const hash = eventHash(event, this.#seed);
    const ids = this.#findEvent.all(hash).map(({ id }) => id);
    for (const row of [...this.#new, ...this.#folding]) if (row.event === hash) ids.push(row.id);
    let changes = 0;
    // Index entries of a row that is gone do no harm: whoever finds one looks at the row.
    for (const id of ids) changes += this.#remove.run(id, event).changes;
    return changes;
  }

  /** Writes the rows, and brings some into the indexes; the last thing before a commit. */
  flush(): void {
    this.#writeRows();
    if (this.#added < together) return;
    const added = this.#added;
    this.#added = 0;
    if (!this.#events.busy && !this.#remotes.busy) {
      if (this.#new.length < runLength) return;
      this.#begin();
    }
    if (this.#events.busy) this.#events.advance(added);
    else if (this.#remotes.advance(added)) this.#folded();
  }

  /** Brings all rows into the indexes. */
  settle(): void {
    this.#writeRows();
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

  #writeRows(): void {
    if (this.#rows.length === 0) return;
    this.#insert.insert(this.#rows);
    this.#rows = [];
  }

  #place(into: RowInserter, indexes: Float64Array, index: "event" | "remote"): void {
    const values: number[] = [];
    for (const at of indexes) {
      const row = this.#folding[at];
      if (row) values.push(row[index], row.id);
    }
    into.insert(values);
  }
}
