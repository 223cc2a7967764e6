import { toMatrix, toNetwork, type DirectionCode } from "../delivery/entry.js";
import type { SqlValue, Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import type { QueueDetail, QueueEntry, QueueFilter, QueueService, QueueState } from "./services.js";

interface JournalRow {
  readonly seq: number;
  readonly bridge: string;
  readonly bridgeKey: number;
  readonly direction: DirectionCode;
  readonly lane: string;
  readonly source: string;
  readonly state: number;
  readonly attempts: number;
  readonly at: number;
  readonly payload: string | null;
  readonly error: string | null;
}

const columns =
  "j.seq AS seq, b.name AS bridge, j.bridge AS bridgeKey, j.direction AS direction, j.lane AS lane, j.source AS source, j.state AS state, j.attempts AS attempts, j.at AS at, j.payload AS payload, j.error AS error";
const from = "FROM journal j JOIN bridge b ON b.id = j.bridge";
const states: readonly QueueState[] = ["queued", "waiting", "dead"];
/** Written out, because SQLite uses a partial index only for a condition it sees. */
const statesAsked = {
  all: ["j.state < 2", "j.state = 2"],
  queued: ["j.state < 2 AND j.state = 0"],
  waiting: ["j.state < 2 AND j.state = 1"],
  dead: ["j.state = 2"],
} as const;
const mostRows = 1000;
const usualRows = 100;

/** Told after dead letters were put back or dropped, so that running lanes see it. */
export interface QueueChanges {
  replayed(bridgeKey: number, direction: DirectionCode, lane: string, count: number): void;
  dropped(bridgeKey: number, direction: DirectionCode, count: number): void;
}

/** The journal as an operator sees it. */
export class StoreQueue implements QueueService {
  constructor(
    readonly store: Store,
    readonly now: () => number,
    readonly changes?: QueueChanges,
  ) {}

  async list(filter: QueueFilter): Promise<readonly QueueEntry[]> {
    await this.store.commit([["unpack"]]);
    const conditions = ["j.seq > ?"];
    const parameters: SqlValue[] = [filter.after ?? 0];
    if (filter.bridge !== undefined) {
      conditions.push("b.name = ?");
      parameters.push(filter.bridge);
    }
    if (filter.direction !== undefined) {
      conditions.push("j.direction = ?");
      parameters.push(filter.direction === "toNetwork" ? toNetwork : toMatrix);
    }
    const limit = Math.min(filter.limit ?? usualRows, mostRows);
    const found: JournalRow[] = [];
    for (const state of statesAsked[filter.state ?? "all"]) {
      const sql = `SELECT ${columns} ${from} WHERE ${[state, ...conditions].join(" AND ")} ORDER BY j.seq LIMIT ?`;
      found.push(...(await this.store.all<JournalRow>(sql, ...parameters, limit)));
    }
    return found
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit)
      .map(toEntry);
  }

  async show(seq: number): Promise<QueueDetail | undefined> {
    await this.store.commit([["unpack"]]);
    const row = await this.store.get<JournalRow>(`SELECT ${columns} ${from} WHERE j.seq = ?`, seq);
    return row && { ...toEntry(row), payload: row.payload === null ? null : (JSON.parse(row.payload) as unknown) };
  }

  async replay(selection: readonly number[] | "all"): Promise<number> {
    const rows = await this.#dead(selection);
    for (const row of rows) {
      await this.store.commit([["requeue", this.now(), row.seq]]);
      this.changes?.replayed(row.bridgeKey, row.direction, row.lane, 1);
    }
    return rows.length;
  }

  async drop(selection: readonly number[] | "all"): Promise<number> {
    const rows = await this.#dead(selection);
    await this.store.commit(
      rows.flatMap((row): Write[] => [
        ["discard", row.seq],
        ["dropParts", row.seq],
      ]),
    );
    for (const row of rows) this.changes?.dropped(row.bridgeKey, row.direction, 1);
    return rows.length;
  }

  async #dead(selection: readonly number[] | "all"): Promise<readonly JournalRow[]> {
    if (selection === "all")
      return this.store.all<JournalRow>(`SELECT ${columns} ${from} WHERE j.state = 2 ORDER BY j.seq`);
    const rows: JournalRow[] = [];
    for (const seq of [...selection].sort((a, b) => a - b)) {
      const row = await this.store.get<JournalRow>(`SELECT ${columns} ${from} WHERE j.seq = ? AND j.state = 2`, seq);
      if (row) rows.push(row);
    }
    return rows;
  }
}

function toEntry(row: JournalRow): QueueEntry {
  return {
    seq: row.seq,
    bridge: row.bridge,
    direction: row.direction === toNetwork ? "toNetwork" : "toMatrix",
    state: states[row.state] ?? "queued",
    lane: row.lane,
    source: row.source,
    attempts: row.attempts,
    receivedAt: row.at,
    ...(row.error !== null && { error: row.error }),
  };
}
