import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import Database from "better-sqlite3";
import { Writer, type Write } from "./writes.js";

/** A unit of writes, or an array of what they came to. */
export type Unit = readonly Write[];
export type UnitResult = readonly number[] | { readonly code: string; readonly message: string };

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
  readonly #writer: Writer;

  constructor(
    readonly options: WorkerOptions,
    readonly port: MessagePort,
  ) {
    this.#db = new Database(options.file, { timeout: 10_000 });
    this.#db.pragma("journal_mode = WAL");
    this.#db.pragma(`synchronous = ${options.synchronous}`);
    this.#db.pragma("cache_size = -16000");
    this.#db.pragma("wal_autocheckpoint = 4000");
    this.#writer = new Writer(this.#db);
  }

  take(first: readonly Unit[] | "close"): void {
    const batches: (readonly Unit[])[] = [];
    let closing = false;
    for (let next: readonly Unit[] | "close" | undefined = first; next !== undefined; next = this.#next()) {
      if (next === "close") closing = true;
      else batches.push(next);
    }
    const results = this.#commit(batches.flat());
    let offset = 0;
    for (const batch of batches) {
      this.port.postMessage(results.slice(offset, offset + batch.length));
      offset += batch.length;
    }
    if (closing) {
      this.#db.close();
      this.port.close();
    }
  }

  #next(): readonly Unit[] | "close" | undefined {
    const received = receiveMessageOnPort(this.port) as { message: readonly Unit[] | "close" } | undefined;
    return received?.message;
  }

  #commit(units: readonly Unit[]): UnitResult[] {
    if (units.length === 0) return [];
    try {
      return this.#inTransaction(() => units.map((unit) => unit.map((write) => this.#writer.run(write))));
    } catch (error) {
      if (units.length === 1) return [describe(error)];
    }
    // One of them is at fault, or the disk is: alone, each gets its own answer.
    return units.map((unit) => {
      try {
        return this.#inTransaction(() => unit.map((write) => this.#writer.run(write)));
      } catch (error) {
        return describe(error);
      }
    });
  }

  #inTransaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      if (this.options.slowCommitMs > 0) Atomics.wait(idle, 0, 0, this.options.slowCommitMs);
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof Database.SqliteError) return { code: error.code, message: error.message };
  return { code: "ERROR", message: error instanceof Error ? error.message : String(error) };
}

if (parentPort) {
  const port = parentPort;
  const committer = new GroupCommitter(workerData as WorkerOptions, port);
  port.on("message", (message: readonly Unit[] | "close") => {
    committer.take(message);
  });
  port.postMessage("open");
}
