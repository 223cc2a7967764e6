import type { Client } from "pg";
import {
  isRow,
  keptRoom,
  textIn,
  type Kept,
  type KeptAccount,
  type KeptConversation,
  type KeptGhost,
  type KeptRoom,
  type Row,
} from "./kept.js";

/** The PostgreSQL database of matrix-bifrost, as it was when it was opened. Nothing is written to it. */
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
        "SELECT to_regclass('group_rooms') IS NOT NULL AND to_regclass('remote_users') IS NOT NULL AS found",
      );
      if (rows[0]?.["found"] !== true) throw new Error("it has no tables group_rooms and remote_users");
    } catch (error) {
      await client.end().catch(() => undefined);
      const shown = url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/i, "$1@").replace(/([?&]password=)[^&]*/i, "$1…");
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${shown} cannot be read as a database of matrix-bifrost: ${reason}`, { cause: error });
    }
    return new KeptInPostgres(client);
  }

  rooms(): AsyncIterable<KeptRoom> {
    const sql = "SELECT room_id, protocol_id, room_name, gateway, properties FROM group_rooms ORDER BY room_id";
    return this.#each("group_rooms", sql, (row) => keptRoom(textIn(row, "room_id"), row));
  }

  conversations(): AsyncIterable<KeptConversation> {
    const sql = "SELECT room_id, user_id, remote_id, protocol_id FROM im_rooms ORDER BY room_id";
    return this.#each("im_rooms", sql, (row) => {
      const [room, protocol] = [textIn(row, "room_id"), textIn(row, "protocol_id")];
      const [user, recipient] = [textIn(row, "user_id"), textIn(row, "remote_id")];
      if (room === undefined || protocol === undefined) return undefined;
      return user === undefined || recipient === undefined ? undefined : { room, protocol, user, recipient };
    });
  }

  ghosts(): AsyncIterable<KeptGhost> {
    const sql =
      "SELECT r.user_id, r.sender_name, r.protocol_id, c.displayname FROM remote_users r LEFT JOIN ghost_cache c ON c.user_id = r.user_id ORDER BY r.user_id";
    return this.#each("remote_users", sql, (row) => {
      const [user, sender, protocol] = [textIn(row, "user_id"), textIn(row, "sender_name"), textIn(row, "protocol_id")];
      if (user === undefined || sender === undefined || protocol === undefined) return undefined;
      return { user, sender, protocol, name: textIn(row, "displayname") };
    });
  }

  accounts(): AsyncIterable<KeptAccount> {
    const sql = "SELECT user_id, protocol_id, username FROM accounts ORDER BY user_id, protocol_id, username";
    return this.#each("accounts", sql, (row) => {
      const [user, protocol, name] = [textIn(row, "user_id"), textIn(row, "protocol_id"), textIn(row, "username")];
      return user === undefined || protocol === undefined || name === undefined ? undefined : { user, protocol, name };
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
