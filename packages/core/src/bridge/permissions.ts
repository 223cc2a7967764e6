import type { PermissionLevel } from "../config/schema.js";

const order: readonly PermissionLevel[] = ["block", "relay", "user", "admin"];

/** Whom policy lists ban. */
export interface Bans {
  /** They ban nobody. */
  readonly isEmpty: boolean;
  bansUser(user: string): boolean;
  /** By its id or alias. */
  bansRoom(room: string): boolean;
}

const none: Bans = { isEmpty: true, bansUser: () => false, bansRoom: () => false };

/**
 * What each Matrix user may do: the entry for the user id counts, else whether a policy list bans them, else the entry for
 * the server, else that for `*`.
 */
export class Permissions {
  constructor(
    readonly levels: Readonly<Record<string, PermissionLevel>>,
    readonly lists: Bans = none,
  ) {}

  /** Whether a policy list bans somebody. What the operator says of them by name counts for more. */
  bans(user: string): boolean {
    return this.lists.bansUser(user) && this.levels[user] === undefined;
  }

  bansRoom(room: string): boolean {
    return this.lists.bansRoom(room);
  }

  levelOf(user: string): PermissionLevel {
    const named = this.levels[user];
    if (named !== undefined) return named;
    if (this.lists.bansUser(user)) return "block";
    const server = user.slice(user.indexOf(":") + 1);
    return this.levels[server] ?? this.levels["*"] ?? "block";
  }

  atLeast(user: string, level: PermissionLevel): boolean {
    return order.indexOf(this.levelOf(user)) >= order.indexOf(level);
  }
}
