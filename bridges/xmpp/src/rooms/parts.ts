import type { Network, UserId } from "@trestle/core";
import type { XmppConfig } from "../config.js";
import type { XmppMetrics } from "../metrics.js";
import type { OwnIds } from "../own-ids.js";
import type { XmppStream } from "../stream/index.js";
import type { Uploads } from "../uploads.js";

/** Times in milliseconds, and bounds. */
export interface RoomTuning {
  readonly joinTimeoutMs: number;
  /** How long a room may take to show a message. */
  readonly reflectionTimeoutMs: number;
  /** Between attempts to enter a room. */
  readonly enterMinMs: number;
  readonly enterMaxMs: number;
  /** A room from which nothing came for so long is asked whether we are still in it (XEP-0410). */
  readonly selfPingMs: number;
  /** How often the place in the archive is put on disk, beside the core's own cursor. */
  readonly saveMs: number;
  /** For how long a Matrix user who was kicked out of a room is kept out of it. */
  readonly kickedMs: number;
  /** Messages kept while the archive is read. */
  readonly maxBuffered: number;
}

export const defaultRoomTuning: RoomTuning = {
  joinTimeoutMs: 30_000,
  reflectionTimeoutMs: 20_000,
  enterMinMs: 1_000,
  enterMaxMs: 300_000,
  selfPingMs: 600_000,
  saveMs: 10_000,
  kickedMs: 300_000,
  maxBuffered: 2_000,
};

/** An account of a Matrix user's own, as far as rooms are concerned. */
export interface OwnVoice {
  /** The bare JID, which is who they are on the network. */
  readonly jid: string;
  readonly stream: XmppStream;
}

/** What every room of a bridge shares. */
export interface RoomParts {
  /** The account with which a Matrix user is in rooms, where they have signed in with one. */
  readonly voiceOf?: (user: UserId) => OwnVoice | undefined;
  readonly stream: XmppStream;
  readonly network: Network;
  readonly config: XmppConfig;
  readonly ids: OwnIds;
  readonly uploads: Uploads;
  readonly tuning: RoomTuning;
  readonly metrics: XmppMetrics;
}
