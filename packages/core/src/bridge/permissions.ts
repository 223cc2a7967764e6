import type { PermissionLevel } from "../config/schema.js";

const order: readonly PermissionLevel[] = ["block", "relay", "user", "admin"];

/** What each Matrix user may do: the entry for the user id counts, else that for the server, else that for `*`. */
export class Permissions {
  constructor(readonly levels: Readonly<Record<string, PermissionLevel>>) {}

  levelOf(user: string): PermissionLevel {
    const server = user.slice(user.indexOf(":") + 1);
    return this.levels[user] ?? this.levels[server] ?? this.levels["*"] ?? "block";
  }

  atLeast(user: string, level: PermissionLevel): boolean {
    return order.indexOf(this.levelOf(user)) >= order.indexOf(level);
  }
}
