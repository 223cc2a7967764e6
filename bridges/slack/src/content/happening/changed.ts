import { given, recordIn, textIn, type JsonRecord } from "../json.js";
import { readMessage, type SlackMessage } from "../message.js";
import { isPreview } from "../read/attachments.js";
import { compareMessages, type Difference } from "./compare.js";
import { markOf } from "./mark.js";
import { styleOf, threadOf } from "./chat.js";
import { bridged, ignored, incomplete, type Outcome } from "./outcome.js";
import { senderOf } from "./sender.js";

const type = "message/message_changed";

/**
 * What a `message_changed` means. Slack sends it for much that is no edit: previews of links, counters of threads, and
 * the husk of a deleted message whose thread goes on.
 */
export function changedOutcome(event: JsonRecord, channel: string): Outcome {
  const changed = recordIn(event, "message");
  if (changed === undefined) return incomplete(type, "message");
  const message = readMessage(changed);
  const { ts } = message;
  if (ts === undefined) return incomplete(type, "message.ts");
  if (message.subtype === "tombstone") {
    return bridged({ kind: "deletion", channel, key: `deletion/${ts}`, ts, keepsThread: true });
  }
  if (message.subtype === "ekm_access_denied") {
    return ignored(type, "the workspace withholds the message (Enterprise Key Management)");
  }
  const before = recordIn(event, "previous_message");
  const previous = before === undefined ? undefined : readMessage(before);
  const difference = previous === undefined ? undefined : compareMessages(previous, message);
  const nothing = noEdit(message, previous, difference);
  if (nothing !== undefined) return ignored(type, nothing);
  const sender = senderOf(message);
  if (sender === undefined) return incomplete(type, "sender");
  const eventTs = textIn(event, "event_ts") ?? textIn(event, "ts") ?? ts;
  const editedTs = message.edited?.ts ?? eventTs;
  // Edits of one second may go back to what was there: then the same content is news again.
  const moment = previous?.edited?.ts === editedTs ? `/${eventTs}` : "";
  return bridged(
    given({
      kind: "edit",
      channel,
      // The second alone is none: another edit may have it too.
      key: `edit/${ts}/${editedTs}/${markOf(message)}${moment}`,
      ts,
      editedTs,
      sender,
      style: styleOf(message.subtype ?? ""),
      message,
      threadTs: threadOf(message),
      textChanged: difference?.text ?? true,
      removedFiles: difference?.removedFiles ?? [],
    } as const),
  );
}

/** Why it is no edit; `undefined` where it is one. */
function noEdit(
  message: SlackMessage,
  previous: SlackMessage | undefined,
  difference: Difference | undefined,
): string | undefined {
  if (previous === undefined || difference === undefined) {
    // What it was before is not told: only an edit that says so is believed, or one that is no preview.
    if (message.edited !== undefined || !message.attachments.some(isPreview)) return undefined;
    return "Slack added a preview of a link";
  }
  if (difference.text || difference.removedFiles.length > 0 || difference.addedFiles) return undefined;
  if (difference.previews) return "Slack changed its preview of a link";
  if (message.edited !== undefined && message.edited.ts !== previous.edited?.ts) {
    return "the message was saved again without a change";
  }
  return "only counters of the thread, pins or reactions changed";
}
