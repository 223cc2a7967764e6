import type { ChannelId, RoomId } from "../connector/ids.js";
import type { BridgeRuntime } from "./runtime.js";

/** Both the proposed name (MSC2346) and the one that other bridges and clients use. */
const types = ["m.bridge", "uk.half-shot.bridge"];

/** Tells clients what a room is bridged to, or (`linked: false`) that it no longer is. A room in which the bot may not is left as it is. */
export async function publishBridgeInfo(
  runtime: BridgeRuntime,
  room: RoomId,
  channel: { readonly id: ChannelId; readonly name: string },
  linked: boolean,
): Promise<void> {
  const stateKey = `dev.trestle.${runtime.network}://${runtime.name}/${encodeURIComponent(channel.id)}`;
  const content = linked
    ? {
        bridgebot: runtime.bot,
        protocol: { id: runtime.network, displayname: runtime.networkName },
        channel: { id: channel.id, displayname: channel.name },
      }
    : {};
  for (const type of types) {
    const sent = await runtime.client.sendState({ room, type, stateKey, content });
    if (!sent.ok) {
      runtime.log.info({ room, failure: sent.failure }, "The bot may not say in the room what it is bridged to");
      return;
    }
  }
}
