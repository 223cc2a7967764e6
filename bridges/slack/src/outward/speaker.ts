import type { Reactor } from "./reactions.js";

/** Who speaks in Slack for a Matrix user, and where. */
export interface Speaker extends Reactor {
  readonly channel: string;
}
