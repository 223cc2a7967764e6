import { tunedSlackConnector } from "@trestle/slack";

/** The Slack bridge as it is, but for its pauses and Slack's limits: what counts here is what gets through. */
export default tunedSlackConnector({ speed: 1_000, staggerMs: 100, retryMinMs: 50, retryMaxMs: 500 });
