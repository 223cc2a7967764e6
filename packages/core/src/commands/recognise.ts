import { isRecord, type MatrixEvent } from "../appservice/event.js";
import { relationOf } from "../bridge/content/relation.js";
import { withoutReplyFallback } from "../bridge/content/message-text.js";
import type { EventId } from "../connector/ids.js";

/** Whether an event is a command: text that begins with the bridge's prefix as a word. An edit is one where it makes one. */
export function isCommand(event: MatrixEvent, prefix: string): boolean {
  return commandText(event, prefix) !== undefined;
}

/** What follows the prefix, trimmed. */
export function commandText(event: MatrixEvent, prefix: string): string | undefined {
  const text = typedText(event);
  if (text?.startsWith(prefix) !== true) return undefined;
  const rest = text.slice(prefix.length);
  return rest === "" || /^\s/.test(rest) ? rest.trim() : undefined;
}

/** The text that somebody has typed, without what a client puts before an answer; of an edit the new text. */
export function typedText(event: MatrixEvent): string | undefined {
  if (event.type !== "m.room.message") return undefined;
  const content = editedBy(event) === undefined ? event.content : event.content["m.new_content"];
  if (!isRecord(content) || content["msgtype"] !== "m.text" || typeof content["body"] !== "string") return undefined;
  return withoutReplyFallback(content["body"]);
}

/** The message that an event edits. */
export function editedBy({ content }: MatrixEvent): EventId | undefined {
  if (content["m.relates_to"] === undefined) return undefined;
  const relation = relationOf(content);
  return relation.kind === "edit" ? relation.target : undefined;
}
