import type { Config } from "../config/schema.js";
import type { Logger } from "../log/logger.js";
import type { MatrixClient } from "../matrix/client.js";
import type { Metrics } from "../metrics/metrics.js";
import type { Store } from "../store/store.js";
import type { BridgeRuntime } from "./runtime.js";

export interface RunningMediaProxy {
  /** Makes the links of one bridge, whose bot sees its rooms. */
  linkFor(client: () => MatrixClient): BridgeRuntime["mediaLink"];
  /** A public link to a page with what an event says. */
  textLink(room: string, event: string): string | undefined;
  /** A public link to a person's picture. */
  avatarLink(uri: string): string | undefined;
  revoke(event: string): Promise<void>;
  close(): Promise<void>;
}

const off: RunningMediaProxy = {
  linkFor: () => () => undefined,
  textLink: () => undefined,
  avatarLink: () => undefined,
  revoke: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Starts the media proxy where the configuration gives it a public address; elsewhere its code is not loaded. */
export async function openMediaProxy(
  config: Config,
  store: Store,
  log: Logger,
  metrics: Metrics,
): Promise<RunningMediaProxy> {
  const { publicUrl } = config.media;
  if (publicUrl === undefined) return off;
  const { startMediaProxy } = await import("./media-proxy.js");
  return startMediaProxy({ config, publicUrl, store, log, metrics });
}
