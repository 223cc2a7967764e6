import type { DataForm } from "../../protocol/forms.js";
import type { XmlElement } from "../xml.js";
import type { StanzaError } from "./error.js";
import type { MessageIds } from "./ids.js";
import type { MucUser } from "./muc-user.js";
import type { Said } from "./said.js";
import type { Delay } from "./time.js";

export const messageTypes = ["chat", "error", "groupchat", "headline", "normal"] as const;
export type MessageType = (typeof messageTypes)[number];

/** What somebody does at the moment (XEP-0085). */
export const chatStates = ["active", "composing", "paused", "inactive", "gone"] as const;
export type ChatState = (typeof chatStates)[number];

/** A message, and what it means. */
export interface MessageStanza {
  readonly stanza: "message";
  readonly type: MessageType;
  readonly from?: string;
  readonly to?: string;
  readonly ids: MessageIds;
  /** The same occupant under every nick. */
  readonly occupantId?: string;
  readonly delay?: Delay;
  /** The name that the sender goes by (XEP-0172). */
  readonly nick?: string;
  readonly what: MessageWhat;
  /** What the sender does, told along with whatever else the message says. */
  readonly chatState?: ChatState;
  /** The sender wants to know that it arrived (XEP-0184). */
  readonly wantsReceipt: boolean;
  /** The sender wants to know that it was read (XEP-0333). */
  readonly markable: boolean;
  /** It came through a room, as a message to one occupant: `from` is an occupant's JID (XEP-0045 §7.5). */
  readonly isRoomPrivate: boolean;
}

/** What a message means. `target` is the id of another message: which of its ids depends on the kind. */
export type MessageWhat =
  | ({ readonly kind: "text" } & Said)
  /** The text in place of another one (XEP-0308): of the message with this id, in its first form. */
  | ({ readonly kind: "correction"; readonly target: string } & Said)
  | { readonly kind: "subject"; readonly subject: string }
  /** By its author (XEP-0424): in a room by the room's id, else by the sender's. Who sent the target must be compared. */
  | { readonly kind: "retraction"; readonly target: string; readonly reason?: string }
  /** By a moderator (XEP-0425), as the room tells it. */
  | Moderation
  /** What stands in an archive in place of a message that was retracted. */
  | { readonly kind: "tombstone"; readonly at?: number; readonly moderated: boolean; readonly reason?: string }
  /** Every reaction of this sender to the message, those from before included (XEP-0444). */
  | { readonly kind: "reactions"; readonly target: string; readonly keys: readonly string[] }
  /** It arrived (XEP-0184). */
  | { readonly kind: "receipt"; readonly target: string }
  /** It was read, and all before it (XEP-0333). */
  | { readonly kind: "marker"; readonly marker: "received" | "displayed" | "acknowledged"; readonly target: string }
  | { readonly kind: "chatState"; readonly state: ChatState }
  | RoomInvite
  /** Somebody would rather not come (XEP-0045 §7.8.2), as the room tells it. */
  | { readonly kind: "inviteDeclined"; readonly room: string; readonly by?: string; readonly reason?: string }
  /** Somebody asks a room of ours to invite people, or to say that they will not come. */
  | { readonly kind: "inviteRequest"; readonly to: readonly string[]; readonly reason?: string }
  | { readonly kind: "declineRequest"; readonly to?: string; readonly reason?: string }
  /** A room says something about itself, such as 104 ("its configuration changed"), or about people who are not in it. */
  | { readonly kind: "roomStatus"; readonly room: MucUser }
  /** Somebody wants to speak (XEP-0045 §7.13, §8.6), or is allowed to. */
  | { readonly kind: "voiceRequest"; readonly form: DataForm }
  | { readonly kind: "form"; readonly form: DataForm }
  /** Something that somebody publishes (XEP-0060, XEP-0163): an avatar, a name. */
  | Published
  /** What the own account sent or received elsewhere (XEP-0280). */
  | { readonly kind: "carbon"; readonly direction: "sent" | "received"; readonly message: MessageStanza }
  | ArchivedMessage
  /** Only the recipient can read it; what body there is says so. */
  | { readonly kind: "encrypted"; readonly method: string }
  | { readonly kind: "error"; readonly error: StanzaError }
  /** It cannot be what it claims to be: somebody made it up. */
  | { readonly kind: "forged"; readonly reason: string }
  /** Understood, and nothing to do: why not, for people. */
  | { readonly kind: "ignored"; readonly reason: string }
  /** Of a kind that nobody here knows: what stands in it, as `name namespace`. */
  | { readonly kind: "unknown"; readonly elements: readonly string[] };

/** A message was taken away by a moderator. */
export interface Moderation {
  readonly kind: "moderation";
  /** The room's id of the message. */
  readonly target: string;
  /** The moderator's JID in the room. */
  readonly by?: string;
  readonly byOccupantId?: string;
  readonly reason?: string;
}

/** Somebody is asked to come to a room, through the room (XEP-0045 §7.8.2) or directly (XEP-0249). */
export interface RoomInvite {
  readonly kind: "invite";
  readonly how: "mediated" | "direct";
  readonly room: string;
  /** Who asks. */
  readonly by?: string;
  readonly reason?: string;
  readonly password?: string;
  /** The thread of a conversation that goes on there. */
  readonly thread?: string;
}

/** What a node of somebody has that it did not have. */
export interface Published {
  readonly kind: "published";
  readonly node: string;
  readonly items: readonly { readonly id?: string; readonly payload?: XmlElement }[];
  /** Ids of what was taken back. */
  readonly retracted: readonly string[];
}

/** A message out of an archive (XEP-0313). */
export interface ArchivedMessage {
  readonly kind: "archived";
  /** Of which query it is a result: compare it, and whom the query went to, before believing it. */
  readonly queryId?: string;
  /** The id in the archive, which is the message's `stanzaId`. */
  readonly id: string;
  readonly message: MessageStanza;
}
