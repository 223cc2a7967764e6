import type { Content } from "./content.js";
import type { NetworkEvent, RawReceived } from "./events.js";
import type {
  ChannelId,
  ContentUri,
  EffectId,
  EventId,
  LoginId,
  RemoteMessageId,
  RemoteUserId,
  RoomId,
  UserId,
} from "./ids.js";
import type { ChannelSettings, RankedTarget, Role } from "./roles.js";

/** The Matrix user for whom something happens on the network. */
export interface Author {
  readonly userId: UserId;
  /** The display name in the room; the localpart where there is none. */
  readonly name: string;
  readonly avatar?: ContentUri;
  /**
   * Their own account on the network, where they have one: speak through it. Otherwise speak through the relay. A
   * connector with `accountNetworks` looks itself which of their accounts is for the channel: this is absent there.
   */
  readonly login?: LoginId;
}

/** One thing that must happen on the network, in order and exactly once. */
export interface EffectBase {
  /** The same at every attempt, also after a crash. */
  readonly effect: EffectId;
  /** 1 at first. */
  readonly attempt: number;
  /** An earlier attempt may have reached the network. */
  readonly maybeSent: boolean;
  readonly channel: ChannelId;
  readonly room: RoomId;
  readonly event: EventId;
  readonly author: Author;
  /** When it happened on Matrix, in milliseconds since 1970. */
  readonly at: number;
  /** Aborted when the core stops waiting: give up, and send nothing after it. */
  readonly signal: AbortSignal;
}

/** The message that another one answers, as far as it is known. */
export interface ReplyTarget {
  readonly event: EventId;
  /** Where the network knows the message. */
  readonly id?: RemoteMessageId;
  readonly authorName?: string;
  readonly remoteAuthor?: RemoteUserId;
  /** Its author, where that is a Matrix user. */
  readonly matrixAuthor?: UserId;
  /** When it was said, in milliseconds since 1970. */
  readonly at?: number;
  /** The first line of the message replied to, at most 200 characters. */
  readonly excerpt?: string;
}

/** Somebody on Matrix said something; or one part of it, where it was cut. */
export interface MessageEffect<What extends Content = Content> extends EffectBase {
  readonly content: What;
  readonly replyTo?: ReplyTarget;
  readonly thread?: ReplyTarget;
  /** Where the message stands for an edit: `content` is the line with the corrected text. Only with `split`. */
  readonly correction?: Correction;
  /** Which part of the event this is, from 0. */
  readonly part: number;
  /** How many parts the event has. */
  readonly parts: number;
  /** What `split` made for this part; `undefined` without `split`. */
  readonly wire?: unknown;
}

/** What a message corrects, where the network has no edits. */
export interface Correction {
  /** What it says now. */
  readonly content: Content;
  /** What it said before, as far as that is known. */
  readonly before?: Content;
  /** When it was first said, in milliseconds since 1970, as far as that is known. */
  readonly at?: number;
}

/** Somebody on Matrix corrected a message. */
export interface EditEffect extends EffectBase {
  /** Every part of the message as the network knows it, in order. */
  readonly target: readonly RemoteMessageId[];
  readonly content: Content;
}

/** A message was deleted on Matrix. */
export interface RedactEffect extends EffectBase {
  readonly target: readonly RemoteMessageId[];
  readonly reason?: string;
}

/** Somebody on Matrix reacted to a message, or (`unreact`) took it back. */
export interface ReactEffect extends EffectBase {
  readonly target: RemoteMessageId;
  /** An emoji or a short text; of a custom emoji its name between colons, where that is known, else its content URI. */
  readonly key: string;
  /** The message reacted to, as far as it is known; only with the limit `reactedTo`, and not with `unreact`. */
  readonly about?: ReplyTarget;
}

/** A message was pinned on Matrix, or (`unpin`) no longer is. */
export interface PinEffect extends EffectBase {
  readonly target: RemoteMessageId;
}

/** Who is in the room changed on Matrix. */
export interface MembershipEffect extends EffectBase {
  /** `unban`: a person of the network may come back; they do not by themselves. */
  readonly change: "join" | "leave" | "kick" | "ban" | "unban" | "rename";
  /** Whom it is about: a Matrix user, or a person of the network who was kicked, banned or unbanned by a Matrix user. */
  readonly who: { readonly userId: UserId; readonly name: string } | { readonly remote: RemoteUserId };
  readonly reason?: string;
}

/** A Matrix user is banned by a policy list. */
export interface SuspendSignal {
  readonly user: UserId;
  /** Aborted when the core stops waiting; it is then asked again. */
  readonly signal: AbortSignal;
}

/** Somebody on Matrix invited a person of the network into the room. */
export interface InviteEffect extends EffectBase {
  readonly who: RemoteUserId;
  readonly reason?: string;
}

/** Somebody on Matrix gave somebody another rank. */
export interface RoleEffect extends EffectBase {
  readonly who: RankedTarget;
  readonly role: Role;
  /** The rank they had in Matrix. */
  readonly before: Role;
}

/**
 * Somebody on Matrix set the room otherwise: `settings` holds what changed. `keyed: true` comes with `inviteOnly: true`: the
 * room lets the members of other rooms in, and a network without passwords can only close the channel.
 */
export interface SettingsEffect extends EffectBase {
  readonly settings: ChannelSettings;
}

/** Somebody on Matrix set the topic. */
export interface TopicEffect extends EffectBase {
  readonly topic: string;
}

/** Somebody on Matrix renamed the room. */
export interface NameEffect extends EffectBase {
  readonly name: string;
}

/** Somebody on Matrix gave the room another picture, or took it away. */
export interface PictureEffect extends EffectBase {
  /** To be read with `network.openMedia`; absent: the room has none now. */
  readonly picture?: ContentUri;
}

/** What was received raw, to be made into events. */
export interface Interpretation extends Omit<RawReceived, "kind"> {
  /** 1 at first. */
  readonly attempt: number;
  /** When it was received, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** Aborted when the core stops waiting: give up. */
  readonly signal: AbortSignal;
}

/** What was made of something raw, where that is more than events. */
export interface Interpreted {
  readonly events: readonly NetworkEvent[];
  /**
   * Called once, at the moment at which the events go to the disk: what it returns is put into the connector's storage
   * in the same commit (`null` deletes), so that a crash never finds it remembered but not told, nor told but not
   * remembered.
   */
  readonly remember?: () => Readonly<Record<string, string | null>>;
  /** Called when all of it is on disk; never where the disk refused, and all of it is made again. */
  readonly kept?: () => void;
  /** There is more of it: asked for again, as one more attempt, at once when these are on disk. */
  readonly more?: boolean;
}

/** Who is typing in a channel's rooms. */
export interface TypingSignal {
  readonly channel: ChannelId;
  /** Everyone who is typing now, the bridge's own ghosts left out. */
  readonly authors: readonly Author[];
}

/** Somebody on Matrix has read a channel up to a message. */
export interface ReceiptSignal {
  readonly channel: ChannelId;
  readonly author: Author;
  readonly upTo: RemoteMessageId;
}

/** How a Matrix user is there, where the homeserver tells; of whoever shares a room with the bridge. */
export interface PresenceSignal {
  readonly user: UserId;
  readonly presence: "online" | "unavailable" | "offline";
  /** What they say about it. */
  readonly status?: string;
}
