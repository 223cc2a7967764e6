import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import Database from "better-sqlite3";
import type { LoadedConfig } from "../config/load.js";
import type { ImportRecord } from "../connector/importer.js";
import { SchemaTooNew } from "../store/migrations.js";
import { claimStore } from "../store/ownership.js";
import { Secrets } from "../store/secrets.js";
import type { ImportCounts, StoreImport, StoreImportOptions } from "../store/store-import.js";
import { databaseFile } from "./offline.js";
import { StartError } from "./start-error.js";

/** What an import comes to. */
export interface ImportReport {
  readonly bridge: string;
  /** Whether it was written. */
  readonly applied: boolean;
  readonly ghosts: ImportCounts;
  readonly links: ImportCounts;
  /** Matrix users with an account of their own. */
  readonly logins: ImportCounts;
  readonly messages: ImportCounts;
  readonly reactions: ImportCounts;
  /** What must be mended before anything is written. */
  readonly obstacles: readonly ImportRemarks[];
  /** What is not taken over. */
  readonly leftOut: readonly ImportRemarks[];
  /** What people have to do afterwards. */
  readonly toDo: readonly ImportRemarks[];
}

/** What is said of one or many. */
export interface ImportRemarks {
  readonly reason: string;
  readonly count: number;
  /** The first of them. */
  readonly examples: readonly string[];
}

/** What is imported, and how. */
export interface ImportRequest {
  /** The bridge's name in the configuration. */
  readonly bridge: string;
  readonly records: AsyncIterable<ImportRecord>;
  /** Otherwise nothing is written, and the report says what would be. */
  readonly apply: boolean;
}

const mostExamples = 20;
const mostReasons = 200;

/**
 * Takes what another bridge kept into the store of a bridge: all of it or, where anything goes wrong, nothing. What is
 * there already stays as it is, so that it can be run again. Where there are obstacles nothing is written.
 *
 * @throws StoreInUse while a Trestle runs on the store, StartError when a newer one wrote it, whatever `records` throws
 */
export async function importRecords(loaded: LoadedConfig, request: ImportRequest): Promise<ImportReport> {
  const { bridge, records, apply } = request;
  const registration = loaded.registrations.get(bridge);
  if (!registration) throw new RangeError(`There is no bridge ${bridge} in the configuration.`);
  const { config } = loaded;
  const file = databaseFile(config);
  if (apply) await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const isThere = apply || existsSync(file);
  const claim = isThere ? claimStore(file) : undefined;
  const remarks = { obstacle: new RemarkList(), leftOut: new RemarkList(), toDo: new RemarkList() };
  let db: Database.Database | undefined;
  try {
    db = new Database(isThere ? file : ":memory:", { timeout: 10_000 });
    const store = await begin(db, {
      bridge,
      isOwnUser: (user) => registration.isOwnUser(user) && user !== registration.bot,
      secrets: new Secrets(config.encryptionKey),
      now: Date.now(),
      remark: (kind, reason, subject) => remarks[kind].add(reason, subject),
    });
    for await (const record of records) store.add(record);
    const applied = apply && remarks.obstacle.all.length === 0;
    store.end(applied);
    return {
      bridge,
      applied,
      ...store.counts,
      obstacles: remarks.obstacle.all,
      leftOut: remarks.leftOut.all,
      toDo: remarks.toDo.all,
    };
  } finally {
    // What was not committed is undone.
    db?.close();
    claim?.release();
  }
}

async function begin(db: Database.Database, options: StoreImportOptions): Promise<StoreImport> {
  // A bridge that runs never needs it.
  const { StoreImport } = await import("../store/store-import.js");
  try {
    return new StoreImport(db, options);
  } catch (error) {
    if (error instanceof SchemaTooNew) throw new StartError("databaseUnusable", error.message, { cause: error });
    throw error;
  }
}

class RemarkList {
  readonly #reasons = new Map<string, { count: number; readonly examples: string[] }>();

  add(reason: string, subject: string): void {
    let found = this.#reasons.get(reason);
    if (!found) {
      if (this.#reasons.size >= mostReasons) {
        this.add("of further reasons", subject);
        return;
      }
      found = { count: 0, examples: [] };
      this.#reasons.set(reason, found);
    }
    found.count += 1;
    if (found.examples.length < mostExamples) found.examples.push(subject);
  }

  get all(): ImportRemarks[] {
    return [...this.#reasons].map(([reason, { count, examples }]) => ({ reason, count, examples }));
  }
}
