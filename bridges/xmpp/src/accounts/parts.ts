import type { Network } from "@trestle/core";
import type { XmppConfig } from "../config.js";
import type { XmppMetrics } from "../metrics.js";
import type { OwnIds } from "../own-ids.js";
import type { StreamTuning } from "../stream/index.js";
import type { Uploads } from "../uploads.js";

/** What all accounts share. */
export interface AccountParts {
  readonly network: Network;
  readonly config: XmppConfig;
  readonly ids: OwnIds;
  /** Those of the component, for accounts whose server takes no files. */
  readonly uploads: Uploads;
  readonly metrics: XmppMetrics;
  readonly tuning: Partial<StreamTuning>;
}
