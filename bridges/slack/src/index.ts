/** The Trestle bridge to Slack. @packageDocumentation */
export { slackConnector as default, slackConnector } from "./connector.js";
export { decodeEntities, readContent, readMessage } from "./content/index.js";
export { reactionKeyOf, reactionNameOf } from "./emoji/index.js";
export { configSchema, type SlackConfig } from "./config.js";
export type { LinkTuning } from "./link/index.js";
export { tunedSlackConnector } from "./tuned.js";
