// For those who write a connector
export * from "./connector/index.js";
export type { Logger } from "./log/logger.js";

// For those who run Trestle
export * from "./config/index.js";
export * from "./appservice/registration-index.js";
export { startTrestle, type RunningTrestle, type StartOptions } from "./bridge/start.js";
export { createLogger } from "./log/create.js";
export { Metrics } from "./metrics/metrics.js";
export * from "./services/index.js";
export { databaseFile, openOfflineServices, type OfflineServices } from "./services/offline.js";
export { StoreInUse } from "./store/ownership.js";
export { version } from "./version.js";

// For tests that simulate time
export { systemClock, type Clock } from "./delivery/clock.js";
