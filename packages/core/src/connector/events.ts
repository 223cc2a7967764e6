import type { Content } from "./content.js";
import type { ChannelId, ContentUri, RemoteMessageId, RemoteUserId } from "./ids.js";
import type { ChannelSettings, RoleChange } from "./roles.js";

/** A person on the network, as far as the event that names them tells. What is left out is left as it was. */
export interface RemoteUser {
  readonly id: RemoteUserId;
  /** The display name. */
  readonly name?: string;
  readonly avatar?: RemoteAvatar;
  readonly isBot?: boolean;
}

/** The picture of a person, of a channel, or of a space. */
export interface RemoteAvatar {
  /** Changes whenever the picture changes; an unchanged one is never fetched again. */
  readonly id: string;
  /**
   * `https:` URL, fetched with a guard against private addresses; or `remote:` and a reference that the core opens through
   * the connector's `openMedia`; the empty string removes the avatar.
   */
  readonly url: string;
}

/** A small picture of the network. `id` changes whenever the picture does. */
export interface RemotePicture extends RemoteAvatar {
  /** What people type for it, without colons: a reaction with this picture is then given as `:name:`. */
  readonly name?: string;
}

interface Caused {
  /**
   * Identifies this event among all of its channel, the same however often it is received: the second time it is
   * dropped. For a message it is the message's id.
   */
  readonly id: RemoteMessageId;
  readonly channel: ChannelId;
  /** When it happened, in milliseconds since 1970; leave out for "now". */
  readonly at?: number;
}

/** Something that happened on the network and must reach Matrix: journaled, in order, exactly once. */
export type NetworkEvent =
  | MessageReceived
  | EditReceived
  | RedactionReceived
  | ReactionReceived
  | ReactionRemoved
  | MembershipReceived
  | ProfileReceived
  | RolesReceived
  | ExpulsionReceived
  | InvitationReceived
  | InvitationDeclined
  | ChannelChanged;

/** A person of the network said something. */
export interface MessageReceived extends Caused {
  readonly kind: "message";
  readonly sender: RemoteUser;
  readonly content: Content;
  readonly replyTo?: RemoteMessageId;
  /** The first message of the thread. */
  readonly thread?: RemoteMessageId;
  /** A message to one Matrix user alone: the channel becomes a direct room with that user where none exists. */
  readonly directTo?: string;
  /** The same for a conversation of a few people on either side. */
  readonly direct?: DirectConversation;
}

/** Who is in a conversation that is nobody else's: where its channel has no room, one is made of all of them. */
export interface DirectConversation {
  /** The Matrix users, at least one. */
  readonly users: readonly string[];
  /** The people of the network who are no Matrix users. */
  readonly people: readonly RemoteUser[];
  /** What its room is called; the names of the people where absent. */
  readonly name?: string;
}

/** A person of the network corrected a message. */
export interface EditReceived extends Caused {
  readonly kind: "edit";
  readonly sender: RemoteUser;
  readonly target: RemoteMessageId;
  readonly content: Content;
}

/** A message was deleted on the network. */
export interface RedactionReceived extends Caused {
  readonly kind: "redaction";
  readonly target: RemoteMessageId;
  readonly sender?: RemoteUser;
  readonly reason?: string;
}

/** A person of the network reacted to a message. */
export interface ReactionReceived extends Caused {
  readonly kind: "reaction";
  readonly sender: RemoteUser;
  readonly target: RemoteMessageId;
  /** An emoji, or a short text; of an emoji of the network's own its name between colons. */
  readonly key: string;
  /** The picture of an emoji of the network's own, as `network.picture` gave it. */
  readonly picture?: ContentUri;
}

/** A person of the network took a reaction back. */
export interface ReactionRemoved extends Caused {
  readonly kind: "reactionRemoved";
  readonly sender: RemoteUser;
  readonly target: RemoteMessageId;
  readonly key: string;
}

/** A person came into a channel, or left it. */
export interface MembershipReceived extends Caused {
  readonly kind: "membership";
  readonly user: RemoteUser;
  readonly change: "join" | "leave" | "kick" | "ban";
  /**
   * With `join`: they came for the room itself, not for a channel that is linked to it. Their ghost joins although those
   * who say nothing are otherwise not shown (`membership` of the configuration).
   */
  readonly intoRoom?: boolean;
  readonly by?: RemoteUser;
  readonly reason?: string;
}

/** A person's name or picture changed, in every channel at once; `channel` is any channel they are in. */
export interface ProfileReceived extends Caused {
  readonly kind: "profile";
  readonly user: RemoteUser;
}

/**
 * What people may do in a channel, as the network says: it becomes power levels in the rooms of the channel, where the
 * operator lets it (`roles`; in portals by default). It may be told again: where it is so already, nothing happens.
 */
