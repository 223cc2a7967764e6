import { randomUUID } from "node:crypto";
import { RoomId, UserId } from "../connector/ids.js";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";

/** A login that is under way, or was when the process died. */
export interface BegunLogin {
  readonly id: string;
  readonly user: UserId;
  readonly room: RoomId;
}

/** The logins of one bridge that are under way: only of those that a process left behind is anything on disk at a start. */
export class BegunLogins {
  constructor(
    readonly store: Store,
    readonly bridge: number,
  ) {}

  async add(user: UserId, room: RoomId): Promise<BegunLogin> {
    const id = randomUUID();
    await this.store.commit([["beginLogin", id, this.bridge, user, room]]);
    return { id, user, room };
  }

  async remove(login: BegunLogin): Promise<void> {
    await this.store.commit([this.removal(login)]);
  }

  /** Removes it together with something else. */
  removal({ id }: BegunLogin): Write {
    return ["endLogin", id];
  }

  async all(): Promise<readonly BegunLogin[]> {
    const rows = await this.store.all<{ readonly id: string; readonly user: string; readonly room: string }>(
      "SELECT id, user, room FROM login_begun WHERE bridge = ?",
      this.bridge,
    );
    return rows.map(({ id, user, room }) => ({ id, user: UserId(user), room: RoomId(room) }));
  }
}
