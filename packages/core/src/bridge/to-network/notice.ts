import { richTextOf } from "@trestle/rich-text";
import { ChannelId, EventId, RoomId } from "../../connector/ids.js";
import type { Entry, Verdict } from "../../delivery/entry.js";
import type { BridgeRuntime } from "../runtime.js";
import { attemptOf } from "./call.js";
import { deliverMessage } from "./message.js";

/** The bot says something in a channel. */
export function deliverNotice(
  runtime: BridgeRuntime,
  entry: Entry,
  { text }: { readonly text: string },
): Promise<Verdict> {
  const base = {
    ...attemptOf(entry),
    channel: ChannelId(entry.lane),
    room: RoomId(""),
    event: EventId(entry.source),
    author: { userId: runtime.bot, name: `${runtime.networkName} bridge` },
    at: entry.at,
  };
  return deliverMessage(
    runtime,
    entry,
    { base, link: { channel: base.channel, channelKey: 0 }, room: { key: 0 } },
    { contents: [{ type: "text", style: "notice", body: richTextOf(text) }] },
  );
}
