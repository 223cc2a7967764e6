/**
 * For tests of a bridge: the connector with everything around it.
 *
 * @module For tests of bridges
 */
export { TestBridge, type TestBridgeOptions } from "./test-bridge.js";
export type { StandIn, StandInNetwork, StandInSeen } from "./stand-in.js";
