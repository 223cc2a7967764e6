import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { encodeBatch } from "./batch.js";
import { migrate } from "./migrations.js";
import { claimStore } from "./ownership.js";
import { StoreError, type Settled, type SqlValue, type Store, type Urgency } from "./store.js";
import type { BatchResult, UnitResult, WorkerOptions } from "./worker.js";
import type { Write } from "./writes.js";

export interface SqliteStoreOptions {
  readonly file: string;
  /** `FULL` survives a power failure; `NORMAL` only the death of the process. */
  readonly synchronous?: "FULL" | "NORMAL";
  readonly slowCommitMs?: number;
}

interface PendingUnit {
  readonly writes: readonly Write[];
  readonly settled: Settled;
}

const noResults: readonly number[] = [];

/** Commits that follow one another more closely are a stream, in milliseconds. */
const streamGap = 5;
/** In a stream, a `soon` unit has a commit so long after the one before at the earliest, in milliseconds, so that units share commits. Elsewhere it has one at once. */
const spacing = 1;
/** How long a `lazy` unit waits for others to share its commit, in milliseconds. */
const patience = 20;
const largestBatch = 512;
/** What the writer makes is rubbish after each commit: more room for it saves nothing, and was 30 MB. In MiB. */
const writerGarbageMb = 6;

/** SQLite in WAL mode: one worker thread writes, in groups; this thread reads. */
export class SqliteStore implements Store {
  readonly #reads = new Map<string, Database.Statement>();
  #inFlight: readonly PendingUnit[] = [];
  #waiting: PendingUnit[] = [];
  /** When what waits must go to the disk, a reading of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #dispatchedAt = 0;
  #streaming = false;
  #immediate = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #failed: StoreError | undefined;

  private constructor(
    readonly reader: Database.Database,
    readonly worker: Worker,
    readonly claim: { release(): void },
    readonly hashSeed: number,
  ) {
    worker.on("message", (result: BatchResult) => this.#settle(result));
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
      const worker = new Worker(new URL("./worker.js", import.meta.url), {
        workerData,
        execArgv: [],
        resourceLimits: { maxYoungGenerationSizeMb: writerGarbageMb },
      });
      await new Promise<void>((resolve, reject) => {
        worker.once("message", () => resolve());
        worker.once("error", reject);
      });
      const reader = new Database(options.file, { readonly: true, timeout: 10_000 });
      reader.pragma("cache_size = -4000");
      const seed = Number(reader.prepare("SELECT value FROM meta WHERE key = 'hashSeed'").pluck().get());
      return new SqliteStore(reader, worker, claim, seed);
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  get pending(): number {
    return this.#waiting.length + this.#inFlight.length;
  }

  commit(writes: readonly Write[], urgency: Urgency = "now"): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.submit(writes, urgency, (error, results, from) => {
        if (error) reject(error);
        else resolve(results.slice(from, from + writes.length));
      });
    });
  }

  submit(writes: readonly Write[], urgency: Urgency, settled: Settled): void {
    if (this.#failed) {
      const error = this.#failed;
      queueMicrotask(() => settled(error, noResults, 0));
      return;
    }
    this.#waiting.push({ writes, settled });
    this.#due = Math.min(this.#due, this.#dueOf(urgency));
    if (this.#waiting.length >= largestBatch) this.#due = 0;
    this.#plan();
  }

  all<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    return attempt(() => this.#prepare(sql).all(...parameters) as Row[]);
  }

  get<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<Row | undefined> {
    return attempt(() => this.#prepare(sql).get(...parameters) as Row | undefined);
  }

  async close(): Promise<void> {
    this.#due = 0;
    while (this.pending > 0 && !this.#failed) {
      this.#plan();
      await new Promise((resolve) => setImmediate(resolve));
    }
    clearTimeout(this.#timer);
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

  #dueOf(urgency: Urgency): number {
    switch (urgency) {
      case "now":
        return 0;
      case "soon":
        return this.#streaming ? this.#dispatchedAt + spacing : 0;
      case "lazy":
        return performance.now() + patience;
    }
  }

  /** One batch is under way at a time: what comes meanwhile is the next. */
  #plan(): void {
    if (this.#waiting.length === 0 || this.#inFlight.length > 0 || this.#immediate) return;
    const wait = this.#due - performance.now();
    if (wait <= 0) {
      // Whatever is written in this turn of the event loop travels together.
      this.#immediate = true;
      setImmediate(() => {
        this.#immediate = false;
        this.#dispatch();
      });
    } else {
      // A timer that was set for something less urgent fires too late.
      if (this.#timer !== undefined && this.#timerAt <= this.#due) return;
      clearTimeout(this.#timer);
      this.#timerAt = this.#due;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#plan();
      }, Math.ceil(wait));
    }
  }

  #dispatch(): void {
    if (this.#waiting.length === 0 || this.#inFlight.length > 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#due = Number.POSITIVE_INFINITY;
    const now = performance.now();
    this.#streaming = now - this.#dispatchedAt < streamGap;
    this.#dispatchedAt = now;
    this.#inFlight = batch;
    const message = encodeBatch(
      batch.map((unit) => unit.writes),
      this.hashSeed,
    );
    this.worker.postMessage(message, [message.numbers.buffer]);
  }

  #settle(result: BatchResult): void {
    const batch = this.#inFlight;
    this.#inFlight = [];
    // The disk goes on at once with what has come meanwhile.
    if (this.#due <= performance.now()) this.#dispatch();
    else this.#plan();
    if ("all" in result) {
      let at = 0;
      for (const unit of batch) {
        unit.settled(undefined, result.all, at);
        at += unit.writes.length;
      }
      return;
    }
    for (const [index, unit] of batch.entries()) {
      const own = result.each[index];
      if (isResults(own)) unit.settled(undefined, own, 0);
      else unit.settled(toStoreError(own), noResults, 0);
    }
  }

  #fail(error: Error): void {
    const failed = new StoreError("WORKER", `The database worker stopped: ${error.message}`);
    this.#failed = failed;
    const units = [...this.#inFlight, ...this.#waiting];
    this.#inFlight = [];
    this.#waiting = [];
    for (const unit of units) unit.settled(failed, noResults, 0);
  }
}

function isResults(result: UnitResult | undefined): result is readonly number[] {
  return Array.isArray(result);
}

function toStoreError(result: Exclude<UnitResult, readonly number[]> | undefined): StoreError {
  if (result === undefined) return new StoreError("ERROR", "The database worker gave no answer.");
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
