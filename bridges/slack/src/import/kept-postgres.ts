import { PostgresSnapshot, rowIn, textIn, type Row } from "@trestle/core";
import type { Kept, KeptAccount, KeptEvent, KeptGhost, KeptReaction, KeptRoom, KeptTeam } from "./kept.js";
import { accountsOf, ghostOf, roomOf, teamOf } from "./kept-documents.js";

/** The first schema that names the domains of workspaces. */
const oldestSchema = 3;

/** The PostgreSQL database of matrix-appservice-slack, as it was when it was opened. Nothing is written to it. */
export class KeptInPostgres implements Kept {
  private constructor(private readonly snapshot: PostgresSnapshot) {}

  /** @throws Error with what to do, where it cannot be reached or is another database */
  static async open(url: string): Promise<KeptInPostgres> {
    return new KeptInPostgres(await PostgresSnapshot.open(url, checkSchema));
  }

  get unreadable(): ReadonlyMap<string, number> {
    return this.snapshot.unreadable;
  }

  async *teams(): AsyncIterable<KeptTeam> {
    yield* this.snapshot.read("teams", "SELECT id, name, token, domain, user_id FROM teams ORDER BY id", teamOf);
  }

  async *rooms(): AsyncIterable<KeptRoom> {
    yield* this.snapshot.read("rooms", "SELECT roomid, remoteid, json FROM rooms ORDER BY id", (row) =>
      roomOf(textIn(row, "roomid"), textIn(row, "remoteid"), rowIn(row, "json")),
    );
  }

  async *ghosts(): AsyncIterable<KeptGhost> {
    const sql = "SELECT userid, json FROM users WHERE isremote IS NOT FALSE ORDER BY userid";
    yield* this.snapshot.read("users", sql, (row) => ghostOf(textIn(row, "userid"), rowIn(row, "json")));
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
    yield* this.snapshot.read(
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
    yield* this.snapshot.read("reactions", sql, (row) => {
      const [room, event] = [textIn(row, "room_id"), textIn(row, "event_id")];
      const [channel, ts] = [textIn(row, "slack_channel_id"), textIn(row, "slack_message_ts")];
      const [slackUser, name] = [textIn(row, "slack_user_id"), textIn(row, "reaction")];
      if (room === undefined || event === undefined || channel === undefined || ts === undefined) return undefined;
      return slackUser === undefined || name === undefined ? undefined : { room, event, channel, ts, slackUser, name };
    });
  }

  close(): Promise<void> {
    return this.snapshot.close();
  }

  async *#accounts(): AsyncIterable<KeptAccount> {
    const read = (row: Row): KeptAccount | undefined => {
      const [user, slackId] = [textIn(row, "user_id"), textIn(row, "slack_id")];
      return user === undefined || slackId === undefined ? undefined : { user, slackId, team: textIn(row, "team_id") };
    };
    yield* this.snapshot.read(
      "puppets",
      "SELECT matrixuser AS user_id, slackuser AS slack_id, slackteam AS team_id FROM puppets",
      read,
    );
    yield* this.snapshot.read("linked_accounts", "SELECT user_id, slack_id, team_id FROM linked_accounts", read);
    const people = "SELECT userid, json FROM users WHERE isremote = false";
    const own = this.snapshot.read("users", people, (row) => accountsOf(textIn(row, "userid"), rowIn(row, "json")));
    for await (const accounts of own) yield* accounts;
  }
}

async function checkSchema(snapshot: PostgresSnapshot): Promise<void> {
  const other = "it is no database of matrix-appservice-slack, as";
  if (!(await snapshot.has("schema"))) throw new Error(`${other} it has no table "schema".`);
  const version = Number((await snapshot.first("SELECT version FROM schema"))?.["version"]);
  if (!Number.isInteger(version)) throw new Error(`${other} its table "schema" names no version.`);
  if (version < oldestSchema)
    throw new Error(
      `it has version ${version} of its schema; start the last release of matrix-appservice-slack once, so that it is brought up to date.`,
    );
}
