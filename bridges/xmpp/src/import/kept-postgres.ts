import { PostgresSnapshot, textIn } from "@trestle/core";
import { keptRoom, type Kept, type KeptAccount, type KeptConversation, type KeptGhost, type KeptRoom } from "./kept.js";

/** The PostgreSQL database of matrix-bifrost, as it was when it was opened. Nothing is written to it. */
export class KeptInPostgres implements Kept {
  private constructor(private readonly snapshot: PostgresSnapshot) {}

  /** @throws Error with what to do, where it cannot be reached or is another database */
  static async open(url: string): Promise<KeptInPostgres> {
    const snapshot = await PostgresSnapshot.open(url, async (opened) => {
      if (!(await opened.has("group_rooms")) || !(await opened.has("remote_users")))
        throw new Error("it is no database of matrix-bifrost, as it has no tables group_rooms and remote_users");
    });
    return new KeptInPostgres(snapshot);
  }

  get unreadable(): ReadonlyMap<string, number> {
    return this.snapshot.unreadable;
  }

  rooms(): AsyncIterable<KeptRoom> {
    const sql = "SELECT room_id, protocol_id, room_name, gateway, properties FROM group_rooms ORDER BY room_id";
    return this.snapshot.read("group_rooms", sql, (row) => keptRoom(textIn(row, "room_id"), row));
  }

  conversations(): AsyncIterable<KeptConversation> {
    const sql = "SELECT room_id, user_id, remote_id, protocol_id FROM im_rooms ORDER BY room_id";
    return this.snapshot.read("im_rooms", sql, (row) => {
      const [room, protocol] = [textIn(row, "room_id"), textIn(row, "protocol_id")];
      const [user, recipient] = [textIn(row, "user_id"), textIn(row, "remote_id")];
      if (room === undefined || protocol === undefined) return undefined;
      return user === undefined || recipient === undefined ? undefined : { room, protocol, user, recipient };
    });
  }

  ghosts(): AsyncIterable<KeptGhost> {
    const sql =
      "SELECT r.user_id, r.sender_name, r.protocol_id, c.displayname FROM remote_users r LEFT JOIN ghost_cache c ON c.user_id = r.user_id ORDER BY r.user_id";
    return this.snapshot.read("remote_users", sql, (row) => {
      const [user, sender, protocol] = [textIn(row, "user_id"), textIn(row, "sender_name"), textIn(row, "protocol_id")];
      if (user === undefined || sender === undefined || protocol === undefined) return undefined;
      return { user, sender, protocol, name: textIn(row, "displayname") };
    });
  }

  accounts(): AsyncIterable<KeptAccount> {
    const sql = "SELECT user_id, protocol_id, username FROM accounts ORDER BY user_id, protocol_id, username";
    return this.snapshot.read("accounts", sql, (row) => {
      const [user, protocol, name] = [textIn(row, "user_id"), textIn(row, "protocol_id"), textIn(row, "username")];
      return user === undefined || protocol === undefined || name === undefined ? undefined : { user, protocol, name };
    });
  }

  close(): Promise<void> {
    return this.snapshot.close();
  }
}
