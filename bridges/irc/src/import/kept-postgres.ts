import type { Client } from "pg";
import { isRow, type Kept, type KeptChannel, type KeptQuery, type KeptUser, rowIn, textIn } from "./kept.js";
import { settingsOf } from "./kept-nedb.js";

type Row = Readonly<Record<string, unknown>>;

/** The PostgreSQL database of matrix-appservice-irc, as it was when it was opened. Nothing is written to it. */
export class KeptInPostgres implements Kept {
  readonly unreadable = new Map<string, number>();

  private constructor(private readonly client: Client) {}

  /** @throws Error with what to do, where it cannot be reached or is another database */
  static async open(url: string): Promise<KeptInPostgres> {
    const { Client } = await driver();
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 15_000, statement_timeout: 600_000 });
    // What happens to the connection is told by the query that is under way.
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const { rows } = await client.query<Row>(
        "SELECT to_regclass('rooms') IS NOT NULL AND to_regclass('client_config') IS NOT NULL AS found",
      );
      if (rows[0]?.["found"] !== true) throw new Error("it has no tables rooms and client_config");
    } catch (error) {
      await client.end().catch(() => undefined);
      const shown = url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/i, "$1@").replace(/([?&]password=)[^&]*/i, "$1…");
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${shown} cannot be read as a database of matrix-appservice-irc: ${reason}`, { cause: error });
    }
    return new KeptInPostgres(client);
  }

  channels(): AsyncIterable<KeptChannel> {
    const sql = "SELECT room_id, irc_domain, irc_channel FROM rooms WHERE type = 'channel' ORDER BY room_id";
    return this.#each("rooms", sql, (row) => {
      const [room, domain, channel] = [textIn(row, "room_id"), textIn(row, "irc_domain"), textIn(row, "irc_channel")];
      return room === undefined || domain === undefined || channel === undefined
        ? undefined
        : { room, domain, channel };
    });
  }

  queries(): AsyncIterable<KeptQuery> {
    const sql = "SELECT room_id, irc_domain, irc_nick, matrix_user_id, virtual_user_id FROM pm_rooms ORDER BY room_id";
    return this.#each("pm_rooms", sql, (row) => {
      const [room, domain, nick] = [textIn(row, "room_id"), textIn(row, "irc_domain"), textIn(row, "irc_nick")];
      const [user, ghost] = [textIn(row, "matrix_user_id"), textIn(row, "virtual_user_id")];
      if (room === undefined || domain === undefined || nick === undefined) return undefined;
      return user === undefined || ghost === undefined ? undefined : { room, domain, nick, user, ghost };
    });
  }

  users(): AsyncIterable<KeptUser> {
    const sql =
      "SELECT user_id, domain, config, password FROM client_config WHERE user_id IS NOT NULL ORDER BY user_id, domain";
    return this.#each("client_config", sql, (row) => {
      const [user, domain] = [textIn(row, "user_id"), textIn(row, "domain")];
      if (user === undefined || domain === undefined) return undefined;
      return { ...settingsOf(user, domain, rowIn(row, "config")), password: textIn(row, "password") };
    });
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  async *#each<Found>(table: string, sql: string, read: (row: Row) => Found | undefined): AsyncIterable<Found> {
    const { rows } = await this.client.query<Row>(sql);
    for (const row of rows) {
      const found = isRow(row) ? read(row) : undefined;
      if (found !== undefined) yield found;
      else this.unreadable.set(`a row of ${table}`, (this.unreadable.get(`a row of ${table}`) ?? 0) + 1);
    }
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