export interface RolesReceived extends Caused {
  readonly kind: "roles";
  readonly changes: readonly RoleChange[];
  /** `changes` are all who have a rank: every other person of the network has none. Says nothing of Matrix users. */
  readonly complete?: boolean;
}

/**
 * A Matrix user was kicked out of the channel, banned from it, or let in again: done to them in its rooms, where the
 * operator lets it (`channelSettings`; in portals by default). A ban that somebody on Matrix made is never lifted by it.
 */
export interface ExpulsionReceived extends Caused {
  readonly kind: "expulsion";
  readonly userId: string;
  readonly change: "kick" | "ban" | "unban";
  readonly by?: RemoteUser;
  readonly reason?: string;
}

/**
 * A person of the network asks somebody into the rooms of a channel: a Matrix user, or another person, who may then come
 * although the room is for the invited alone. It is their ghost who invites: Matrix decides whether they may.
 */
export interface InvitationReceived extends Caused {
  readonly kind: "invitation";
  readonly by: RemoteUser;
  readonly who: { readonly userId: string } | { readonly person: RemoteUser };
  readonly reason?: string;
}

/**
 * A person of the network whom a Matrix user has asked into the rooms of a channel does not come: they would rather not, or
 * the network does not ask them (`refused`). The room is told, and their ghost turns an invitation down that is still open.
 */
export interface InvitationDeclined extends Caused {
  readonly kind: "declined";
  readonly who: RemoteUser;
  readonly how: "declined" | "refused";
  /** The Matrix user who has asked them. */
  readonly userId?: string;
  /** What they, or the network, say about it. */
  readonly reason?: string;
}

/** Something about a channel changed: its name, topic or picture, how it is set, whether anybody can speak in it. */
export interface ChannelChanged extends Caused {
  readonly kind: "channel";
  readonly by?: RemoteUser;
  readonly name?: string;
  readonly topic?: string;
  /**
   * Its picture becomes that of its rooms, where the bridge bot may set it. It may be told again: one that was brought to
   * the homeserver before, by its `id`, is not fetched again. One that cannot be had, or is no image, becomes a dead letter.
   */
  readonly picture?: RemoteAvatar;
  /**
   * Whether it was closed for a time: its room becomes one in which only moderators can speak, until it is `false`. A
   * room that is linked to other channels too stays as it is. It may be told again: where the room is so already,
   * nothing happens.
   */
  readonly archived?: boolean;
  /** How it is set, as far as the network told; carried to its rooms where the operator lets it (`channelSettings`). */
  readonly settings?: ChannelSettings;
  /** It is gone for good: like `archived`, and its links end. */
  readonly deleted?: boolean;
  /** A message was pinned, so that everybody finds it, or no longer is. */
  readonly pin?: PinChange;
  /** What the bot says about it in the room; otherwise it says by itself that a channel was archived or deleted. */
  readonly notice?: string;
}

/** A message is pinned in its channel from now on, or no longer. */
export interface PinChange {
  readonly message: RemoteMessageId;
  readonly pinned: boolean;
}

/**
 * What a network said, as it came: journaled before anybody knows what it means, and made into events by the connector's
 * `interpret`, in the order in which it came. For networks that want an acknowledgement sooner than the connector can
 * look up what an event is about. Kept whether or not the channel is linked.
 */
export interface RawReceived {
  readonly kind: "raw";
  /** The same however often it is received: the second time it is dropped. Up to 1024 characters; unique over all channels. */
  readonly id: string;
  /**
   * What is raw in one channel is interpreted one after the other. It need not be a channel in which people talk, and
   * the events made of it may be about others. Its order is that among other raw events of it, not among events.
   */
  readonly channel: ChannelId;
  /** A JSON value of at most {@link longestWire} characters; do not change it afterwards. */
  readonly wire: unknown;
}

/** How long the JSON of a raw event may be, in UTF-16 code units. */
export const longestWire = 1024 * 1024;

/** What is true for a moment: never journaled, dropped when late. */
export type MomentaryEvent = TypingReceived | ReadReceived | PresenceReceived;

/** A person of the network types in a channel. */
export interface TypingReceived {
  readonly kind: "typing";
  readonly channel: ChannelId;
  readonly user: RemoteUser;
  /** 0 when the person stopped. */
  readonly forMs: number;
}

/** How a person of the network is there: shown of their ghost where they have one and the homeserver permits it; never journaled. */
export interface PresenceReceived {
  readonly kind: "presence";
  readonly user: RemoteUser;
  readonly presence: "online" | "unavailable" | "offline";
  /** What they say about it. */
  readonly status?: string;
}

/** A person of the network has read a channel up to a message: never journaled, for a later one says the same. */
export interface ReadReceived {
  readonly kind: "read";
  readonly channel: ChannelId;
  readonly user: RemoteUser;
  readonly upTo: RemoteMessageId;
}
