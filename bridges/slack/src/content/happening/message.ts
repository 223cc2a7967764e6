import { given, isRecord, recordIn, textIn, type JsonRecord } from "../json.js";
import { readMessage, type SlackMessage } from "../message.js";
import { changedOutcome } from "./changed.js";
import { isChat, styleOf, threadOf } from "./chat.js";
import { bridged, ignored, incomplete, type Outcome } from "./outcome.js";
import { senderOf } from "./sender.js";

/** What a `message` event means, by its subtype. */
export function messageOutcome(event: JsonRecord): Outcome {
  const channel = textIn(event, "channel");
  const subtype = textIn(event, "subtype");
  const type = subtype === undefined ? "message" : `message/${subtype}`;
  if (channel === undefined) return incomplete(type, "channel");
  switch (subtype) {
    case "message_changed":
      return changedOutcome(event, channel);
    case "message_deleted":
      return deletedOutcome(event, channel);
    default:
      return sentOutcome(readMessage(event), { event, channel, type });
  }
}

/**
 * What a message as `conversations.history` and `conversations.replies` give it means: the same as the event that once
 * told it.
 */
export function historyOutcome(message: unknown, channel: string): Outcome {
  const read = readMessage(message);
  const type = read.subtype === undefined ? "message" : `message/${read.subtype}`;
  return sentOutcome(read, { event: isRecord(message) ? message : {}, channel, type });
}

interface Told {
  readonly event: JsonRecord;
  readonly channel: string;
  /** `message`, or `message/` with the subtype. */
  readonly type: string;
}

const joined = "member_joined_channel and the list of members tell who is in a channel";
const left = "member_left_channel and the list of members tell who is in a channel";

/** Subtypes whose matter another event tells, or that are about nothing the bridge has. */
const silent: Readonly<Record<string, string>> = {
  channel_join: joined,
  group_join: joined,
  channel_leave: left,
  group_leave: left,
  channel_name: "channel_rename tells it",
  group_name: "group_rename tells it",
  channel_archive: "the event of the same name tells it",
  channel_unarchive: "the event of the same name tells it",
  group_archive: "the event of the same name tells it",
  group_unarchive: "the event of the same name tells it",
  channel_posting_permissions: "who may post is not bridged",
  channel_canvas_updated: "canvases are not bridged",
  message_replied: "the reply itself is an event of its own",
  pinned_item: "pin_added tells it",
  unpinned_item: "pin_removed tells it",
  ekm_access_denied: "the workspace withholds the message (Enterprise Key Management)",
  bot_add: "apps that are added are not bridged",
  bot_remove: "apps that are removed are not bridged",
  bot_enable: "apps that are enabled are not bridged",
  bot_disable: "apps that are disabled are not bridged",
  assistant_app_thread: "it is the head of a conversation with an app",
  joiner_notification: "only one person sees it",
  joiner_notification_for_inviter: "only one person sees it",
  app_conversation_join: joined,
  channel_joined: joined,
};

function sentOutcome(message: SlackMessage, { event, channel, type }: Told): Outcome {
  const { ts, subtype = "" } = message;
  if (Object.hasOwn(silent, subtype)) return ignored(type, silent[subtype] ?? "");
  if (ts === undefined) return incomplete(type, "ts");
  switch (subtype) {
    case "tombstone":
      return bridged({ kind: "deletion", channel, key: `deletion/${ts}`, ts, keepsThread: true });
    case "channel_topic":
    case "group_topic":
      return bridged(
        given({
          kind: "channelTopic",
          channel,
          key: ts,
          topic: textIn(event, "topic") ?? "",
          user: message.user,
        } as const),
      );
    case "channel_purpose":
    case "group_purpose":
      return bridged(
        given({
          kind: "channelPurpose",
          channel,
          key: ts,
          purpose: textIn(event, "purpose") ?? "",
          user: message.user,
        } as const),
      );
    case "channel_convert_to_private":
    case "channel_convert_to_public": {
      const isPrivate = subtype === "channel_convert_to_private";
      return bridged(given({ kind: "channelPrivacy", channel, key: ts, isPrivate, user: message.user } as const));
    }
  }
  return chatOutcome(message, ts, { event, channel, type });
}

function chatOutcome(message: SlackMessage, ts: string, { channel, type }: Told): Outcome {
  const { subtype = "" } = message;
  const known = isChat(subtype);
  // A subtype made after this was written is a message where it looks like one: better shown than lost.
  if (!known && (message.hidden || !saysSomething(message))) return { outcome: "unknown", type };
  const sender = senderOf(message);
  if (sender === undefined) return incomplete(type, "sender");
  const isBroadcast = subtype === "thread_broadcast" || subtype === "reply_broadcast";
  return bridged(
    given({
      kind: "message",
      channel,
      key: ts,
      ts,
      sender,
      style: styleOf(subtype),
      message: isHuddle(subtype) ? huddleOf(message) : message,
      threadTs: threadOf(message),
      isBroadcast,
    } as const),
  );
}

function saysSomething({ text, blocks, attachments, files }: SlackMessage): boolean {
  return text !== "" || blocks.length + attachments.length + files.length > 0;
}

function isHuddle(subtype: string): boolean {
  return subtype === "huddle_thread" || subtype === "sh_room_created" || subtype === "sh_room_shared";
}

/** A huddle has no text of its own in most workspaces: it says that there is one, and where. */
function huddleOf(message: SlackMessage): SlackMessage {
  if (message.text !== "") return message;
  const link = message.room === undefined ? undefined : textIn(message.room, "huddle_link");
  return { ...message, text: link === undefined ? "🎧 A huddle started" : `🎧 <${link}|A huddle started>` };
}

function deletedOutcome(event: JsonRecord, channel: string): Outcome {
  const previous = readMessage(recordIn(event, "previous_message"));
  const ts = textIn(event, "deleted_ts") ?? previous.ts;
  if (ts === undefined) return incomplete("message/message_deleted", "deleted_ts");
  const threadTs = previous.ts === undefined ? undefined : threadOf(previous);
  return bridged(
    given({ kind: "deletion", channel, key: `deletion/${ts}`, ts, threadTs, keepsThread: false } as const),
  );
}
