import { LRUCache } from "lru-cache";
import type { RoomId, UserId } from "../connector/ids.js";
import { atMost } from "../mapping/cache-bound.js";
import type { MatrixResult } from "../matrix/result.js";
import { effectIdOf } from "./effect-id.js";
import type { BridgeRuntime } from "./runtime.js";

/** Tells a Matrix user something alone, in a direct room of the bot that is never encrypted. */
export class PrivateNotices {
  /** What was said lately, so that nobody is told the same again and again. */
  readonly #said = new LRUCache<string, true>({ ...atMost(10_000), ttl: 24 * 3_600_000 });

  constructor(readonly runtime: BridgeRuntime) {}

  /** Says `text` once a day at most for a `topic`. Best effort: a failure is logged. */
  async tell(user: UserId, topic: string, text: string): Promise<void> {
    const key = `${user}|${topic}`;
    if (this.#said.has(key)) return;
    this.#said.set(key, true);
    const room = await this.#room(user);
    const content = { msgtype: "m.notice", body: text, "m.mentions": {} };
    const sent = room.ok
      ? await this.runtime.client.sendEvent({
          room: room.body,
          type: "m.room.message",
          content,
          txnId: effectIdOf(this.runtime.name, "private", user, topic, this.runtime.clock.now()),
        })
      : room;
    if (!sent.ok) {
      this.#said.delete(key);
      this.runtime.log.warn({ user, topic, failure: sent.failure }, "A user could not be told something in private");
    }
  }

  async #room(user: UserId): Promise<MatrixResult<RoomId>> {
    const { runtime } = this;
    const known = await runtime.rooms.managementRoomOf(runtime.key, user);
    if (known) return { ok: true, body: known.id };
    const created = await runtime.client.createRoom({
      preset: "trusted_private_chat",
      invite: [user],
      isDirect: true,
      name: `${runtime.networkName} bridge`,
    });
    if (!created.ok) return created;
    const { roomId } = created.body;
    await runtime.rooms.setEncrypted(roomId, false);
    await runtime.rooms.setManagement(roomId, runtime.key, user);
    return { ok: true, body: roomId };
  }
}
