export * from "./for-connectors.js";
export * from "./for-programs.js";
export * from "./for-tests.js";
