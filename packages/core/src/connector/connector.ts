import type { Readable } from "node:stream";
import type { z } from "zod";
import type { Logger } from "../log/logger.js";
import type { BridgeStatus } from "./bridge-status.js";
import type { ChannelInfo, SpaceInfo } from "./channel-info.js";
import type { ChannelRequest, Consent, ConsentRequest, NetworkCommand } from "./commands.js";
import type { LocationContent, MediaContent, TextContent } from "./content.js";
import type { Check, DoctorContext } from "./doctor.js";
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
import type { MomentaryEvent, NetworkEvent, RawReceived, RemotePicture, RemoteUser } from "./events.js";
import type { ChannelId, ContentUri, EventId, LoginId, RemoteMessageId, RemoteUserId, RoomId, UserId } from "./ids.js";
import type { FoundUser } from "./found-user.js";
import type { GhostsPresent } from "./ghosts-present.js";
import type { Importer } from "./importer.js";
import type { LinkRequest, OpenRequest } from "./link-request.js";
import type { LoginSession } from "./login-session.js";
import type { ConnectorMetrics } from "./metrics.js";
import type { Failure, Outcome, Sent } from "./outcome.js";
import type { RoomView } from "./room-view.js";

/**
 * Makes a connector: what a package exports by default to be loadable as a bridge.
 *
 * `network` names the protocol (`irc`); `config` validates the bridge's `network:` section of the configuration;
 * `connect` is called once at start and returns what the network can do. A handler that is absent is a capability that
 * is absent: the core then uses the documented fallback. `limits` stands first in what `connect` returns: the content
 * that the handlers behind it are given is inferred from it.
 */
export function defineConnector<Config extends z.ZodType, const Able extends Limits = TextOnly>(
  connector: Connector<Config, Able>,
): Connector<Config> {
  // What the handlers take is wider to the core than to their author: it adapts every content to the limits first.
  return connector as Connector<Config>;
}

/** A connector; `Able` is inferred from the `limits` that `connect` returns, and says which content the handlers get. */
export interface Connector<Config extends z.ZodType = z.ZodType, Able extends Limits = Limits> {
  /** The protocol's id, of the characters `[a-z0-9-]`. */
  readonly network: string;
  /** The protocol's name for people; `network` where absent. */
  readonly displayName?: string;
  /** Validates the bridge's `network:` section; its `describe` texts become the documentation for operators. */
  readonly config: Config;
  /** Read what other bridges to this network kept, by the name a person gives `trestle import`. */
  readonly importers?: Readonly<Record<string, Importer>>;
  /**
   * Called once, after the store is open and before any effect is delivered. It must not wait until the network is
   * reachable: it starts connecting, reports through `network.report`, and effects answer `retry` until it is.
   */
  connect(context: ConnectContext<z.output<Config>>): Promise<NetworkHandlers<Able>> | NetworkHandlers<Able>;
  /**
   * Looks at the network for `trestle doctor`: whether it can be reached, whether the bridge's accounts are good and may do
   * what is needed. Called in a process of its own, whether the bridge runs or not: it must neither change anything on
   * the network nor take an event from the bridge. Resolves within half a minute. Fallback: nothing is looked at.
   */
  doctor?(context: DoctorContext<z.output<Config>>): Promise<readonly Check[]>;
}

/** What `connect` is given. */
export interface ConnectContext<Config> {
  readonly config: Config;
  readonly network: Network;
  /** Aborted when the bridge stops, before `close` is called. */
  readonly signal: AbortSignal;
}

