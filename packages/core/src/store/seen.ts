import type { Database, Statement } from "better-sqlite3";
import { RowInserter } from "./row-inserter.js";
import { SortedFold } from "./sorted-fold.js";

/** So many new ones are brought to their place together. */
const runLength = 2_048;
/** A place is written to when there is so much to bring there: a commit that writes to fewer pages is a shorter one. */
const together = 8;

/**
 * What was journaled already, so that a repetition is recognised: hashes of bridge, direction, lane and source. New ones
 * are a short log on disk and a set in memory; from there they go to the index in sorted runs. The index has two
 * generations, so that the old ones are forgotten without looking for them.
 */
export class Seen {
  readonly #recent = new Set<number>();
  #logged: number[] = [];
  #folding: number[] = [];
  #lastLog = 0;
  #foldingUpTo = 0;
  readonly #fold: SortedFold;
  #find: Statement<[number], { known: number }>;
  /** Where there is an earlier generation. */
  #findBefore: Statement<[number], { known: number }> | undefined;
  readonly #log: Statement<[Buffer]>;
  #place: RowInserter;
  #added = 0;

  constructor(readonly db: Database) {
    this.#log = db.prepare("INSERT INTO seen_log (hashes) VALUES (?)");
    this.#find = db.prepare(findSql);
    this.#place = new RowInserter(db, placeSql, 1);
    if (db.prepare("SELECT 1 FROM seen_before LIMIT 1").get() !== undefined) this.#findBefore = db.prepare(beforeSql);
    this.#fold = new SortedFold((indexes) =>
      this.#place.insert(Array.from(indexes, (index) => this.#folding[index] ?? 0)),
    );
  }

  /** Reads what is not in its place yet. */
  recover(): void {
    this.#recent.clear();
    this.#logged = [];
    this.#folding = [];
    this.#fold.reset();
    for (const { id, hashes } of this.db
      .prepare<[], { id: number; hashes: Buffer }>("SELECT id, hashes FROM seen_log ORDER BY id")
      .iterate()) {
      const copy = new Uint8Array(hashes);
      for (const hash of new Float64Array(copy.buffer)) {
        this.#recent.add(hash);
        this.#logged.push(hash);
      }
      this.#lastLog = id;
    }
  }

  /** Whether it was known; if not, it is from now on (in memory: `log` makes it last). */
  add(hash: number): boolean {
    if (this.has(hash)) return false;
    this.#recent.add(hash);
    return true;
  }

  has(hash: number): boolean {
    return this.#recent.has(hash) || this.#find.get(hash) !== undefined || this.#findBefore?.get(hash) !== undefined;
  }

  log(hashes: readonly number[]): void {
    if (hashes.length === 0) return;
    this.#lastLog = Number(this.#log.run(Buffer.from(Float64Array.from(hashes).buffer)).lastInsertRowid);
    this.#added += hashes.length;
    for (const hash of hashes) {
      this.#recent.add(hash);
      this.#logged.push(hash);
    }
  }

  /** Brings some of the logged ones to their place. */
  fold(): void {
    if (this.#added < together) return;
    const added = this.#added;
    this.#added = 0;
    if (!this.#fold.busy) {
      if (this.#logged.length < runLength) return;
      this.#folding = this.#logged;
      this.#logged = [];
      this.#foldingUpTo = this.#lastLog;
      this.#fold.begin(this.#folding);
    }
    if (this.#fold.advance(added)) this.#folded();
  }

  foldAll(): void {
    if (this.#fold.busy && this.#fold.advance(Number.POSITIVE_INFINITY)) this.#folded();
    this.#folding = this.#logged;
    this.#logged = [];
    this.#foldingUpTo = this.#lastLog;
    this.#fold.begin(this.#folding);
    if (this.#fold.advance(Number.POSITIVE_INFINITY)) this.#folded();
  }

  /** Begins a new generation, and forgets the one before the last. */
  rotate(): void {
    this.foldAll();
    this.db.exec(
      "DROP TABLE seen_before; ALTER TABLE seen RENAME TO seen_before; CREATE TABLE seen (hash INTEGER PRIMARY KEY) STRICT;",
    );
    this.#find = this.db.prepare(findSql);
    this.#findBefore = this.db.prepare(beforeSql);
    this.#place = new RowInserter(this.db, placeSql, 1);
  }

  #folded(): void {
    this.db.prepare("DELETE FROM seen_log WHERE id <= ?").run(this.#foldingUpTo);
    for (const hash of this.#folding) this.#recent.delete(hash);
    this.#folding = [];
  }
}

const findSql = "SELECT 1 AS known FROM seen WHERE hash = ?";
const beforeSql = "SELECT 1 AS known FROM seen_before WHERE hash = ?";
const placeSql = "INSERT OR IGNORE INTO seen (hash)";
