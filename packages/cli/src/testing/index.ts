export { TestBridge, type TestBridgeOptions } from "./test-bridge.js";
export type { StandIn, StandInNetwork, StandInSeen } from "./stand-in.js";
