import type { EventId, RoomId, UserId } from "../connector/ids.js";
import type { EventContent } from "./answers.js";

/** What every request can carry. */
export interface ReadRequest {
  /** The ghost that acts; the bridge bot where absent. */
  readonly asUser?: UserId | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's own. */
  readonly timeoutMs?: number | undefined;
}

export interface SendEventRequest extends ReadRequest {
  readonly room: RoomId;
  readonly type: string;
  readonly content: EventContent;
  /** Unique for ever over all rooms and ghosts: homeservers differ in what else they take into account. */
  readonly txnId: string;
  /** The time the event gets, in milliseconds since 1970; now where absent. */
  readonly ts?: number | undefined;
  /** A device of the ghost; homeservers then remember the `txnId` longer. */
  readonly deviceId?: string | undefined;
  /** Where the connection turns out dead it is not sent once more by itself: whoever asks for this looks first. */
  readonly once?: boolean | undefined;
}

export interface RedactRequest extends ReadRequest {
  readonly room: RoomId;
  readonly eventId: EventId;
  readonly txnId: string;
  readonly reason?: string | undefined;
  /** The same as of an event that is sent. */
  readonly once?: boolean | undefined;
}

export interface StateRequest extends ReadRequest {
  readonly room: RoomId;
  readonly type: string;
  /** The empty string where absent. */
  readonly stateKey?: string;
}

export interface SendStateRequest extends StateRequest {
  readonly content: EventContent;
  /** The time the event gets, in milliseconds since 1970; now where absent. */
  readonly ts?: number | undefined;
}

export interface MessagesRequest extends ReadRequest {
  readonly room: RoomId;
  /** `b` from the newest to the oldest, `f` the other way. */
  readonly dir: "b" | "f";
  readonly from?: string;
  readonly to?: string;
  /** The homeserver's default is 10. */
  readonly limit?: number;
  /** A `RoomEventFilter`. */
  readonly filter?: EventContent;
}

export interface JoinRequest extends ReadRequest {
  /** Servers that are in the room; needed where the homeserver is not, since room version 12 for room ids as well. */
  readonly via?: readonly string[] | undefined;
  readonly reason?: string | undefined;
}

/** An invite, kick, ban, unban or leave. */
export interface BanRequest extends ReadRequest {
  readonly reason?: string | undefined;
}

export type Membership = "join" | "invite" | "knock" | "leave" | "ban";

export interface CreateRoomRequest {
  readonly name?: string;
  readonly topic?: string;
  /** The alias without `#` and server name; within the registration's alias namespace. */
  readonly aliasLocalpart?: string;
  /** Whether the room is in the homeserver's public list. */
  readonly visibility?: "public" | "private";
  readonly preset?: "private_chat" | "trusted_private_chat" | "public_chat";
  readonly invite?: readonly UserId[];
  readonly isDirect?: boolean;
  readonly roomVersion?: string;
  /** Additions to `m.room.create`, e.g. `m.federate` or, since room version 12, `additional_creators`. */
  readonly creationContent?: EventContent;
  /** Additions to `m.room.power_levels`; since room version 12 creators must not be in it. */
  readonly powerLevels?: EventContent;
  readonly initialState?: readonly {
    readonly type: string;
    readonly stateKey?: string;
    readonly content: EventContent;
  }[];
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface TypingRequest {
  readonly room: RoomId;
  readonly user: UserId;
  readonly typing: boolean;
  /** 30 s where absent. */
  readonly forMs?: number;
}

export interface PresenceRequest {
  readonly user: UserId;
  readonly presence: "online" | "unavailable" | "offline";
  readonly status?: string;
}

export interface SendReceiptRequest {
  readonly room: RoomId;
  readonly eventId: EventId;
  readonly asUser: UserId;
  /** `m.read` where absent. */
  readonly kind?: "m.read" | "m.read.private";
  /** The thread's root event, or `main`. */
  readonly threadId?: string;
}
