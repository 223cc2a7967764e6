import { UserId, type RoomId } from "../connector/ids.js";
import type { PrivateNotices } from "./private-notices.js";
import type { BridgeRuntime } from "./runtime.js";

/** Says why nothing is bridged from an encrypted room: to the person alone, because nothing readable goes into the room itself. */
export class EncryptedRooms {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly notices: PrivateNotices,
  ) {}

  async explain(room: RoomId, sender: string): Promise<void> {
    const { runtime } = this;
    await runtime.rooms.setEncrypted(room, true);
    runtime.log.warn({ room }, "A room is encrypted: nothing is bridged to or from it");
    await this.notices.tell(
      UserId(sender),
      `encrypted ${room}`,
      `The room ${room} is encrypted, and this bridge cannot read encrypted rooms. What you wrote there was not delivered to ${runtime.networkName}. Encryption cannot be switched off again: make a new room without it, invite ${runtime.bot}, and link that one.`,
    );
  }
}
