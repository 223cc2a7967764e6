import type { ChannelInfo } from "./channel-info.js";
import type { LoginId, RoomAlias, RoomId } from "./ids.js";
import type { RoomView } from "./room-view.js";

/** Somebody on the network asks that a channel be linked to a room. */
export interface LinkRequest {
  /** The asker may link it, as the network sees it: the connector has looked. */
  readonly channel: ChannelInfo;
  /** The room's id or alias. */
  readonly room: string;
  /** Who asks, for the people of the room. */
  readonly by: string;
  /** The asker's login, where they are signed in: they are then asked nothing more where they may link the room themselves. */
  readonly login?: LoginId;
}

/** Somebody on the network came for a room that is not linked yet. */
export interface OpenRequest {
  readonly room: RoomAlias | RoomId;
  /** What the room becomes on the network; it is called when the room is known. */
  readonly channel: (room: RoomView) => ChannelInfo;
  /** Who came, for the log. */
  readonly by: string;
}
