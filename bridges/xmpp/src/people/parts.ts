import type { Network } from "@trestle/core";
import type { XmppConfig } from "../config.js";
import type { OwnIds } from "../own-ids.js";
import type { XmppStream } from "../stream/index.js";
import type { Uploads } from "../uploads.js";

/** Times in milliseconds, and bounds. */
export interface PeopleTuning {
  /** How long a person's server may take to tell their name before they speak without it. */
  readonly profileTimeoutMs: number;
  /** For how long a profile is believed; and for how long one is not asked for again that could not be had. */
  readonly profileMs: number;
  readonly profileFailedMs: number;
  /** Conversations that one person, and all together, may begin within an hour. */
  readonly beginsOfOne: number;
  readonly beginsOfAll: number;
  /** So many subscriptions are kept; whoever else subscribes is refused. */
  readonly subscriptions: number;
}

export const defaultPeopleTuning: PeopleTuning = {
  profileTimeoutMs: 5_000,
  profileMs: 24 * 3_600_000,
  profileFailedMs: 10 * 60_000,
  beginsOfOne: 20,
  beginsOfAll: 500,
  subscriptions: 200_000,
};

/** What all of it shares. */
export interface PeopleParts {
  readonly stream: XmppStream;
  readonly network: Network;
  readonly config: XmppConfig;
  readonly ids: OwnIds;
  readonly uploads: Uploads;
  readonly tuning: PeopleTuning;
}
