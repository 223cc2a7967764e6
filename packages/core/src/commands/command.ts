import type { MatrixEvent } from "../appservice/event.js";
import type { PermissionLevel } from "../config/schema.js";
import type { RoomId, UserId } from "../connector/ids.js";

/** Somebody typed a command. */
export interface Invocation {
  readonly event: MatrixEvent;
  readonly room: RoomId;
  readonly user: UserId;
  readonly argument: string;
}

export interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly level: PermissionLevel;
  run(call: Invocation): Promise<string>;
}
