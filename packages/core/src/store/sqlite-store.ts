import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { migrate } from "./migrations.js";
import { claimStore } from "./ownership.js";
import { StoreError, type SqlValue, type Store } from "./store.js";
import type { Unit, UnitResult, WorkerOptions } from "./worker.js";
import type { Write } from "./writes.js";

export interface SqliteStoreOptions {
  readonly file: string;
  /** `FULL` survives a power failure; `NORMAL` only the death of the process. */
  readonly synchronous?: "FULL" | "NORMAL";
  readonly slowCommitMs?: number;
}

interface PendingUnit {
  readonly writes: readonly Write[];
  readonly resolve: (result: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

/** Two batches are under way at once, so that the worker never waits for the main thread. */
const batchesInFlight = 2;

/** SQLite in WAL mode: one worker thread writes, in groups; this thread reads. */
export class SqliteStore implements Store {
  readonly #reads = new Map<string, Database.Statement>();
  readonly #inFlight: PendingUnit[][] = [];
  #waiting: PendingUnit[] = [];
  #scheduled = false;
  #failed: Error | undefined;

  private constructor(
    readonly reader: Database.Database,
    readonly worker: Worker,
    readonly claim: { release(): void },
  ) {
    worker.on("message", (results: readonly UnitResult[]) => this.#settle(results));
    worker.on("error", (error) => this.#fail(error));
  }

  /**
   * Opens (and creates, and migrates) a database.
   * @throws StoreInUse when another process works on it, SchemaTooNew when a newer Trestle wrote it.
   */
  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    const claim = claimStore(options.file);
    try {
      const db = new Database(options.file, { timeout: 10_000 });
      db.pragma("journal_mode = WAL");
      migrate(db);
      db.close();
      const workerData: WorkerOptions = {
        file: options.file,
        synchronous: options.synchronous ?? "FULL",
        slowCommitMs: options.slowCommitMs ?? 0,
      };
      const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData, execArgv: [] });
      await new Promise<void>((resolve, reject) => {
        worker.once("message", () => resolve());
        worker.once("error", reject);
      });
      const reader = new Database(options.file, { readonly: true, timeout: 10_000 });
      reader.pragma("cache_size = -8000");
      return new SqliteStore(reader, worker, claim);
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  get pending(): number {
    return this.#waiting.length + this.#inFlight.reduce((sum, batch) => sum + batch.length, 0);
  }

  commit(writes: readonly Write[]): Promise<readonly number[]> {
    if (this.#failed) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // Whatever is written in this turn of the event loop travels together.
      setImmediate(() => {
        this.#scheduled = false;
        this.#dispatch();
      });
    });
  }

  all<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    return attempt(() => this.#prepare(sql).all(...parameters) as Row[]);
  }

  get<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<Row | undefined> {
    return attempt(() => this.#prepare(sql).get(...parameters) as Row | undefined);
  }

  async close(): Promise<void> {
    while (this.pending > 0 && !this.#failed) await new Promise((resolve) => setImmediate(resolve));
    const ended = new Promise((resolve) => this.worker.once("exit", resolve));
    this.#failed ??= new StoreError("CLOSED", "The store is closed.");
    this.worker.postMessage("close");
    await ended;
    this.reader.close();
    this.claim.release();
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#reads.get(sql);
    if (!statement) {
      statement = this.reader.prepare(sql);
      this.#reads.set(sql, statement);
    }
    return statement;
  }

  #dispatch(): void {
    if (this.#waiting.length === 0 || this.#inFlight.length >= batchesInFlight) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#inFlight.push(batch);
    const units: readonly Unit[] = batch.map((unit) => unit.writes);
    this.worker.postMessage(units);
  }

  #settle(results: readonly UnitResult[]): void {
    const batch = this.#inFlight.shift() ?? [];
    for (const [index, unit] of batch.entries()) {
      const result = results[index];
      if (Array.isArray(result)) unit.resolve(result);
      else unit.reject(toStoreError(result));
    }
    this.#dispatch();
  }

  #fail(error: Error): void {
    this.#failed = new StoreError("WORKER", `The database worker stopped: ${error.message}`);
    for (const unit of [...this.#inFlight.flat(), ...this.#waiting]) unit.reject(this.#failed);
    this.#inFlight.length = 0;
    this.#waiting = [];
  }
}

function toStoreError(result: UnitResult | undefined): StoreError {
  if (result === undefined || !("code" in result)) return new StoreError("ERROR", "The database worker gave no answer.");
  if (result.code === "SQLITE_FULL") {
    return new StoreError(result.code, "The disk is full: nothing can be accepted until there is room again.");
  }
  return new StoreError(result.code, result.message);
}

function attempt<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
