/**
 * For tests that simulate time.
 *
 * @module For tests
 */
export { systemClock, type Clock } from "./delivery/clock.js";
