export * from "./irc/index.js";
export * from "./homeserver/index.js";
export * from "./spec/index.js";
export { patience } from "./patience.js";
