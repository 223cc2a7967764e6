import type { MatrixEvent } from "../../appservice/event.js";
import type { RoomId, UserId } from "../../connector/ids.js";

/** What the journal keeps of something on its way from Matrix. */
export type ToNetworkPayload =
  /** An event for a linked channel, which is its lane. */
  | { readonly via: "channel"; readonly event: MatrixEvent }
  /** An event for the bridge itself: an invite, a command, a room upgrade. */
  | { readonly via: "room"; readonly event: MatrixEvent }
  /** What somebody typed into a login, maybe a password: unreadable on the disk, and for the next process. */
  | { readonly via: "sealed"; readonly event: string }
  /** An event of a room that is looked through for lost ones first. */
  | { readonly via: "held"; readonly event: MatrixEvent }
  /** Something the bridge has to say in the channel that is its lane. */
  | { readonly via: "notice"; readonly text: string }
  /** Somebody in the room of a channel was banned by a policy list, or is no longer. */
  | { readonly via: "absence"; readonly room: RoomId; readonly user: UserId; readonly change: "join" | "leave" }
  /** The same, for what the network holds for them alone. */
  | { readonly via: "settled"; readonly user: UserId };
