import type { BridgeStatus } from "../connector/bridge-status.js";
import type { ChannelId, RoomId, UserId } from "../connector/ids.js";

export type { BridgeStatus, FlowStatus, PolicyListStatus } from "../connector/bridge-status.js";

/** What people can do with a running Trestle, whatever they use: commands in a room, the command line, the operations API. */
export interface Services {
  /** Links a room (id or alias) to a channel as a person types it. Rejects with a `ServiceError`. */
  link(bridge: string, room: string, channel: string, by: UserId | "operator"): Promise<LinkView>;
  /** Removes the link of a room, or only that to `channel`; resolves to what was removed. */
  unlink(
    bridge: string,
    room: string,
    channel: string | undefined,
    by: UserId | "operator",
  ): Promise<readonly LinkView[]>;
  /** The links of one bridge, or of all. */
  list(bridge?: string): Promise<readonly LinkView[]>;
  /** How Trestle, its homeserver and its bridges are. */
  status(): Promise<StatusView>;
  /** Reads the configuration again, and resolves when what it changes is in effect. */
  reload(): Promise<ReloadView>;
  readonly queue: QueueService;
}

/** What waits and what died. Works without a running bridge as well. */
export interface QueueService {
  /** What is not delivered, the oldest first. */
  list(filter: QueueFilter): Promise<readonly QueueEntry[]>;
  /** `undefined`: there is no such entry. */
  show(seq: number): Promise<QueueDetail | undefined>;
  /** Puts dead letters back at the end of their lanes; resolves to how many. */
  replay(selection: readonly number[] | "all"): Promise<number>;
  /** Forgets dead letters for good; resolves to how many. */
  drop(selection: readonly number[] | "all"): Promise<number>;
}

/** Which entries of the journal are meant. */
export interface QueueFilter {
  readonly bridge?: string;
  readonly state?: QueueState;
  readonly direction?: Direction;
  /** At most 1000; 100 where absent. */
  readonly limit?: number;
  /** Only entries after this one. */
  readonly after?: number;
}

/** `queued`: its turn has not come; `waiting`: it failed and is tried again; `dead`: given up, until it is replayed or dropped. */
export type QueueState = "queued" | "waiting" | "dead";
/** Which way an entry goes. */
export type Direction = "toNetwork" | "toMatrix";

/** An entry of the journal that is not delivered. */
export interface QueueEntry {
  readonly seq: number;
  readonly bridge: string;
  readonly direction: Direction;
  readonly state: QueueState;
  /** The lane: a room or a channel. */
  readonly lane: string;
  /** The event id, or the network's id, of the cause. */
  readonly source: string;
  readonly attempts: number;
  /** In milliseconds since 1970. */
  readonly receivedAt: number;
  readonly error?: string;
}

/** An entry with its payload. */
export interface QueueDetail extends QueueEntry {
  readonly payload: unknown;
}

/** A link, as operators see it. */
export interface LinkView {
  readonly bridge: string;
  readonly room: RoomId;
  readonly channel: ChannelId;
  readonly channelName: string;
  readonly kind: "portal" | "plumbed" | "direct";
  /** Of a link that was just made: in how many other rooms the channel is. */
  readonly otherRooms?: number | undefined;
  /** Of a link that was just removed: the configuration makes it again at the next start. */
  readonly comesBack?: boolean | undefined;
}

/** How Trestle is. */
export interface StatusView {
  readonly version: string;
  readonly startedAt: number;
  readonly homeserver: HomeserverStatus;
  readonly bridges: readonly BridgeStatus[];
}

/** How the homeserver is. */
export interface HomeserverStatus {
  readonly url: string;
  /** Whether the last request of ours was answered. */
  readonly reachable: boolean;
  /** What the last ping came to: whether the homeserver reaches us. */
  readonly ping: { readonly ok: boolean; readonly detail: string; readonly at: number } | null;
  readonly lastTransactionAt: number | null;
}

/** What came of reading the configuration again. */
export interface ReloadView {
  /** Why it cannot be used; then nothing has changed. */
  readonly refused: RefusedConfig | null;
  /** The keys whose values differ, such as `bridges[0].network.puppets.nick`; never a value. */
  readonly changed: readonly string[];
  /** Of them, those that are read when the process starts: what they were stays in force until then. */
  readonly needsRestart: readonly string[];
  /** By name: bridges that were not there. */
  readonly started: readonly string[];
  /** Bridges that were stopped and started with new settings. */
  readonly restarted: readonly string[];
  /** Bridges that are configured no longer. */
  readonly stopped: readonly string[];
  readonly failed: readonly FailedBridge[];
}

/** A configuration that cannot be used. */
export interface RefusedConfig {
  readonly why: "configuration" | "registration" | "connector";
  /** For a person: the file, the key, what was expected; a line for each. */
  readonly message: string;
}

/** A bridge that did not start with its new settings. */
export interface FailedBridge {
  readonly bridge: string;
  readonly reason: string;
  /** It goes on with its old settings; else it is down. */
  readonly runs: boolean;
}

/** A request that cannot be fulfilled, said to a person. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  constructor(
    readonly code: "notFound" | "forbidden" | "conflict" | "invalid" | "unavailable",
    message: string,
  ) {
    super(message);
  }
}
