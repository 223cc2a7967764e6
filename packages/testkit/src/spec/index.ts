export { SpecDeviationError, describeDeviations } from "./deviations.js";
export type { SpecDeviation } from "./deviations.js";
export { SpecProxy } from "./proxy.js";
export type { SpecProxyOptions } from "./proxy.js";
export { specValidator } from "./validator.js";
export type { SpecExchange, SpecValidator } from "./validator.js";
