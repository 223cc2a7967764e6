import Database from "better-sqlite3";
import type { MessageIndex } from "./message-writer.js";
import { sqliteCode } from "./sqlite-code.js";
import { Writer, type Write } from "./writes.js";

/** What is written as a whole, or not at all; several of them are a batch. */
export type Units = readonly (readonly Write[])[];

export interface Failure {
  readonly code: string;
  readonly message: string;
}
export type UnitResult = readonly number[] | Failure;

/** What a batch came to: the results of all its writes in one list, where none failed; else of each unit. */
export type BatchResult = { readonly all: readonly number[] } | { readonly each: readonly UnitResult[] };

/** `unsynced`: it can be read and outlives this process; whoever asked brings the log to the disk. */
export type CommitMode = "synced" | "unsynced";

const synchronous: Readonly<Record<CommitMode, string>> = { synced: "FULL", unsynced: "NORMAL" };
const standstill = new Int32Array(new SharedArrayBuffer(4));

/** How long another connection that is writing is waited for, in milliseconds: everything else waits as well. */
const busyMs = 20;
/** At a start nothing else waits. */
const startBusyMs = 10_000;
/** Should checkpoints be missed, SQLite makes one itself at so many pages. */
const mostPages = 8_000;

/** Writes batches of units, each batch as one transaction. */
export class GroupCommitter {
  readonly #db: Database.Database;
  readonly #begin: Database.Statement;
  readonly #end: Database.Statement;
  readonly #writer: Writer;
  readonly #reads = new Map<string, Database.Statement>();
  /** What the writer remembers is not what is on disk: at the start, and after a transaction that was undone. */
  #stale = true;
  #wasBegun = false;
  #mode: CommitMode = "synced";
  /** How long the last commit took, in milliseconds. */
  diskMs = 0;

  /** Takes up what is on disk. `slowMs` is added to what the disk takes. @throws where the disk refuses */
  constructor(
    file: string,
    private readonly slowMs: number,
  ) {
    this.#db = new Database(file, { timeout: startBusyMs });
    try {
      this.#db.pragma("journal_mode = WAL");
      this.#db.pragma("synchronous = FULL");
      this.#db.pragma("cache_size = -4000");
      this.#db.pragma(`wal_autocheckpoint = ${mostPages}`);
      this.#begin = this.#db.prepare("BEGIN IMMEDIATE");
      this.#end = this.#db.prepare("COMMIT");
      this.#writer = new Writer(this.#db);
      this.#inTransaction(() => []);
      this.#db.pragma(`busy_timeout = ${busyMs}`);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  commit(units: Units, mode: CommitMode): BatchResult {
    this.#setMode(mode);
    try {
      return { all: this.#inTransaction(() => this.#runAll(units)) };
    } catch (error) {
      // Somebody else has the database: each would wait for it as long.
      if (units.length === 1 || !this.#wasBegun) return { each: units.map(() => failureOf(error)) };
      // One of them is at fault, or the disk is: alone, each gets its own answer.
      return { each: units.map((unit) => this.#commitAlone(unit)) };
    }
  }

  /**
   * Copies what is in the write-ahead log to its place in the database, without waiting for the disk. The log must be on
   * the disk before, and the database after it, before anything else is written: the log begins anew then.
   */
  checkpoint(): void {
    this.#db.pragma("synchronous = OFF");
    try {
      this.#db.pragma("wal_checkpoint(PASSIVE)");
    } catch (error) {
      // What finds no room there stays in the log, until the next time.
      if (sqliteCode(error) === undefined) throw error;
    } finally {
      this.#db.pragma(`synchronous = ${synchronous[this.#mode]}`);
    }
  }

  /**
   * A statement that reads, made once. It sees what was committed, also where that is not on the disk yet.
   * @throws where the statement would write, or is none
   */
  reading(sql: string): Database.Statement {
    const known = this.#reads.get(sql);
    if (known) return known;
    const made = this.#db.prepare(sql);
    if (!made.readonly) throw new Error(`This was to read only: ${sql}`);
    this.#reads.set(sql, made);
    return made;
  }

  get hashSeed(): number {
    return this.#writer.messages.seed;
  }

  /** The messages with this hash that the index may not have yet. */
  notIndexed(by: MessageIndex, hash: number): readonly number[] {
    return this.#writer.messages.notIndexed(by, hash);
  }

  /** The next start has less to do then; without it, it does it itself. */
  close(): void {
    this.#setMode("synced");
    try {
      this.#inTransaction(() => this.#writer.settle());
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
    }
    this.#db.close();
  }

  #setMode(mode: CommitMode): void {
    if (mode === this.#mode) return;
    this.#db.pragma(`synchronous = ${synchronous[mode]}`);
    this.#mode = mode;
  }

  #runAll(units: Units): number[] {
    const results: number[] = [];
    for (const unit of units) for (const write of unit) results.push(this.#writer.run(write));
    return results;
  }

  #commitAlone(unit: readonly Write[]): UnitResult {
    try {
      return this.#inTransaction(() => unit.map((write) => this.#writer.run(write)));
    } catch (error) {
      return failureOf(error);
    }
  }

  #inTransaction<T>(work: () => T): T {
    this.#wasBegun = false;
    this.#begin.run();
    this.#wasBegun = true;
    try {
      if (this.#stale) this.#writer.recover();
      const result = work();
      this.#writer.flush();
      const began = performance.now();
      if (this.slowMs > 0 && this.#mode === "synced") Atomics.wait(standstill, 0, 0, this.slowMs);
      this.#end.run();
      this.diskMs = performance.now() - began;
      this.#writer.committed();
      this.#stale = false;
      return result;
    } catch (error) {
      this.#stale = true;
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Nothing was written, because another connection is writing. */
export function isLocked(result: BatchResult): boolean {
  return "each" in result && result.each.every((unit) => "code" in unit && unit.code.startsWith("SQLITE_BUSY"));
}

function failureOf(error: unknown): Failure {
  return { code: sqliteCode(error) ?? "ERROR", message: error instanceof Error ? error.message : String(error) };
}
