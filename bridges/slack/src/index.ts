/** The Trestle bridge to Slack. @packageDocumentation */
export { slackConnector as default, slackConnector } from "./connector.js";
export { configSchema, type SlackConfig } from "./config.js";
export type { LinkTuning } from "./link/index.js";
export { tunedSlackConnector } from "./tuned.js";
