import type { Client } from "pg";
import { isRecord, textIn, type JsonRecord } from "../content/json.js";
import type { Kept, KeptAccount, KeptEvent, KeptGhost, KeptReaction, KeptRoom, KeptTeam } from "./kept.js";
import { accountsOf, ghostOf, roomOf, teamOf } from "./kept-documents.js";

/** Rows that are in memory at once. */
const rowsAtOnce = 5_000;
/** The first schema that names the domains of workspaces. */
const oldestSchema = 3;

/** The PostgreSQL database of matrix-appservice-slack, as it was when it was opened. Nothing is written to it. */
export class KeptInPostgres implements Kept {
  readonly unreadable = new Map<string, number>();

  private constructor(readonly client: Client) {}

  /** @throws Error with what to do, where it cannot be reached or is another database */
  static async open(url: string): Promise<KeptInPostgres> {
    const { Client } = await driver();
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 15_000, statement_timeout: 600_000 });
    // What happens to the connection is told by the query that is under way.
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      throw new Error(`The database ${withoutPassword(url)} cannot be reached: ${textOf(error)}`, { cause: error });
    }
    const kept = new KeptInPostgres(client);
    try {
      await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      await kept.#checkSchema(url);
    } catch (error) {
      await client.end();
      throw error;
    }
    return kept;
  }

  async *teams(): AsyncIterable<KeptTeam> {
    yield* this.#each("teams", "SELECT id, name, token, domain, user_id FROM teams ORDER BY id", teamOf);
  }

  async *rooms(): AsyncIterable<KeptRoom> {
    yield* this.#each("rooms", "SELECT roomid, remoteid, json FROM rooms ORDER BY id", (row) =>
      roomOf(textIn(row, "roomid"), textIn(row, "remoteid"), jsonIn(row, "json")),
    );
  }

  async *ghosts(): AsyncIterable<KeptGhost> {
    const sql = "SELECT userid, json FROM users WHERE isremote IS NOT FALSE ORDER BY userid";
    yield* this.#each("users", sql, (row) => ghostOf(textIn(row, "userid"), jsonIn(row, "json")));
  }

  async *accounts(): AsyncIterable<KeptAccount> {
    const seen = new Set<string>();
    for await (const account of this.#accounts()) {
      const key = `${account.user} ${account.slackId}`;
      if (!seen.has(key)) yield account;
      seen.add(key);
    }
  }

  async *events(): AsyncIterable<KeptEvent> {
    // A correction is kept under the ts of what it corrects; what has a thread is the message, and else the older row is.
    yield* this.#each(
      "events",
      `SELECT roomid, eventid, slackchannel, slackts FROM events
       ORDER BY slackchannel, slackts, (extras LIKE '%slackThreadMessages%') DESC NULLS LAST, ctid`,
      (row) => {
        const [room, event] = [textIn(row, "roomid"), textIn(row, "eventid")];
        const [channel, ts] = [textIn(row, "slackchannel"), textIn(row, "slackts")];
        if (room === undefined || event === undefined || channel === undefined || ts === undefined) return undefined;
        return { room, event, channel, ts };
      },
    );
  }

  async *reactions(): AsyncIterable<KeptReaction> {
    const sql = "SELECT room_id, event_id, slack_channel_id, slack_message_ts, slack_user_id, reaction FROM reactions";
    yield* this.#each("reactions", sql, (row) => {
      const [room, event] = [textIn(row, "room_id"), textIn(row, "event_id")];
      const [channel, ts] = [textIn(row, "slack_channel_id"), textIn(row, "slack_message_ts")];
      const [slackUser, name] = [textIn(row, "slack_user_id"), textIn(row, "reaction")];
      if (room === undefined || event === undefined || channel === undefined || ts === undefined) return undefined;
      return slackUser === undefined || name === undefined ? undefined : { room, event, channel, ts, slackUser, name };
    });
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  async *#accounts(): AsyncIterable<KeptAccount> {
    const read = (row: JsonRecord): KeptAccount | undefined => {
      const [user, slackId] = [textIn(row, "user_id"), textIn(row, "slack_id")];
      return user === undefined || slackId === undefined ? undefined : { user, slackId, team: textIn(row, "team_id") };
    };
    yield* this.#each(
      "puppets",
      "SELECT matrixuser AS user_id, slackuser AS slack_id, slackteam AS team_id FROM puppets",
      read,
    );
    yield* this.#each("linked_accounts", "SELECT user_id, slack_id, team_id FROM linked_accounts", read);
    const people = "SELECT userid, json FROM users WHERE isremote = false";
    const own = this.#each("users", people, (row) => accountsOf(textIn(row, "userid"), jsonIn(row, "json")));
    for await (const accounts of own) yield* accounts;
  }

  async #checkSchema(url: string): Promise<void> {
    const other = `${withoutPassword(url)} is no database of matrix-appservice-slack`;
    if (!(await this.#has("schema"))) throw new Error(`${other}: it has no table "schema".`);
    const { rows } = await this.client.query<{ version: unknown }>("SELECT version FROM schema");
    const version = Number(rows[0]?.version);
    if (!Number.isInteger(version)) throw new Error(`${other}: its table "schema" names no version.`);
    if (version < oldestSchema)
      throw new Error(
        `The database has version ${version} of its schema; start the last release of matrix-appservice-slack once, so that it is brought up to date.`,
      );
  }

  async #has(table: string): Promise<boolean> {
    const { rows } = await this.client.query<{ found: unknown }>("SELECT to_regclass($1) IS NOT NULL AS found", [
      table,
    ]);
    return rows[0]?.found === true;
  }

  /** Every row, a piece at a time. Tables came one after the other: one that is missing is empty. */
  async *#each<Found>(table: string, sql: string, read: (row: JsonRecord) => Found | undefined): AsyncIterable<Found> {
    if (!(await this.#has(table))) return;
    await this.client.query(`DECLARE piece NO SCROLL CURSOR FOR ${sql}`);
    for (;;) {
      const { rows } = await this.client.query<JsonRecord>(`FETCH ${rowsAtOnce} FROM piece`);
      if (rows.length === 0) break;
      for (const row of rows) {
        const found = read(row);
        if (found !== undefined) yield found;
        else this.unreadable.set(`a row of ${table}`, (this.unreadable.get(`a row of ${table}`) ?? 0) + 1);
      }
    }
    await this.client.query("CLOSE piece");
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

function jsonIn(row: JsonRecord, column: string): unknown {
  const value = row[column];
  if (typeof value !== "string") return isRecord(value) ? value : undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/i, "$1@").replace(/([?&]password=)[^&]*/i, "$1…");
}

function textOf(error: unknown): string {
  // A host with several addresses fails with all their errors in one.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(textOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
