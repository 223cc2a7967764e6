import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { GroupCommitter, isLocked, type BatchResult, type UnitResult, type Units } from "./group-committer.js";
import type { MessageIndex } from "./message-writer.js";
import { migrate } from "./migrations.js";
import { claimStore } from "./ownership.js";
import { StoreError, type Settled, type SqlValue, type Store, type Urgency } from "./store.js";
import { WalSync } from "./wal-sync.js";
import type { Write } from "./writes.js";

export interface SqliteStoreOptions {
  readonly file: string;
  /** Adds this delay to every commit, to stand in for a slow disk. */
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
const spacing = 4;
/** How long a `lazy` unit waits for others to share its commit, in milliseconds. */
const patience = 20;
const largestBatch = 512;
/** How long another connection may keep this one from writing, and how often it is tried meanwhile, in milliseconds. */
const lockedMs = 10_000;
const againMs = 50;

/** SQLite in WAL mode: one connection, which writes in groups that are on the disk before they are answered. */
export class SqliteStore implements Store {
  /** Something is being written, or brought to its place. */
  #busy = false;
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
    private readonly committer: GroupCommitter,
    private readonly disk: WalSync,
    readonly claim: { release(): void },
    readonly hashSeed: number,
  ) {}

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
      const slowMs = options.slowCommitMs ?? 0;
      const committer = new GroupCommitter(options.file, slowMs);
      const disk = await WalSync.open(committer, options.file, slowMs);
      return new SqliteStore(committer, disk, claim, committer.hashSeed);
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
    return attempt(() => this.committer.reading(sql).all(...parameters) as Row[]);
  }

  get<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<Row | undefined> {
    return attempt(() => this.committer.reading(sql).get(...parameters) as Row | undefined);
  }

  notIndexed(by: MessageIndex, hash: number): readonly number[] {
    return this.committer.notIndexed(by, hash);
  }

  async close(): Promise<void> {
    this.#due = 0;
    while ((this.pending > 0 || this.#busy) && !this.#failed) {
      this.#plan();
      await new Promise((resolve) => setImmediate(resolve));
    }
    clearTimeout(this.#timer);
    this.#failed ??= new StoreError("CLOSED", "The store is closed.");
    this.committer.close();
    await this.disk.close();
    this.claim.release();
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
    if (this.#waiting.length === 0 || this.#busy || this.#immediate) return;
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
    if (this.#waiting.length === 0 || this.#busy) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#due = Number.POSITIVE_INFINITY;
    const now = performance.now();
    this.#streaming = now - this.#dispatchedAt < streamGap;
    this.#dispatchedAt = now;
    this.#busy = true;
    this.#inFlight = batch;
    const units = batch.map(({ writes }) => writes);
    const result = this.disk.write(units);
    if (result instanceof Promise || isLocked(result)) {
      void this.#wait(units, result).then(
        (late) => this.#settle(late),
        (error: unknown) => this.#fail(error),
      );
    } else this.#settle(result);
  }

  /** Resolves when the batch is on the disk, or cannot be; rejects where nobody can say. */
  async #wait(units: Units, first: BatchResult | Promise<BatchResult>): Promise<BatchResult> {
    const until = performance.now() + lockedMs;
    let result = await first;
    while (isLocked(result) && performance.now() < until) {
      await sleep(againMs);
      result = await this.disk.write(units);
    }
    return result;
  }

  /** Whoever waits is told before anything else is written: units are told of in the order in which they came. */
  #settle(result: BatchResult): void {
    const batch = this.#inFlight;
    this.#inFlight = [];
    tell(batch, result);
    if (!this.disk.isCheckpointDue) {
      this.#next();
      return;
    }
    void this.disk.checkpoint().then(
      () => this.#next(),
      (error: unknown) => this.#fail(error),
    );
  }

  #next(): void {
    this.#busy = false;
    if (this.#due <= performance.now()) this.#dispatch();
    else this.#plan();
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const failed = new StoreError(
      "DISK",
      `The disk does not say whether it has what was written: ${reason}. Restart Trestle.`,
    );
    this.#failed = failed;
    this.#busy = false;
    const units = [...this.#inFlight, ...this.#waiting];
    this.#inFlight = [];
    this.#waiting = [];
    for (const unit of units) unit.settled(failed, noResults, 0);
  }
}

function tell(batch: readonly PendingUnit[], result: BatchResult): void {
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

function isResults(result: UnitResult | undefined): result is readonly number[] {
  return Array.isArray(result);
}

function toStoreError(result: Exclude<UnitResult, readonly number[]> | undefined): StoreError {
  if (result === undefined) return new StoreError("ERROR", "The database gave no answer.");
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
