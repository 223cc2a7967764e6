import type { MessageLog } from "./messages.js";
import type { Timestamps } from "./timestamps.js";

/** What a conversation is: a channel (public or private), a direct message, or a group direct message. */
export type ChannelKind = "public" | "private" | "im" | "mpim";

/** A topic or purpose: who set it, and when in seconds since the epoch (0: never). */
export interface Note {
  value: string;
  creator: string;
  lastSet: number;
}

/** A message only one person sees; it is in no history. */
export interface Ephemeral {
  readonly ts: string;
  readonly userId: string;
  readonly text: string;
  readonly fields: import("../json.js").JsonObject;
}

/** A conversation of any kind. */
export interface Channel {
  id: string;
  kind: ChannelKind;
  /** Empty for direct messages. */
  name: string;
  readonly previousNames: string[];
  /** The workspaces that have it; more than one when it is shared (Slack Connect or within an organisation). */
  readonly teamIds: string[];
  /** Shared with another organisation (Slack Connect), not only between workspaces of one. */
  externallyShared: boolean;
  readonly creator: string;
  /** Seconds since the epoch. */
  readonly created: number;
  updated: number;
  general: boolean;
  archived: boolean;
  topic: Note;
  purpose: Note;
  readonly members: Set<string>;
  /** What each member has read up to. */
  readonly lastRead: Map<string, string>;
  readonly messages: MessageLog;
  readonly ephemerals: Ephemeral[];
  readonly timestamps: Timestamps;
}
