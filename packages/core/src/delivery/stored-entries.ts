import type { Store } from "../store/store.js";
import type { DirectionCode } from "./entry.js";

/** An entry as the journal keeps it. */
export interface StoredEntry {
  readonly seq: number;
  readonly source: string;
  readonly at: number;
  readonly payload: string | null;
  readonly attempts: number;
  readonly strikes: number;
  /** 1: an attempt may have reached the target. 2: before it was put aside, and taken up again. */
  readonly doubt: number;
}

/** A lane in which something waits. */
export interface StoredLane {
  readonly lane: string;
  readonly newest: number;
  readonly count: number;
}

/** What the journal has of one direction of one bridge. */
export class StoredEntries {
  constructor(
    readonly store: Store,
    readonly direction: DirectionCode,
    readonly bridge: number,
  ) {}

  async lanes(): Promise<readonly StoredLane[]> {
    await this.#unpack();
    return this.store.all<StoredLane>(
      `SELECT lane, max(seq) AS newest, count(*) AS count FROM ${open} GROUP BY lane`,
      this.direction,
      this.bridge,
    );
  }

  /** The next ones of a lane, at most `limit`. */
  async after(lane: string, seq: number, limit: number): Promise<readonly StoredEntry[]> {
    await this.#unpack();
    return this.store.all<StoredEntry>(
      `SELECT seq, source, at, payload, attempts, strikes, doubt FROM ${open} AND lane = ? AND seq > ? ORDER BY seq LIMIT ?`,
      this.direction,
      this.bridge,
      lane,
      seq,
      limit,
    );
  }

  /** When the oldest was journaled, in milliseconds since 1970. */
  async oldestAt(): Promise<number | undefined> {
    await this.#unpack();
    const sql = `SELECT at FROM ${open} ORDER BY seq LIMIT 1`;
    return (await this.store.get<{ at: number }>(sql, this.direction, this.bridge))?.at;
  }

  async deadCount(): Promise<number> {
    const sql = "SELECT count(*) AS count FROM journal WHERE state = 2 AND direction = ? AND bridge = ?";
    return (await this.store.get<{ count: number }>(sql, this.direction, this.bridge))?.count ?? 0;
  }

  /** Only what has a row of its own can be read. */
  async #unpack(): Promise<void> {
    await this.store.commit([["unpack"]]);
  }
}

const open = "journal WHERE state < 2 AND direction = ? AND bridge = ?";
