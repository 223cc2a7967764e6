import Database from "better-sqlite3";
import { sqliteCode } from "./sqlite-code.js";

/** Another process works on the same database. */
export class StoreInUse extends Error {
  override readonly name = "StoreInUse";
}

/**
 * Makes this process the only one that works on a store. The operating system drops the claim when the process dies,
 * however it dies.
 *
 * @throws StoreInUse when another process has it.
 */
export function claimStore(file: string): { release(): void } {
  const db = new Database(`${file}.owner`, { timeout: 0 });
  try {
    db.pragma("journal_mode = DELETE");
    db.pragma("locking_mode = EXCLUSIVE");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (sqliteCode(error)?.startsWith("SQLITE_BUSY") === true) {
      throw new StoreInUse(
        `Another Trestle is running on ${file}. Stop it first, or give this one another dataDirectory: two processes on one journal would deliver everything twice.`,
      );
    }
    throw error;
  }
  return {
    release: () => {
      db.close();
    },
  };
}
