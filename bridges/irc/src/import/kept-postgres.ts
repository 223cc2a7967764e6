import { PostgresSnapshot, rowIn, textIn } from "@trestle/core";
import { settingsOf } from "./kept-nedb.js";
import type { Kept, KeptChannel, KeptQuery, KeptUser } from "./kept.js";

/** The PostgreSQL database of matrix-appservice-irc, as it was when it was opened. Nothing is written to it. */
export class KeptInPostgres implements Kept {
  private constructor(private readonly snapshot: PostgresSnapshot) {}

  /** @throws Error with what to do, where it cannot be reached or is another database */
  static async open(url: string): Promise<KeptInPostgres> {
    const snapshot = await PostgresSnapshot.open(url, async (opened) => {
      if (!(await opened.has("rooms")) || !(await opened.has("client_config")))
        throw new Error("it is no database of matrix-appservice-irc, as it has no tables rooms and client_config");
    });
    return new KeptInPostgres(snapshot);
  }

  get unreadable(): ReadonlyMap<string, number> {
    return this.snapshot.unreadable;
  }

  channels(): AsyncIterable<KeptChannel> {
    const sql = "SELECT room_id, irc_domain, irc_channel FROM rooms WHERE type = 'channel' ORDER BY room_id";
    return this.snapshot.read("rooms", sql, (row) => {
      const [room, domain, channel] = [textIn(row, "room_id"), textIn(row, "irc_domain"), textIn(row, "irc_channel")];
      return room === undefined || domain === undefined || channel === undefined
        ? undefined
        : { room, domain, channel };
    });
  }

  queries(): AsyncIterable<KeptQuery> {
    const sql = "SELECT room_id, irc_domain, irc_nick, matrix_user_id, virtual_user_id FROM pm_rooms ORDER BY room_id";
    return this.snapshot.read("pm_rooms", sql, (row) => {
      const [room, domain, nick] = [textIn(row, "room_id"), textIn(row, "irc_domain"), textIn(row, "irc_nick")];
      const [user, ghost] = [textIn(row, "matrix_user_id"), textIn(row, "virtual_user_id")];
      if (room === undefined || domain === undefined || nick === undefined) return undefined;
      return user === undefined || ghost === undefined ? undefined : { room, domain, nick, user, ghost };
    });
  }

  users(): AsyncIterable<KeptUser> {
    const sql =
      "SELECT user_id, domain, config, password FROM client_config WHERE user_id IS NOT NULL ORDER BY user_id, domain";
    return this.snapshot.read("client_config", sql, (row) => {
      const [user, domain] = [textIn(row, "user_id"), textIn(row, "domain")];
      if (user === undefined || domain === undefined) return undefined;
      return { ...settingsOf(user, domain, rowIn(row, "config")), password: textIn(row, "password") };
    });
  }

  close(): Promise<void> {
    return this.snapshot.close();
  }
}
