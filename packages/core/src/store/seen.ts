import type { Database, Statement } from "better-sqlite3";
import { NumberSet } from "./number-set.js";
import { RowInserter } from "./row-inserter.js";
import { SortedFold } from "./sorted-fold.js";

/** A place is written to when there is so much to bring there: a commit that writes to fewer pages is a shorter one. */
const together = 8;
/** So many rows of the log go at once, when what they hold is in its place: all of them would be a long commit. */
const rowsCleared = 64;

/**
 * What was journaled already, so that a repetition is recognised: hashes of bridge, direction, lane and source. New ones
 * are a short log on disk, and sets in memory; from there they go to the index in sorted runs. The index has two
 * generations, so that the old ones are forgotten without looking for them.
 */
export class Seen {
  /** Journaled, and not in the log yet. */
  readonly #underWay = new Set<number>();
  #logged = new Run();
  #folding = new Run();
  #lastLog = 0;
  #foldingUpTo = 0;
  /** Rows of the log up to this one are of no more use, and those up to the other are gone. */
  #folded = 0;
  #cleared = 0;
  readonly #fold: SortedFold;
  #find: Statement<[number], { known: number }>;
  /** Where there is an earlier generation. */
  #findBefore: Statement<[number], { known: number }> | undefined;
  readonly #log: Statement<[number, Buffer]>;
  readonly #clear: Statement<[number]>;
  #place: RowInserter;
  #added = 0;

  /** So many new ones are brought to their place together (`runLength`): the more, the more of them share a page. */
  constructor(
    readonly db: Database,
    readonly runLength: number,
  ) {
    this.#log = db.prepare("INSERT INTO seen_log (id, hashes) VALUES (?, ?)");
    this.#clear = db.prepare("DELETE FROM seen_log WHERE id <= ?");
    this.#find = db.prepare(findSql);
    this.#place = new RowInserter(db, placeSql, 1);
    if (db.prepare("SELECT 1 FROM seen_before LIMIT 1").get() !== undefined) this.#findBefore = db.prepare(beforeSql);
    this.#fold = new SortedFold((positions) =>
      this.#place.insert(Array.from(positions, (position) => this.#folding.hashes[position] ?? 0)),
    );
  }

  /** Reads what is not in its place yet. */
  recover(): void {
    this.#underWay.clear();
    this.#logged = new Run();
    this.#folding = new Run();
    this.#fold.reset();
    this.#folded = 0;
    this.#cleared = 0;
    for (const { id, hashes } of this.db
      .prepare<[], { id: number; hashes: Buffer }>("SELECT id, hashes FROM seen_log ORDER BY id")
      .iterate()) {
      const copy = new Uint8Array(hashes);
      for (const hash of new Float64Array(copy.buffer)) this.#logged.add(hash);
      if (this.#cleared === 0) this.#cleared = id - 1;
      this.#lastLog = Math.max(this.#lastLog, id);
    }
  }

  /** Whether it was known; if not, it is from now on (in memory: `log` makes it last). */
  add(hash: number): boolean {
    if (this.has(hash)) return false;
    this.#underWay.add(hash);
    return true;
  }

  has(hash: number): boolean {
    return (
      this.#underWay.has(hash) ||
      this.#logged.known.has(hash) ||
      this.#folding.known.has(hash) ||
      this.#find.get(hash) !== undefined ||
      this.#findBefore?.get(hash) !== undefined
    );
  }

  log(hashes: readonly number[]): void {
    if (hashes.length === 0) return;
    this.#lastLog += 1;
    this.#log.run(this.#lastLog, Buffer.from(Float64Array.from(hashes).buffer));
    this.#added += hashes.length;
    for (const hash of hashes) {
      this.#logged.add(hash);
      this.#underWay.delete(hash);
    }
  }

  /** Brings some of the logged ones to their place. */
  fold(): void {
    if (this.#added < together) return;
    const added = this.#added;
    this.#added = 0;
    this.#clearLog(this.#cleared + rowsCleared);
    if (!this.#fold.busy) {
      if (this.#logged.hashes.length < this.runLength) return;
      this.#begin();
    }
    if (this.#fold.advance(added)) this.#end();
  }

  foldAll(): void {
    if (this.#fold.busy && this.#fold.advance(Number.POSITIVE_INFINITY)) this.#end();
    this.#begin();
    if (this.#fold.advance(Number.POSITIVE_INFINITY)) this.#end();
    this.#clearLog(this.#folded);
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

  #begin(): void {
    this.#folding = this.#logged;
    this.#logged = new Run();
    this.#foldingUpTo = this.#lastLog;
    this.#fold.begin(this.#folding.hashes);
  }

  #end(): void {
    this.#folded = this.#foldingUpTo;
    this.#folding = new Run();
  }

  #clearLog(upTo: number): void {
    const last = Math.min(upTo, this.#folded);
    if (last <= this.#cleared) return;
    this.#clear.run(last);
    this.#cleared = last;
  }
}

/** What goes to its place together. */
class Run {
  readonly hashes: number[] = [];
  readonly known = new NumberSet();

  add(hash: number): void {
    this.hashes.push(hash);
    this.known.add(hash);
  }
}

const findSql = "SELECT 1 AS known FROM seen WHERE hash = ?";
const beforeSql = "SELECT 1 AS known FROM seen_before WHERE hash = ?";
const placeSql = "INSERT OR IGNORE INTO seen (hash)";
