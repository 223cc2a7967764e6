/**
 * For programs that run Trestle or look after it, as the `trestle` command does.
 *
 * @module For programs
 */
export * from "./config/index.js";
export * from "./appservice/registration-index.js";
export { startTrestle, type RunningTrestle, type StartOptions } from "./fleet/start.js";
export { createLogger, type CreateLogger } from "./log/create.js";
export * from "./services/index.js";
export { databaseFile, openOfflineServices, type OfflineServices } from "./services/offline.js";
export { StoreInUse } from "./store/ownership.js";
export { version } from "./version.js";
