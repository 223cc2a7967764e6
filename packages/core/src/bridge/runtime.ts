import type { BridgeConfig, Config } from "../config/schema.js";
import type { NetworkHandlers } from "../connector/handlers.js";
import type { UserId } from "../connector/ids.js";
import type { Clock } from "../delivery/clock.js";
import type { Journal } from "../delivery/journal.js";
import type { Logger } from "../log/logger.js";
import type { Links } from "../mapping/links.js";
import type { Members } from "../mapping/members.js";
import type { Messages } from "../mapping/messages.js";
import type { Rooms } from "../mapping/rooms.js";
import type { MatrixClient } from "../matrix/client.js";
import type { Metrics } from "../metrics/metrics.js";
import type { Store } from "../store/store.js";
import type { Deadlines } from "./deadline.js";

/** What the parts of one bridge share. */
export interface BridgeRuntime {
  /** The store's own number of the bridge. */
  readonly key: number;
  readonly name: string;
  /** The connector's protocol, e.g. `irc`. */
  readonly network: string;
  readonly networkName: string;
  readonly bot: UserId;
  readonly serverName: string;
  /** What the localparts of ghosts begin with. */
  readonly ghostPrefix: string;
  /** Whether a user is the bot or a ghost of this bridge. */
  isOwn(userId: string): boolean;
  readonly config: BridgeConfig;
  readonly global: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly journal: Journal;
  readonly client: MatrixClient;
  readonly metrics: Metrics;
  readonly rooms: Rooms;
  readonly links: Links;
  readonly messages: Messages;
  readonly members: Members;
  /** Set once the connector is connected, before anything is delivered. */
  readonly handlers: NetworkHandlers;
  /** The time limit of every call of a handler. */
  readonly deadlines: Deadlines;
  /** A signed public link to a file, where the media proxy is on. */
  mediaLink(uri: string, name: string, room: string, event: string): string | undefined;
  /** A signed public link to a page with what an event says, where the media proxy is on. */
  textLink(room: string, event: string): string | undefined;
  /** A signed public link to a person's picture, where the media proxy is on. */
  avatarLink(uri: string): string | undefined;
  /** Ends the links to files of an event, and the downloads that are under way. */
  revokeMedia(event: string): Promise<void>;
}
