import type { SpecValidator } from "./validator.js";

export function specValidator(): SpecValidator | undefined {
  return undefined;
}
export { SpecDeviationError, describeDeviations } from "./deviations.js";
export type { SpecDeviation } from "./deviations.js";
export type { SpecExchange, SpecValidator } from "./validator.js";
