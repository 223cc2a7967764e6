import type { Registration } from "../appservice/registration.js";
import type { BridgeConfig, Config } from "../config/schema.js";
import type { Connector } from "../connector/connector.js";
import type { Clock } from "../delivery/clock.js";
import type { MemoryBudget } from "../delivery/lane.js";
import type { Logger } from "../log/logger.js";
import type { Rooms } from "../mapping/rooms.js";
import type { Metrics } from "../metrics/metrics.js";
import type { Services } from "../services/services.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";
import type { BridgeRuntime } from "./runtime.js";

/** What a bridge is made of: what is configured, and what it shares with the others of the process. */
export interface BridgeParts {
  readonly key: number;
  readonly config: BridgeConfig;
  readonly global: Config;
  readonly registration: Registration;
  readonly connector: Connector;
  readonly networkConfig: unknown;
  readonly store: Store;
  readonly rooms: Rooms;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly budget: MemoryBudget;
  readonly mediaLink: BridgeRuntime["mediaLink"];
  readonly textLink: BridgeRuntime["textLink"];
  readonly avatarLink: BridgeRuntime["avatarLink"];
  readonly revokeMedia: BridgeRuntime["revokeMedia"];
  readonly services: () => Services;
  readonly dataDirectory: string;
  readonly isolate: boolean;
}
