import { markOf, readMessage } from "../../content/index.js";
import { compareTs, type SlackMessage } from "../sending/messages.js";

/** An edit of a message. Slack tells its second alone wherever it shows the message, and several edits may have that. */
export interface Edit {
  /** The second, as Slack's `ts`. */
  readonly at: string;
  /** What the message says since; older versions did not remember it. */
  readonly mark?: string | undefined;
  /** The `event_ts` of the event that told it; none of what Slack was asked for. */
  readonly event?: string | undefined;
}

/** The last edit of a message. */
export function editOf(message: SlackMessage, event?: string): Edit | undefined {
  const at = message.edited?.ts;
  return at === undefined ? undefined : { at, mark: markOf(readMessage(message)), event };
}

/** Whether what Slack shows is another edit than the last one that is remembered, and no older one. */
export function isMissed(shown: Edit, last: Edit): boolean {
  const order = compareTs(shown.at, last.at);
  return order === 0 ? last.mark !== undefined && shown.mark !== last.mark : order > 0;
}

/**
 * Whether an event's edit still tells something after the last one that is remembered; `ask` where only Slack knows.
 *
 * @param late it comes again, or Slack was asked since it came
 */
export function standingOf(edit: Edit, last: Edit, late: boolean): "holds" | "overtaken" | "ask" {
  const order = compareTs(edit.at, last.at);
  if (order !== 0 || last.mark === undefined) return order < 0 ? "overtaken" : "holds";
  if (edit.mark === last.mark)
    // Whether an event was told, its id tells; what was found by asking has another one.
    return edit.event !== undefined && last.event === undefined ? "overtaken" : "holds";
  if (edit.event === undefined || last.event === undefined) return "ask";
  if (compareTs(edit.event, last.event) < 0) return "overtaken";
  return late ? "ask" : "holds";
}

/** Whether an event's edit is what Slack shows now, or newer. */
export function isNewest(edit: Edit, shown: Edit): boolean {
  const order = compareTs(edit.at, shown.at);
  return order === 0 ? edit.mark === shown.mark : order > 0;
}
