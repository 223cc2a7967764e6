import type { ChannelInfo } from "../../connector/channel-info.js";
import type { NetworkEvent, RawReceived } from "../../connector/events.js";

/** What the journal keeps of something on its way to a room. */
export type ToMatrixPayload =
  | { readonly via: "network"; readonly event: NetworkEvent; readonly channelKey: number }
  /** Nobody knows yet what it means. */
  | { readonly via: "raw"; readonly raw: RawReceived }
  /** Something the bot has to say. */
  | { readonly via: "notice"; readonly text: string; readonly replyTo?: string }
  /** A direct message in a channel that has no room yet, or what follows one. */
  | { readonly via: "direct"; readonly event: NetworkEvent }
  /** Somebody asked for the room of a channel. */
  | { readonly via: "portal"; readonly alias: string; readonly channel: ChannelInfo };
