import type { Config } from "../config/schema.js";
import type { Logger } from "../log/logger.js";
import type { MatrixClient } from "../matrix/client.js";
import type { Metrics } from "../metrics/metrics.js";
import type { Store } from "../store/store.js";
import type { BridgeRuntime } from "../bridge/runtime.js";

export interface RunningMediaProxy {
  /** A signed public link to a file. */
  readonly mediaLink: BridgeRuntime["mediaLink"];
  /** A public link to a page with what an event says. */
  textLink(room: string, event: string): string | undefined;
  /** A public link to a person's picture. */
  avatarLink(uri: string): string | undefined;
  revoke(event: string): Promise<void>;
  close(): Promise<void>;
}

const off: RunningMediaProxy = {
  mediaLink: () => undefined,
  textLink: () => undefined,
  avatarLink: () => undefined,
  revoke: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** What the media proxy needs of the Trestle it belongs to. */
export interface MediaProxyParts {
  readonly config: Config;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Those of the bridges that run: links were given out for rooms their bots are in. */
  readonly clients: () => readonly MatrixClient[];
}

/** Starts the media proxy where the configuration gives it a public address; elsewhere its code is not loaded. */
export async function openMediaProxy(parts: MediaProxyParts): Promise<RunningMediaProxy> {
  const { publicUrl } = parts.config.media;
  if (publicUrl === undefined) return off;
  const { startMediaProxy } = await import("./media-proxy.js");
  return startMediaProxy(parts, publicUrl);
}
