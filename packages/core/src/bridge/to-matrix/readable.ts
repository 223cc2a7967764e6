import { dead, type Verdict } from "../../delivery/entry.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import type { BridgeRuntime } from "../runtime.js";
import { isEncrypted, verdictOf } from "./send.js";

/** Fails closed: nothing readable is sent where the room is encrypted, or where that is not known. */
export function ifReadable(runtime: BridgeRuntime, room: Room, send: () => Promise<Verdict>): Promise<Verdict> {
  const encrypted = runtime.rooms.cached(room.id)?.encrypted ?? room.encrypted;
  return encrypted === false ? send() : unlessEncrypted(runtime, room, encrypted, send);
}

async function unlessEncrypted(
  runtime: BridgeRuntime,
  room: Room,
  known: boolean | undefined,
  send: () => Promise<Verdict>,
): Promise<Verdict> {
  let encrypted = known;
  if (encrypted === undefined) {
    const state = await runtime.client.getState({ room: room.id, type: "m.room.encryption" });
    if (!state.ok) {
      const { action } = classify(state.failure);
      if (action === "retry") return verdictOf(state.failure);
      return dead("Whether the room is encrypted cannot be known: the bridge bot is not in it. Invite the bot.");
    }
    encrypted = state.body !== null;
    await runtime.rooms.setEncrypted(room.id, encrypted);
  }
  return encrypted ? isEncrypted() : send();
}