/** What the core does for a connector. Every function may be taken out and called on its own. */
export interface Network {
  readonly bridge: BridgeIdentity;
  readonly log: Logger;
  /**
   * Takes an event from the network. Resolves when it is on disk: only then acknowledge it to the network. An event
   * whose id was received before is dropped (and resolves as well). Rejects only when the disk refuses; acknowledge nothing then.
   * What is `raw` goes through `interpret` first.
   * What comes before `connect` has returned waits until it has: do not wait for it within `connect`.
   */
  readonly receive: (event: NetworkEvent | RawReceived) => Promise<void>;
  /**
   * The same for several events at once, in one commit: where the disk refuses, none of them is taken. What of a channel is
   * given while earlier events of it are not on disk yet could overtake one that is refused: give what waits together.
   */
  readonly receiveAll: (events: readonly (NetworkEvent | RawReceived)[]) => Promise<void>;
  /** Passes on what is true for a moment; never waits, never fails. */
  readonly signal: (event: MomentaryEvent) => void;
  /** Says how a connection is; shown by `status`, the metrics and `/ready`. */
  readonly report: (status: ConnectionStatus) => void;
  /** How the bridge is, as people see it with the command `status`. */
  readonly status: () => Promise<BridgeStatus>;
  /** Every link of this bridge now. */
  readonly links: () => Promise<readonly ChannelLink[]>;
  /**
   * Links a channel where the asker may do so in the room as well (`linked`); otherwise has the bot ask in the room, which
   * it must be in, whether a moderator agrees (`asked`). Rejects with an `Error` that tells a person what is missing.
   */
  readonly requestLink: (request: LinkRequest) => Promise<"linked" | "asked">;
  /** Whoever `consent` has asked has answered: links the room, or does not, and tells it. `false`: nobody waits for that. */
  readonly consented: (consent: Consent) => Promise<boolean>;
  /**
   * Links a channel to a public room because somebody of the network came for it and the operator lets them: ask only
   * where they do. The bot joins the room. `undefined` where there is no such room that anybody may join and read, or it is
   * encrypted; rejects where that cannot be known now.
   */
  readonly openRoom: (request: OpenRequest) => Promise<ChannelLink | undefined>;
  /** A room that the bot is in, as it is now; one request. Rejects where it cannot be read. */
  readonly lookAtRoom: (room: RoomId) => Promise<RoomView>;
  /**
   * Who a Matrix user id is: at most one request, to their homeserver too. Never rejects: where it cannot be known now they
   * count as somebody.
   */
  readonly lookUpUser: (user: UserId) => Promise<FoundUser>;
  /** Removes every link of a channel because somebody of the network, `by`, wants it; the rooms are told. */
  readonly removeLinks: (channel: ChannelId, by: string) => Promise<readonly ChannelLink[]>;
  /**
   * The network gave a channel another id: its links and its messages go with it. `unlinked` and `linked` are called.
   * Nothing where no such channel was linked, so that it may be told again.
   */
  readonly moveChannel: (from: ChannelId, to: ChannelId) => Promise<readonly ChannelLink[]>;
  /** What `spaceOf` says has changed, or can be told by now: it is asked again. Never waits, never fails. */
  readonly spacesChanged: () => void;
  /** Whose ghosts are, or are to be, in the rooms of a channel: to compare with who is in the channel. */
  readonly ghostsIn: (channel: ChannelId) => Promise<GhostsPresent>;
  /** Opens a Matrix file for reading, authenticated, with a size cap. Rejects when the homeserver refuses. */
  readonly openMedia: (
    uri: ContentUri,
  ) => Promise<{ readonly stream: Readable; readonly mimeType: string; readonly size?: number }>;
  /**
   * A public link to a page with what an event says, for networks on which a long text is a flood: signed, and ending with
   * `media.expire` or when the event is redacted. `undefined` where the media proxy has no public address.
   */
  readonly textLink: (room: RoomId, event: EventId) => string | undefined;
  /**
   * A public link to a Matrix user's picture, for networks that show one from a URL: signed, the same for a day, and ending
   * with `media.expire`. `undefined` where the media proxy has no public address.
   */
  readonly avatarLink: (avatar: ContentUri) => string | undefined;
  /**
   * Brings a small picture of the network, such as an emoji of its own, to the homeserver, once: fetched with a guard
   * against private addresses, at most 1 MiB. Its content URI stands in an `emoji` or `image` of a text and in `picture` of
   * a reaction. `undefined` where it cannot be had: not asked for again for some minutes. Never rejects because of it.
   */
  readonly picture: (picture: RemotePicture) => Promise<ContentUri | undefined>;
  /** A small persistent map of the connector's own; values at most 64 KiB. Encrypted at rest where a key is configured. */
  readonly storage: ConnectorStorage;
  /** Every login of this bridge. */
  readonly logins: () => Promise<readonly Login[]>;
  /** Metrics of the connector's own. */
  readonly metrics: ConnectorMetrics;
  /** Puts another secret of a login on disk, e.g. a token that was renewed. Nothing where the login is gone. */
  readonly renewLogin: (id: LoginId, secret: LoginAccount["secret"]) => Promise<void>;
  /**
   * Forgets a login that the network has ended, and tells its user `why` in private. `logout` is not called: there is
   * nothing left to sign out. Nothing where the login is gone.
   */
  readonly endLogin: (id: LoginId, why: string) => Promise<void>;
}

/** Which bridge this is: one connector may serve several. */
export interface BridgeIdentity {
  /** The bridge's name in the configuration. */
  readonly name: string;
  /** The bridge bot. */
  readonly bot: UserId;
  /** The homeserver's name. */
  readonly serverName: string;
  /** Whether everybody in a linked channel is to be in its rooms, also who says nothing. */
  readonly allMembers: boolean;
  /** Where a connector may keep files and sockets of its own. */
  readonly dataDirectory: string;
}

/** A connector's own persistent map: for cursors, sessions and what else must survive a restart. */
export interface ConnectorStorage {
  /** `undefined` where there is none. */
  readonly get: (key: string) => Promise<string | undefined>;
  /** Resolves when it is on disk. */
  readonly set: (key: string, value: string) => Promise<void>;
  /** Resolves when it is gone, also where there was none. */
  readonly delete: (key: string) => Promise<void>;
  /** All keys that begin with `prefix`, sorted. */
  readonly keys: (prefix: string) => Promise<readonly string[]>;
}

/** How a connection to the network is. */
export interface ConnectionStatus {
  /** Which connection, e.g. a network's name or `network/nick`. */
  readonly connection: string;
  readonly state: "connecting" | "connected" | "waiting" | "failed" | "closed";
  /** For a person. */
  readonly detail?: string;
}

/** A channel and a room that belong together. */
export interface ChannelLink {
  readonly channel: ChannelId;
  readonly room: RoomId;
  readonly kind: "portal" | "plumbed" | "direct";
}

/** A Matrix user's own account on the network. */
export interface Login {
  readonly id: LoginId;
  readonly user: UserId;
  /** For which of the `accountNetworks` it is. */
  readonly network?: string;
  /** What `login` returned. */
  readonly account: LoginAccount;
}

/** The networks of a bridge to several, of which people may sign in to each. */
export interface AccountNetworks {
  /** Those one can sign in to, as people type them: single words. */
  readonly names: readonly string[];
  /** For which an account is that `login` returned, also an old one; `undefined` where that cannot be told. */
  readonly of: (account: LoginAccount) => string | undefined;
}

/** What a login yields: kept by the core, given back with every {@link Login}. */
export interface LoginAccount {
  /** Shown in lists. */
  readonly name: string;
  /**
   * Who this account is on the network. Where the operator allows it (`homeserver.doublePuppetToken`), what this person
   * says there is then said in Matrix by the Matrix user who signed in, and not by a ghost.
   */
  readonly remoteUser?: RemoteUserId;
  /** Stored encrypted. */
  readonly secret: Readonly<Record<string, string>>;
}

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
