import type { ChannelLink } from "../connector/connector.js";
import type { OpenRequest } from "../connector/link-request.js";
import { classify } from "../matrix/failure.js";
import { ServiceError } from "../services/services.js";
import type { Linker } from "./linker.js";
import { lookAtRoom } from "./room-view.js";
import type { BridgeRuntime } from "./runtime.js";

/**
 * Links a room that anybody may join and read to a channel, for somebody who came for it on the network.
 * @throws Error where the homeserver does not answer
 */
export async function openRoom(
  runtime: BridgeRuntime,
  linker: Linker,
  { room: wanted, channel, by }: OpenRequest,
): Promise<ChannelLink | undefined> {
  const room = await linker.roomOf(wanted).catch((error: unknown) => {
    if (error instanceof ServiceError && error.code === "notFound") return undefined;
    throw error;
  });
  if (room === undefined) return undefined;
  const { permissions } = linker;
  if (permissions.bansRoom(wanted) || permissions.bansRoom(room)) return undefined;
  const via = /:(.+)$/.exec(wanted)?.[1];
  const joined = await runtime.client.joinRoom(room, via === undefined ? {} : { via: [via] });
  if (!joined.ok) {
    if (classify(joined.failure).action === "retry")
      throw new Error(`The room ${wanted} cannot be joined now: ${joined.failure.message}`);
    return undefined;
  }
  const view = await lookAtRoom(runtime, permissions, room);
  const isForAll = view.joinRule === "public" && ["shared", "world_readable"].includes(view.historyVisibility);
  const links = await runtime.links.ofRoom(room);
  if (!isForAll || view.isEncrypted) {
    // The bot was let in only because it asked: where nothing else keeps it, it goes again.
    if (links.length === 0) await runtime.client.leave(room);
    return undefined;
  }
  await runtime.rooms.setEncrypted(room, false);
  const info = channel(view);
  const linked = links.find((link) => link.channel === info.id);
  const { kind } = linked ?? (await linker.connect(room, info, "plumbed", by));
  return { channel: info.id, room, kind };
}
