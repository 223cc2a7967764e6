import type { Network } from "@trestle/core";
import type { XmppConfig } from "../config.js";
import type { XmppMetrics } from "../metrics.js";
import type { OwnIds } from "../own-ids.js";
import type { StreamTuning } from "../stream/index.js";

/** What all accounts share. */
export interface AccountParts {
  readonly network: Network;
  readonly config: XmppConfig;
  readonly ids: OwnIds;
  readonly metrics: XmppMetrics;
  readonly tuning: Partial<StreamTuning>;
}
