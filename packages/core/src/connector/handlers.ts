import type { Readable } from "node:stream";
import type { ChannelInfo, SpaceInfo } from "./channel-info.js";
import type { ChannelRequest, ConsentRequest, NetworkCommand } from "./commands.js";
import type { LocationContent, MediaContent, TextContent } from "./content.js";
import type {
  EditEffect,
  Interpretation,
  Interpreted,
  InviteEffect,
  MembershipEffect,
  MessageEffect,
  NameEffect,
  PictureEffect,
  PinEffect,
  PresenceSignal,
  ReactEffect,
  ReceiptSignal,
  RedactEffect,
  RoleEffect,
  SettingsEffect,
  SuspendSignal,
  TopicEffect,
  TypingSignal,
} from "./effects.js";
import type { NetworkEvent, RemoteUser } from "./events.js";
import type { ChannelId, RemoteMessageId, RemoteUserId, RoomId, UserId } from "./ids.js";
import type { LoginSession } from "./login-session.js";
import type { Failure, Outcome, Sent } from "./outcome.js";
import type { AccountNetworks, ChannelLink, Login, LoginAccount } from "./connector.js";

/** What a network takes; what is absent is unlimited. */
export interface Limits {
  /** The longest text of one message in UTF-8 bytes; longer text is split at grapheme boundaries. Not used with `split`. */
  readonly textBytes?: number;
  /** Whether `message` takes `media` content; otherwise it gets a line with a link. */
  readonly media?: boolean;
  /** Whether `message` takes `location` content; otherwise it gets a line. */
  readonly location?: boolean;
  /** Whether `message` uses `replyTo`; otherwise the quoted author is put before the text. */
  readonly replies?: boolean;
  /** Whether `react` uses `about`: it is read from the homeserver for each reaction then. */
  readonly reactedTo?: boolean;
}

/** The limits of a network that takes text alone: what `limits` is where it says nothing of media and locations. */
export interface TextOnly extends Limits {
  readonly media?: false;
  readonly location?: false;
}

/** The content that a network with these limits is given. */
export type ContentFor<Able extends Limits> =
  | TextContent
  | ("media" extends keyof Able ? (Able extends { readonly media?: false } ? never : MediaContent) : never)
  | ("location" extends keyof Able ? (Able extends { readonly location?: false } ? never : LocationContent) : never);

/**
 * What a network can do. All handlers for one channel are called one after the other, in the order of their causes,
 * never two at a time; those for different channels run side by side. One that throws is answered like `uncertain`.
 */
export interface NetworkHandlers<Able extends Limits = Limits> {
  readonly limits?: Able;
  /**
   * The network drops a second attempt of the same effect by itself. The core then never asks `findSent`, and a lane
   * does not wait for the disk between two messages.
   */
  readonly idempotent?: boolean;

  /**
   * Cuts a message into what the wire takes: one JSON value a part, kept in the journal before the first is sent, so
   * that a crash in the middle goes on where it stopped. Called once a message; `message` is then called once a part.
   * An empty list means there is nothing to send.
   */
  readonly split?: (
    message: Omit<MessageEffect<ContentFor<Able>>, "part" | "parts" | "wire" | "signal">,
  ) => Promise<readonly unknown[]> | readonly unknown[];
  /** Sends a message (or one part of it). */
  readonly message: (message: MessageEffect<ContentFor<Able>>) => Promise<Outcome>;
  /** Fallback: a line with the corrected text. */
  readonly edit?: (edit: EditEffect) => Promise<Outcome>;
  /** Fallback: nothing. */
  readonly redact?: (redaction: RedactEffect) => Promise<Outcome>;
  /** Fallback: nothing. */
  readonly react?: (reaction: ReactEffect) => Promise<Outcome>;
  /** Fallback: nothing. */
  readonly unreact?: (reaction: ReactEffect) => Promise<Outcome>;
  /** A message of the channel was pinned; that it is so already is a success. Fallback: nothing. */
  readonly pin?: (pin: PinEffect) => Promise<Outcome>;
  /** Fallback: nothing. */
  readonly unpin?: (pin: PinEffect) => Promise<Outcome>;
  /** A Matrix user joined, left, was renamed; or a person of the network was kicked or banned from Matrix. Fallback: nothing. */
  readonly membership?: (membership: MembershipEffect) => Promise<Outcome>;
  /** A Matrix user invited a person of the network into the room: ask them to come. Fallback: nothing. */
  readonly invite?: (invitation: InviteEffect) => Promise<Outcome>;
  /**
   * A Matrix user's power level, or that of a person of the network, was changed to that of another rank, where the operator
   * has ranks carried to the network (`roles`). Only who may change it on the network is to be obeyed: answer `refused`
   * where the bridge may not. Fallback: nothing.
   */
  readonly role?: (role: RoleEffect) => Promise<Outcome>;
  /** The room was set otherwise, where the operator has that carried to the network (`channelSettings`). Fallback: nothing. */
  readonly settings?: (settings: SettingsEffect) => Promise<Outcome>;
  /** Fallback: nothing. */
  readonly topic?: (topic: TopicEffect) => Promise<Outcome>;
  /** Fallback: nothing. */
  readonly name?: (name: NameEffect) => Promise<Outcome>;
  /** The room has another picture, or none any more. Fallback: nothing. */
  readonly picture?: (picture: PictureEffect) => Promise<Outcome>;
  /** Somebody on Matrix types, or types no more. Never awaited in order. */
  readonly typing?: (typing: TypingSignal) => Promise<void>;
  /** Somebody on Matrix has read up to a message. Never awaited in order. */
  readonly receipt?: (receipt: ReceiptSignal) => Promise<void>;
  /** Somebody on Matrix is there, or is not, where the homeserver tells. Never awaited in order. */
  readonly presence?: (presence: PresenceSignal) => Promise<void>;

