import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import Database from "better-sqlite3";
import { decodeBatch, type Batch } from "./batch.js";
import { runBatch } from "./batch-runner.js";
import { sqliteCode } from "./sqlite-code.js";
import { Writer, type Write } from "./writes.js";

type Failure = { readonly code: string; readonly message: string };
export type UnitResult = readonly number[] | Failure;

/** What a batch came to: the results of all its writes in one list, where none failed; else of each unit. */
export type BatchResult = { readonly all: readonly number[] } | { readonly each: readonly UnitResult[] };

export interface WorkerOptions {
  readonly file: string;
  readonly synchronous: "FULL" | "NORMAL";
  /** Adds this delay to every commit, to stand in for a slow disk. */
  readonly slowCommitMs: number;
}

const idle = new Int32Array(new SharedArrayBuffer(4));

/** Everything that waits is one transaction: on a slow disk the wait becomes batching. */
class GroupCommitter {
  readonly #db: Database.Database;
  readonly #begin: Database.Statement;
  readonly #end: Database.Statement;
  readonly #writer: Writer;
  /** What the writer remembers is not what is on disk: at the start, and after a transaction that was undone. */
  #stale = true;

  constructor(
    readonly options: WorkerOptions,
    readonly port: MessagePort,
  ) {
    this.#db = new Database(options.file, { timeout: 10_000 });
    this.#db.pragma("journal_mode = WAL");
    this.#db.pragma(`synchronous = ${options.synchronous}`);
    this.#db.pragma("cache_size = -4000");
    this.#db.pragma("wal_autocheckpoint = 4000");
    this.#begin = this.#db.prepare("BEGIN IMMEDIATE");
    this.#end = this.#db.prepare("COMMIT");
    this.#writer = new Writer(this.#db);
    this.#inTransaction(() => []);
  }

  take(batch: Batch | "close"): void {
    if (batch === "close") {
      this.#settle();
      this.#db.close();
      this.port.close();
      return;
    }
    this.port.postMessage(this.#commit(batch));
  }

  /** The next start has less to do then; without it, it does it itself. */
  #settle(): void {
    try {
      this.#inTransaction(() => this.#writer.settle());
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
    }
  }

  #commit(batch: Batch): BatchResult {
    try {
      return { all: this.#inTransaction(() => runBatch(this.#writer, batch)) };
    } catch (error) {
      const units = decodeBatch(batch);
      if (units.length === 1) return { each: [describe(error)] };
      // One of them is at fault, or the disk is: alone, each gets its own answer.
      return { each: units.map((unit) => this.#commitAlone(unit)) };
    }
  }

  #commitAlone(unit: readonly Write[]): UnitResult {
    try {
      return this.#inTransaction(() => unit.map((write) => this.#writer.run(write)));
    } catch (error) {
      return describe(error);
    }
  }

  #inTransaction<T>(work: () => T): T {
    this.#begin.run();
    try {
      if (this.#stale) this.#writer.recover();
      const result = work();
      this.#writer.flush();
      if (this.options.slowCommitMs > 0) Atomics.wait(idle, 0, 0, this.options.slowCommitMs);
      this.#end.run();
      this.#stale = false;
      return result;
    } catch (error) {
      this.#stale = true;
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

function describe(error: unknown): Failure {
  return { code: sqliteCode(error) ?? "ERROR", message: error instanceof Error ? error.message : String(error) };
}

if (parentPort) {
  const port = parentPort;
  const committer = new GroupCommitter(workerData as WorkerOptions, port);
  port.on("message", (message: Batch | "close") => {
    committer.take(message);
  });
  port.postMessage("open");
}
