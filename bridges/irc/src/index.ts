export { default } from "./connector.js";
export { configSchema, type IrcConfig, networkSchema, type NetworkConfig } from "./config.js";
