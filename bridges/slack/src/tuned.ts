import { slackConnector } from "./connector.js";
import type { LinkTuning } from "./link/index.js";

/** The Slack bridge with other pauses and limits than Slack asks for: for tests. */
export function tunedSlackConnector(tuning: LinkTuning): typeof slackConnector {
  return {
    ...slackConnector,
    connect(context) {
      const tuned = { ...context, tuning };
      return slackConnector.connect(tuned);
    },
  };
}
