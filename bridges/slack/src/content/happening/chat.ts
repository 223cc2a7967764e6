import type { SlackMessage } from "../message.js";
import type { MessageSent } from "./outcome.js";

/** Subtypes that are messages, and how they are shown. */
const chat: Readonly<Record<string, MessageSent["style"]>> = {
  bot_message: "text",
  file_share: "text",
  thread_broadcast: "text",
  reply_broadcast: "text",
  me_message: "emote",
  slackbot_response: "text",
  file_comment: "notice",
  file_mention: "notice",
  reminder_add: "notice",
  reminder_delete: "notice",
  huddle_thread: "notice",
  sh_room_created: "notice",
  sh_room_shared: "notice",
  document_mention: "notice",
};

/** Whether messages of a subtype (the empty one: of none) are something that somebody says. */
export function isChat(subtype: string): boolean {
  return subtype === "" || Object.hasOwn(chat, subtype);
}

/** How a message of a subtype is shown: `text` for those that are unknown. */
export function styleOf(subtype: string): MessageSent["style"] {
  return (Object.hasOwn(chat, subtype) ? chat[subtype] : undefined) ?? "text";
}

/** The thread a message stands in; its first message stands in none. */
export function threadOf({ ts, threadTs }: SlackMessage): string | undefined {
  return threadTs === ts ? undefined : threadTs;
}
