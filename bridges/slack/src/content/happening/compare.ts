import type { SlackMessage } from "../message.js";
import { ownAttachments, presentFiles, saysTheSame } from "./mark.js";

/** What is different between two states of a message. */
export interface Difference {
  /** The text, the blocks or what an app attached. */
  readonly text: boolean;
  /** Only Slack's previews of links. */
  readonly previews: boolean;
  /** Ids of files that were there before. */
  readonly removedFiles: readonly string[];
  readonly addedFiles: boolean;
}

export function compareMessages(before: SlackMessage, after: SlackMessage): Difference {
  const text =
    before.text !== after.text ||
    !saysTheSame(before.blocks, after.blocks) ||
    !saysTheSame(ownAttachments(before), ownAttachments(after));
  const [past, present] = [presentFiles(before), presentFiles(after)];
  return {
    text,
    previews: !saysTheSame(before.attachments, after.attachments),
    removedFiles: [...past].filter((id) => !present.has(id)),
    addedFiles: [...present].some((id) => !past.has(id)),
  };
}
