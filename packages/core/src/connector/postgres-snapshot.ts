import type { Client } from "pg";
import type { Row } from "./row.js";

/** Rows that are in memory at once. */
const ROWS_AT_ONCE = 5_000;

/**
 * The PostgreSQL database of another bridge, for an importer: as it was when it was opened, in one transaction that
 * writes nothing. It needs the package `pg`, an optional dependency.
 */
export class PostgresSnapshot {
  readonly #unreadable = new Map<string, number>();
  #cursors = 0;

  private constructor(private readonly client: Client) {}

  /**
   * Opens the database `url` (`postgres://user@host/database`).
   *
   * @param check throws an `Error` whose message says what is wrong, where it is the database of something else
   * @throws Error with what to do; its message never shows the URL's password
   */
  static async open(url: string, check: (snapshot: PostgresSnapshot) => Promise<void>): Promise<PostgresSnapshot> {
    const { Client } = await driver();
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 15_000, statement_timeout: 600_000 });
    // What happens to the connection is told by the query that is under way.
    client.on("error", () => undefined);
    const shown = url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/i, "$1@").replace(/([?&]password=)[^&]*/i, "$1…");
    try {
      await client.connect();
    } catch (error) {
      throw new Error(`The database ${shown} cannot be reached: ${textOf(error)}`, { cause: error });
    }
    const snapshot = new PostgresSnapshot(client);
    try {
      await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      await check(snapshot);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw new Error(`The database ${shown} cannot be read: ${textOf(error)}`, { cause: error });
    }
    return snapshot;
  }

  /** How many rows {@link PostgresSnapshot.read} could not make anything of, by `a row of <table>`. */
  get unreadable(): ReadonlyMap<string, number> {
    return this.#unreadable;
  }

  /** Whether there is such a table. */
  async has(table: string): Promise<boolean> {
    const { rows } = await this.client.query<Row>("SELECT to_regclass($1) IS NOT NULL AS found", [table]);
    return rows[0]?.["found"] === true;
  }

  /** The first row of what `sql` finds. */
  async first(sql: string): Promise<Row | undefined> {
    const { rows } = await this.client.query<Row>(sql);
    return rows[0];
  }

  /**
   * What `read` makes of each row that `sql` finds, a piece at a time; what it makes nothing of is counted. A `table`
   * that the database does not have is empty.
   */
  async *read<Found>(table: string, sql: string, read: (row: Row) => Found | undefined): AsyncIterable<Found> {
    if (!(await this.has(table))) return;
    const cursor = `piece${++this.#cursors}`;
    await this.client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`);
    for (;;) {
      const { rows } = await this.client.query<Row>(`FETCH ${ROWS_AT_ONCE} FROM ${cursor}`);
      if (rows.length === 0) break;
      for (const row of rows) {
        const found = read(row);
        if (found !== undefined) yield found;
        else this.#unreadable.set(`a row of ${table}`, (this.#unreadable.get(`a row of ${table}`) ?? 0) + 1);
      }
    }
    await this.client.query(`CLOSE ${cursor}`);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.client.end();
  }
}

/** @throws Error with what to install */
async function driver(): Promise<Pick<typeof import("pg"), "Client">> {
  try {
    return (await import("pg")).default;
  } catch (error) {
    throw new Error("To read PostgreSQL the package pg is needed; install it with: npm i pg", { cause: error });
  }
}

function textOf(error: unknown): string {
  // A host with several addresses fails with all their errors in one.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(textOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
