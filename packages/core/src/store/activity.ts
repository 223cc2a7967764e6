import type { Database, Statement } from "better-sqlite3";
import type { JournalEntry } from "./segment.js";

/** So often it is written at most, in milliseconds: whoever looks takes it with a pinch of salt. */
const everyMs = 1_000;

/** When something was last journaled in each lane. Written now and then, so it may be a little behind after a crash. */
export class Activity {
  readonly #latest = new Map<string, JournalEntry>();
  readonly #set: Statement<[number, number, string, number]>;
  #writtenAt = 0;

  constructor(db: Database) {
    this.#set = db.prepare(
      "INSERT INTO activity (bridge, direction, lane, at) VALUES (?, ?, ?, ?) ON CONFLICT (bridge, direction, lane) DO UPDATE SET at = excluded.at",
    );
  }

  recover(): void {
    this.#latest.clear();
  }

  note(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#latest.set(`${entry.bridge} ${entry.direction} ${entry.lane}`, entry);
    const last = entries.at(-1);
    if (last && Math.abs(last.at - this.#writtenAt) >= everyMs) {
      this.write();
      this.#writtenAt = last.at;
    }
  }

  write(): void {
    for (const { bridge, direction, lane, at } of this.#latest.values()) this.#set.run(bridge, direction, lane, at);
    this.#latest.clear();
  }
}
