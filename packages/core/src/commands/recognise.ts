import type { MatrixEvent } from "../appservice/event.js";

/** Whether an event is a command: text that begins with the bridge's prefix as a word. */
export function isCommand(event: MatrixEvent, prefix: string): boolean {
  return commandText(event, prefix) !== undefined;
}

/** What follows the prefix, trimmed. */
export function commandText(event: MatrixEvent, prefix: string): string | undefined {
  if (event.type !== "m.room.message" || event.content.msgtype !== "m.text") return undefined;
  const { body } = event.content;
  if (typeof body !== "string" || !body.startsWith(prefix)) return undefined;
  const rest = body.slice(prefix.length);
  return rest === "" || /^\s/.test(rest) ? rest.trim() : undefined;
}
