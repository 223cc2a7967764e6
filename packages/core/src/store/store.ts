import type { MessageIndex } from "./message-writer.js";
import type { Write } from "./writes.js";

/**
 * Durable storage. Every change goes through `commit`; every look-up is a `query`. Both are asynchronous so that a
 * database behind a network can stand in for SQLite.
 */
export interface Store {
  /**
   * Makes the writes durable as one unit, in the order of the calls: when it resolves they are on disk. Resolves to
   * one number a write (see `Write`). Rejects with a `StoreError` when the disk refuses; then none of them happened.
   *
   * Everything that waits goes to the disk together; `urgency` only says how long a unit may wait for company.
   */
  commit(writes: readonly Write[], urgency?: Urgency): Promise<readonly number[]>;
  /**
   * The same for what every message passes: the outcome is told by a call, in the order of the units. `settled` must not
   * throw. A promise and its closures for each were a tenth of what a message costs.
   */
  submit(writes: readonly Write[], urgency: Urgency, settled: Settled): void;
  /** All rows of a read-only statement. Sees everything whose `commit` has resolved. */
  all<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<readonly Row[]>;
  /** The first row of a read-only statement. */
  get<Row>(sql: string, ...parameters: readonly SqlValue[]): Promise<Row | undefined>;
  /** What the hashes of its indexes are made with. */
  readonly hashSeed: number;
  /** The ids of messages with this hash that the index may not have yet; rows that are gone may be among them. */
  notIndexed(by: MessageIndex, hash: number): readonly number[];
  /** Units that wait for the disk. */
  readonly pending: number;
  close(): Promise<void>;
}

/** What came of a unit: `results` has one number a write from `from` on, where there is no error. */
export type Settled = (error: StoreError | undefined, results: readonly number[], from: number) => void;

/** `now`: somebody waits for it. `soon`: a few milliseconds do no harm. `lazy`: nobody waits. */
export type Urgency = "now" | "soon" | "lazy";

export type SqlValue = string | number | null | Uint8Array;

/** The disk refused; nothing of the unit was written. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  constructor(
    /** SQLite's code, e.g. `SQLITE_FULL`. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** It says nothing of what was to be written: the same may be taken later. */
  get isOutage(): boolean {
    return outages.some((code) => this.code === code || this.code.startsWith(`${code}_`));
  }
}

const outages = [
  "CLOSED",
  "DISK",
  "SQLITE_BUSY",
  "SQLITE_CANTOPEN",
  "SQLITE_FULL",
  "SQLITE_IOERR",
  "SQLITE_LOCKED",
  "SQLITE_NOMEM",
  "SQLITE_PROTOCOL",
  "SQLITE_READONLY",
];
