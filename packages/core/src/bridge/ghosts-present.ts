import type { GhostsPresent } from "../connector/ghosts-present.js";
import { RemoteUserId, type ChannelId } from "../connector/ids.js";
import type { BridgeRuntime } from "./runtime.js";

/** Whose ghosts are, or are to be, in the rooms that a channel is linked to. */
export async function ghostsIn({ store, links, key }: BridgeRuntime, channel: ChannelId): Promise<GhostsPresent> {
  const rooms = (await links.ofChannel(channel)).length;
  const rows = await store.all<{ readonly remote: string; readonly rooms: number }>(
    "SELECT g.remote AS remote, count(*) AS rooms FROM membership m JOIN ghost g ON g.id = m.ghost JOIN link l ON l.room = m.room JOIN channel c ON c.id = l.channel WHERE c.bridge = ? AND c.channel = ? AND g.bridge = ? AND m.desired = 1 GROUP BY g.remote",
    key,
    channel,
    key,
  );
  const inAny = new Set(rows.map(({ remote }) => RemoteUserId(remote)));
  const inAll = new Set(rows.filter((row) => row.rooms === rooms).map(({ remote }) => RemoteUserId(remote)));
  return { inAll, inAny };
}
