import type { Readable } from "node:stream";
import type { z } from "zod";
import type { Logger } from "../log/logger.js";
import type { BridgeStatus } from "./bridge-status.js";
import type { Consent } from "./commands.js";
import type { Check, DoctorContext } from "./doctor.js";
import type { MomentaryEvent, NetworkEvent, RawReceived, RemotePicture } from "./events.js";
import type { ChannelId, ContentUri, EventId, LoginId, RemoteUserId, RoomId, UserId } from "./ids.js";
import type { FoundUser } from "./found-user.js";
import type { GhostsPresent } from "./ghosts-present.js";
import type { Importer } from "./importer.js";
import type { LinkRequest, OpenRequest } from "./link-request.js";
import type { ConnectorMetrics } from "./metrics.js";
import type { RoomView } from "./room-view.js";
import type { Limits, NetworkHandlers, TextOnly } from "./handlers.js";

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
   * The network gave a channel another id: its links, its messages and what waits for it go with it. Waits for what is just
   * being sent to it, so it must not be awaited by a handler that sends. `unlinked` and `linked` are called.
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
