import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

/** What a matrix-appservice-slack has kept; the ids are those of the other bridge. */
export interface OldBridge {
  readonly teams: readonly { readonly id: string; readonly domain: string; readonly botUser: string }[];
  readonly rooms: readonly OldRoom[];
  readonly ghosts: readonly OldGhost[];
  readonly events: readonly OldEvent[];
  readonly reactions?: readonly OldReaction[];
  /** Matrix users with an account on Slack. */
  readonly puppets?: readonly { readonly user: string; readonly slackId: string; readonly team: string }[];
}

export interface OldRoom {
  readonly room: string;
  readonly inbound: string;
  readonly channel?: string;
  readonly name?: string;
  readonly team?: string;
  readonly type?: string;
  readonly owner?: string;
  readonly webhook?: string;
}

export interface OldGhost {
  readonly user: string;
  readonly slackId?: string;
  readonly team?: string;
  readonly name?: string;
  readonly avatarHash?: string;
}

export interface OldEvent {
  readonly room: string;
  readonly event: string;
  readonly channel: string;
  readonly ts: string;
  /** The answers in its thread. */
  readonly thread?: readonly string[];
}

export interface OldReaction {
  readonly room: string;
  readonly event: string;
  readonly channel: string;
  readonly ts: string;
  readonly slackUser: string;
  readonly name: string;
}

function remoteOf(room: OldRoom): Record<string, unknown> {
  return {
    id: room.channel,
    name: room.name,
    slack_team_id: room.team,
    slack_type: room.type ?? "channel",
    slack_private: false,
    webhook_uri: room.webhook,
    puppet_owner: room.owner,
  };
}

function ghostJson(ghost: OldGhost): Record<string, unknown> {
  return {
    avatar_url: ghost.avatarHash,
    display_name: ghost.name,
    id: ghost.user,
    slack_id: ghost.slackId,
    team_id: ghost.team,
  };
}

/** As NeDB leaves it after a while: what was changed and deleted stands before what counts. */
export async function writeNedb(directory: string, old: OldBridge): Promise<void> {
  await mkdir(directory, { recursive: true });
  const documents = {
    "teams.db": old.teams.map(({ id, domain, botUser }) => ({
      id,
      domain,
      name: domain,
      bot_token: `xoxb-${id}`,
      bot_id: "B0OLDBRIDGE",
      user_id: botUser,
      scopes: "",
      status: "ok",
    })),
    "room-store.db": old.rooms.map((room) => ({
      id: `INTEG-${room.inbound}`,
      matrix_id: room.room,
      remote_id: room.inbound,
      remote: remoteOf(room),
    })),
    "user-store.db": [
      ...old.ghosts.map(ghostJson),
      ...(old.puppets ?? []).map(({ user, slackId, team }) => ({
        type: "matrix",
        id: user,
        data: { localpart: user.slice(1), accounts: { [slackId]: { access_token: "xoxp-secret", team_id: team } } },
      })),
    ],
    "event-store.db": old.events.map(({ room, event, channel, ts, thread }) => ({
      id: "unused",
      matrix: { roomId: room, eventId: event },
      remote: { roomId: channel, eventId: ts },
      extras: thread ? { slackThreadMessages: thread } : {},
    })),
  };
  for (const [name, list] of Object.entries(documents)) {
    const file = join(directory, name);
    await writeFile(file, "");
    const line = (value: unknown): Promise<void> => appendFile(file, `${JSON.stringify(value)}\n`);
    await line({ $$indexCreated: { fieldName: "id", unique: true, sparse: false } });
    for (const [index, document] of list.entries()) {
      const _id = `document${index}`;
      await line({ ...document, _id, outdated: true });
      await line({ ...document, _id });
    }
    await line({ id: "gone", matrix_id: "!gone:slack.test", _id: "gone" });
    await line({ $$deleted: true, _id: "gone" });
    // It died while it wrote.
    await appendFile(file, '{"id":"torn","_i');
  }
}

/** The tables of the newest schema, as far as an import may look at them. */
const tables = `
  CREATE TABLE schema (version INTEGER UNIQUE NOT NULL);
  CREATE TABLE teams (id TEXT PRIMARY KEY, name TEXT, token TEXT, bot_id TEXT, status TEXT, domain TEXT, scopes TEXT, user_id TEXT);
  CREATE TABLE rooms (id TEXT PRIMARY KEY, roomid TEXT NOT NULL, remoteid TEXT NOT NULL, json TEXT);
  CREATE TABLE users (userid TEXT PRIMARY KEY, isremote BOOLEAN, json TEXT);
  CREATE TABLE events (roomid TEXT NOT NULL, eventid TEXT NOT NULL, slackchannel TEXT NOT NULL, slackts TEXT NOT NULL, extras TEXT NOT NULL,
    UNIQUE (eventid, roomid, slackchannel, slackts));
  CREATE TABLE puppets (slackuser TEXT UNIQUE NOT NULL, slackteam TEXT NOT NULL, matrixuser TEXT NOT NULL, token TEXT);
  CREATE TABLE linked_accounts (user_id TEXT NOT NULL, slack_id TEXT NOT NULL, team_id TEXT NOT NULL, access_token TEXT NOT NULL);
  CREATE TABLE reactions (room_id TEXT NOT NULL, event_id TEXT NOT NULL, slack_channel_id TEXT NOT NULL,
    slack_message_ts TEXT NOT NULL, slack_user_id TEXT NOT NULL, reaction TEXT NOT NULL);
  INSERT INTO schema VALUES (16);
`;

/** Writes into an empty database. */
export async function writePostgresql(url: string, old: OldBridge): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(tables);
    const insert = (sql: string, ...values: unknown[]) => client.query(sql, values);
    for (const { id, domain, botUser } of old.teams)
      await insert(
        "INSERT INTO teams (id, name, token, domain, user_id) VALUES ($1, $2, $3, $2, $4)",
        id,
        domain,
        `xoxb-${id}`,
        botUser,
      );
    for (const room of old.rooms)
      await insert(
        "INSERT INTO rooms VALUES ($1, $2, $3, $4)",
        `INTEG-${room.inbound}`,
        room.room,
        room.inbound,
        JSON.stringify(remoteOf(room)),
      );
    for (const ghost of old.ghosts)
      await insert("INSERT INTO users VALUES ($1, true, $2)", ghost.user, JSON.stringify(ghostJson(ghost)));
    for (const { room, event, channel, ts, thread } of old.events)
      await insert(
        "INSERT INTO events VALUES ($1, $2, $3, $4, $5)",
        room,
        event,
        channel,
        ts,
        JSON.stringify(thread ? { slackThreadMessages: thread } : {}),
      );
    for (const { room, event, channel, ts, slackUser, name } of old.reactions ?? [])
      await insert("INSERT INTO reactions VALUES ($1, $2, $3, $4, $5, $6)", room, event, channel, ts, slackUser, name);
    for (const { user, slackId, team } of old.puppets ?? []) {
      await insert("INSERT INTO puppets VALUES ($1, $2, $3, 'xoxp-secret')", slackId, team, user);
      await insert("INSERT INTO linked_accounts VALUES ($1, $2, $3, 'xoxp-secret')", user, slackId, team);
    }
  } finally {
    await client.end();
  }
}
