export * from "./connector/index.js";
export type { Logger } from "./log/logger.js";
