import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DiskPace } from "./disk-pace.js";
import type { BatchResult, GroupCommitter, Units } from "./group-committer.js";

/** About so many pages may be in the write-ahead log before they are copied to their place. */
const mostPages = 1_500;
/** About so many pages has a commit, and so many writes have another one. */
const pagesOfCommit = 2;
const writesOfPage = 12;
/** A batch with fewer writes is small. */
const smallBatch = 120;

/**
 * Brings batches to the disk. The disk is waited for either here (`synchronous=FULL`), which on a fast one takes less than
 * to be woken by somebody who waits; or, where it is slow or there is much to do meanwhile, by the threads that Node has
 * for files: then SQLite does not sync, and what it would have done is done here. Either way a batch is on the disk
 * before it is answered.
 */
export class WalSync {
  readonly #pace = new DiskPace();
  /** Pages in the log, about. */
  #pages = 0;

  private constructor(
    private readonly committer: GroupCommitter,
    private readonly log: FileHandle,
    private readonly database: FileHandle,
    private readonly slowMs: number,
  ) {}

  /** `slowMs` is added to what the disk takes. */
  static async open(committer: GroupCommitter, file: string, slowMs: number): Promise<WalSync> {
    const database = await open(file, "r+");
    try {
      return new WalSync(committer, await open(`${file}-wal`, "r+"), database, slowMs);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /**
   * Writes a batch. Answers at once where it is on the disk already; else when it is, and rejects where nobody can say
   * whether it is.
   */
  write(units: Units): BatchResult | Promise<BatchResult> {
    const writes = units.reduce((sum, unit) => sum + unit.length, 0);
    this.#pages += pagesOfCommit + writes / writesOfPage;
    if (writes >= smallBatch || !this.#pace.isFast) return this.#writeAndWait(units);
    const result = this.committer.commit(units, "synced");
    this.#pace.took(this.committer.diskMs);
    return result;
  }

  get isCheckpointDue(): boolean {
    return this.#pages >= mostPages;
  }

  /** Brings what is in the log to its place. Nothing may be written before it resolves; rejects like `write`. */
  async checkpoint(): Promise<void> {
    this.#pages = 0;
    this.committer.checkpoint();
    await this.database.datasync();
  }

  /** After the last connection to the database: who closes a file gives up all locks that the process has on it. */
  async close(): Promise<void> {
    await this.log.close();
    await this.database.close();
  }

  async #writeAndWait(units: Units): Promise<BatchResult> {
    const result = this.committer.commit(units, "unsynced");
    const began = performance.now();
    await this.log.datasync();
    if (this.slowMs > 0) await sleep(this.slowMs);
    this.#pace.took(performance.now() - began);
    return result;
  }
}
