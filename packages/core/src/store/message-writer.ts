import type { Database, Statement } from "better-sqlite3";
import { hash53 } from "./hash.js";
import { RowInserter } from "./row-inserter.js";
import { SortedFold } from "./sorted-fold.js";

const foldedUpTo = "foldedMessages";

/** An index is written to when there is so much to bring there: a commit that writes to fewer pages is a shorter one. */
const together = 8;

/** By what a message is looked for. */
export type MessageIndex = "event" | "remote";

/** The hash that `message_event` has of an event id. */
export function eventHash(event: string, seed: number): number {
  return hash53(event, seed);
}

/** The hash that `message_remote` has of a network's message in a room. */
export function remoteHash(channel: number, remote: string, room: number, seed: number): number {
  return hash53(`${channel} ${room} ${remote}`, seed);
}

/** Messages that an index does not have: their ids, and their hashes in the indexes. */
class Run {
  readonly ids: number[] = [];
  readonly hashes: Readonly<Record<MessageIndex, number[]>> = { event: [], remote: [] };

  add(id: number, event: number, remote: number): void {
    this.ids.push(id);
    this.hashes.event.push(event);
    this.hashes.remote.push(remote);
  }

  cut(length: number): void {
    for (const each of [this.ids, this.hashes.event, this.hashes.remote]) each.length = Math.min(each.length, length);
  }
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
  #new = new Run();
  #folding = new Run();
  /** Rows that this transaction has still to write, value by value. */
  #rows: (number | string)[] = [];
  #lastId = 0;
  readonly #folds: Readonly<Record<MessageIndex, SortedFold>> = {
    event: new SortedFold((positions) => this.#place("event", positions)),
    remote: new SortedFold((positions) => this.#place("remote", positions)),
  };
  /** What the hashes are made with. */
  readonly seed: number;
  readonly #insert: RowInserter;
  readonly #indexes: Readonly<Record<MessageIndex, RowInserter>>;
  readonly #findEvent: Statement<[number], { id: number }>;
  readonly #remove: Statement<[number, string]>;
  /** Rows since something was last brought into the indexes. */
  #added = 0;
  /** How much of it is on disk; `undefined` where that is not known. */
  #kept: { readonly newOnes: number; readonly lastId: number } | undefined;

  /** So many messages are brought into the indexes together (`runLength`): the more, the more of them share a page. */
  constructor(
    readonly db: Database,
    readonly runLength: number,
  ) {
    this.seed = Number(db.prepare("SELECT value FROM meta WHERE key = 'hashSeed'").pluck().get());
    this.#insert = new RowInserter(db, "INSERT INTO message (id, channel, remote, part, room, event, sender)", 7);
    this.#indexes = {
      event: new RowInserter(db, "INSERT OR IGNORE INTO message_event (hash, id)", 2),
      remote: new RowInserter(db, "INSERT OR IGNORE INTO message_remote (hash, id)", 2),
    };
    this.#findEvent = db.prepare("SELECT id FROM message_event WHERE hash = ?");
    this.#remove = db.prepare("DELETE FROM message WHERE id = ? AND event = ?");
  }

  /** Takes up what is on disk: at a start, and after a transaction that was undone. */
  recover(): void {
    this.#rows = [];
    if (!this.#kept) {
      this.#load();
      return;
    }
    this.#new.cut(this.#kept.newOnes);
    this.#lastId = this.#kept.lastId;
    for (const fold of Object.values(this.#folds)) fold.undo();
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
    const hash = eventHash(event, this.seed);
    const ids = [...this.#findEvent.all(hash).map(({ id }) => id), ...this.notIndexed("event", hash)];
    let changes = 0;
    // Index entries of a row that is gone do no harm: whoever finds one looks at the row.
    for (const id of ids) changes += this.#remove.run(id, event).changes;
    return changes;
  }

  /** The messages with this hash that the index may not have; rows that are gone may be among them. */
  notIndexed(by: MessageIndex, hash: number): readonly number[] {
    const ids: number[] = [];
    for (const run of [this.#folding, this.#new]) {
      const hashes = run.hashes[by];
      for (let at = hashes.indexOf(hash); at >= 0; at = hashes.indexOf(hash, at + 1)) ids.push(run.ids[at] ?? 0);
    }
    return ids;
  }

  /** Writes the rows, and brings some into the indexes; the last thing before a commit. */
  flush(): void {
    this.#writeRows();
    if (this.#added < together) return;
    const added = this.#added;
    this.#added = 0;
    if (this.#isFolding || this.#new.ids.length >= this.runLength) this.#fold(added);
  }

  /** All of it is on disk. */
  committed(): void {
    this.#kept = { newOnes: this.#new.ids.length, lastId: this.#lastId };
    for (const fold of Object.values(this.#folds)) fold.keep();
  }

  /** Brings all rows into the indexes. */
  settle(): void {
    this.#writeRows();
    while (this.#isFolding || this.#new.ids.length > 0) this.#fold(Number.POSITIVE_INFINITY);
  }

  get #isFolding(): boolean {
    return this.#folds.event.busy || this.#folds.remote.busy;
  }

  /** One index after the other. */
  #fold(added: number): void {
    const { event, remote } = this.#folds;
    if (!this.#isFolding) this.#begin();
    if (event.busy) {
      if (!event.advance(added)) return;
      this.#kept = undefined;
      remote.begin(this.#folding.hashes.remote);
    } else if (remote.advance(added)) this.#end();
  }

  #begin(): void {
    this.#kept = undefined;
    this.#folding = this.#new;
    this.#new = new Run();
    this.#folds.event.begin(this.#folding.hashes.event);
  }

  #end(): void {
    this.#kept = undefined;
    const last = this.#folding.ids.at(-1);
    this.#folding = new Run();
    if (last === undefined) return;
    this.db
      .prepare("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .run(foldedUpTo, String(last));
  }

  #load(): void {
    this.#new = new Run();
    this.#folding = new Run();
    for (const fold of Object.values(this.#folds)) fold.reset();
    const from = Number(this.db.prepare("SELECT value FROM meta WHERE key = ?").pluck().get(foldedUpTo) ?? 0);
    // An id that was in the indexes is not given again, although its row may be gone: nobody would look for it there.
    this.#lastId = Math.max(from, Number(this.db.prepare("SELECT max(id) FROM message").pluck().get() ?? 0));
    const rows = this.db.prepare<[number], MessageRow>(
      "SELECT id, channel, remote, room, event FROM message WHERE id > ? ORDER BY id",
    );
    for (const { id, channel, remote, room, event } of rows.iterate(from)) this.#note(id, channel, remote, room, event);
  }

  #note(id: number, channel: number, remote: string, room: number, event: string): void {
    this.#new.add(id, eventHash(event, this.seed), remoteHash(channel, remote, room, this.seed));
  }

  #writeRows(): void {
    if (this.#rows.length === 0) return;
    this.#insert.insert(this.#rows);
    this.#rows = [];
  }

  #place(by: MessageIndex, positions: Uint32Array): void {
    const { ids, hashes } = this.#folding;
    const values: number[] = [];
    for (const position of positions) values.push(hashes[by][position] ?? 0, ids[position] ?? 0);
    this.#indexes[by].insert(values);
  }
}
