import type { NetworkEvent } from "../../connector/events.js";

/** What the journal keeps of something on its way to a room. */
export type ToMatrixPayload =
  | { readonly via: "network"; readonly event: NetworkEvent; readonly channelKey: number }
  /** Something the bot has to say. */
  | { readonly via: "notice"; readonly text: string; readonly replyTo?: string }
  /** A direct message in a channel that has no room yet. */
  | { readonly via: "direct"; readonly event: NetworkEvent };