  /**
   * Did the network already take this effect? Asked before an effect is repeated that may have been sent. Returns what
   * was sent, or `null` when surely not; throw when it cannot be known now: asked again later.
   * Only the latest effect of a channel is ever in doubt, so that remembering the last one of each channel is enough.
   */
  readonly findSent?: (effect: MessageEffect<ContentFor<Able>>) => Promise<Sent | null>;

  /**
   * Makes events of what was received raw: none, one or several, with ids of their own as `receive` wants them. Called
   * in the order in which it came, one at a time for each channel, and again after a crash: events that were taken
   * before are dropped by their ids. A `retry` is tried until it succeeds (after `afterMs`, at most the longest wait
   * before another try), what throws or answers `uncertain` a limited
   * number of times, and what comes behind it in the channel waits; `permanent` makes it a dead letter at once.
   */
  readonly interpret?: (raw: Interpretation) => Promise<readonly NetworkEvent[] | Interpreted | Failure>;

  /**
   * How long what somebody said in a channel is to wait before it goes to a room, in milliseconds; 0: not at all. It stays
   * on disk, in its order, and is asked about again after that time or when a connection is reported as connected: bound the
   * wait as a whole. Called for every message at every attempt, so it must be quick. Fallback: nothing waits.
   */
  readonly holdBack?: (channel: ChannelId, room: RoomId) => number;

  /** A channel was linked, or a link was found at start: be present in it. Must be quick; called again at every start. */
  readonly linked?: (link: ChannelLink) => Promise<void>;
  /** The last link of a channel is gone. */
  readonly unlinked?: (link: ChannelLink) => Promise<void>;
  /**
   * Finds a channel by what a person types (`#trestle`, `libera/#trestle`, a URL). `null`: there is no such channel.
   * Throw an `Error` whose message tells the person what to type instead. Fallback: the text is the channel's id.
   * `room` is the room that is to be linked to it, where there is one: a network may make its channel out of the room.
   */
  readonly resolveChannel?: (text: string, room?: RoomId) => Promise<ChannelInfo | null>;
  /**
   * Whether a room may be linked to a channel because a Matrix user, who is no admin of the bridge, wants it: `given`, or
   * `asked`: somebody who may say so is asked, and `network.consented` follows within the hour. Throw an `Error` that tells
   * the person what is missing. Fallback: given.
   */
  readonly consent?: (request: ConsentRequest) => Promise<"given" | "asked">;
  /**
   * Makes a channel that somebody on Matrix asked for, where the operator allows it (`createChannels`); it is then linked
   * to their room. Asked again after a crash it returns what it made. Throw an `Error` whose message tells the person
   * what is missing. Fallback: there is no such command.
   */
  readonly createChannel?: (request: ChannelRequest) => Promise<ChannelInfo>;
  /** Commands of the network's own, by the word that is typed; those of the core have precedence. Fallback: none. */
  readonly commands?: Readonly<Record<string, NetworkCommand>>;
  /** Finds a person by what one types, or by the id of a ghost. Fallback: unknown. */
  readonly resolveUser?: (text: string) => Promise<RemoteUser | null>;
  /**
   * The channel through which `user` and the remote person talk alone. Without it there are no direct rooms from Matrix.
   * Throw an `Error` whose message tells the person what is missing: the ghost leaves the room with it.
   */
  readonly directChannel?: (user: UserId, remote: RemoteUserId) => Promise<ChannelId>;
  /**
   * The space that a channel is part of, such as its Slack workspace; `null`: none. Where the operator wants it
   * (`spaces`), the bridge keeps a Matrix space for each, with the rooms of its channels in it. Asked at start, when links
   * change, and after `spacesChanged`. Throw where it cannot be told now: it is asked again. Fallback: no spaces.
   */
  readonly spaceOf?: (channel: ChannelId) => Promise<SpaceInfo | null>;
  /** Opens a file that a `remote` media source names. */
  readonly openMedia?: (
    reference: string,
  ) => Promise<{ readonly stream: Readable; readonly mimeType?: string; readonly size?: number }>;
  /**
   * What happened in a channel after `cursor` (the id of the last event received from it, `null` when there is none)?
   * Called at start and after `report({ state: "connected" })`; call `network.receive` for each, in order.
   */
  readonly catchUp?: (channel: ChannelId, cursor: RemoteMessageId | null) => Promise<void>;
  /** Where people have an account for each of several networks. Fallback: everybody has one account at most. */
  readonly accountNetworks?: AccountNetworks;
  /** Signs a Matrix user in to an account of their own. Fallback: the bridge has no logins. */
  readonly login?: (session: LoginSession) => Promise<LoginAccount>;
  /** Somebody signed in, and their login is on disk; or it was found at start, before anything is delivered. Must be quick. */
  readonly signedIn?: (login: Login) => Promise<void>;
  /** The login is to be forgotten: sign it out. */
  readonly logout?: (login: Login) => Promise<void>;
  /**
   * A policy list bans a Matrix user. The core passes nothing of theirs on, and `membership` has told that they left: let go
   * of what is connected for them alone, such as a puppet in private conversations, and of the accounts they signed in to.
   * Logins are kept: `signedIn` is called for them when the ban is lifted. May be called again. Fallback: nothing.
   */
  readonly suspendUser?: (suspension: SuspendSignal) => Promise<Outcome>;
  /** Called at the end, after the last effect: disconnect. Bounded by the core's stop timeout. */
  readonly close?: () => Promise<void>;
}
