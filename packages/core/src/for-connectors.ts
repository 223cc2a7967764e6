/**
 * For those who write a connector: what `defineConnector` takes, what a connector is told and what it answers.
 *
 * The tutorial is docs/write-a-bridge.md.
 *
 * @module For connectors
 */
export * from "./connector/index.js";
export type { Logger } from "./log/logger.js";
export { isPublicAddress } from "./media/address.js";
export { saslPrep, Scram, ScramError, type ScramName } from "./sasl/scram.js";
