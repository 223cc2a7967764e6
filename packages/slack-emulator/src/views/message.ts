import { compact, type Json, type JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { World } from "../state/world.js";
import { without } from "./channel.js";
import { fileView } from "./file.js";
import { botProfileView } from "./user.js";

/** What a message shows beyond its content. */
export interface MessageViewOptions {
  readonly metadata?: boolean;
  readonly reactions?: boolean;
  /** The counters a thread's parent has. */
  readonly thread?: boolean;
  /** The `root` of a broadcast reply. */
  readonly root?: boolean;
}

const everything: MessageViewOptions = { metadata: true, reactions: true, thread: true, root: true };

function authorFields(world: World, message: Message): JsonObject {
  const bot = message.botId === undefined ? undefined : world.bots.get(message.botId);
  const own = message.subtype === "bot_message";
  const teamless =
    message.subtype !== undefined &&
    /^(?:bot_message|me_message|(?:channel|group)_(?:topic|purpose))$/.test(message.subtype);
  return compact({
    user: message.userId,
    username: message.username,
    icons: message.icons,
    bot_id: message.botId,
    app_id: message.appId,
    bot_profile: bot === undefined || own ? undefined : botProfileView(world, bot),
    team: teamless ? undefined : message.teamId,
  });
}

function fileFields(world: World, message: Message, checkAccess: boolean): JsonObject {
  if (message.fileIds.length === 0) return {};
  const files: Json[] = [];
  for (const id of message.fileIds) {
    const file = world.files.get(id);
    if (file === undefined) continue;
    // In a channel shared with another organisation the object itself must be asked for with files.info.
    files.push(
      checkAccess && !file.deleted
        ? {
            id,
            created: file.created,
            timestamp: file.created,
            user: file.userId,
            mode: "file_access",
            file_access: "check_file_info",
          }
        : fileView(world, file),
    );
  }
  return { files, upload: message.subtype === "file_share" ? true : false, display_as_bot: false };
}

function threadFields(channel: Channel, message: Message, counters: boolean): JsonObject {
  if (message.threadTs === undefined) return {};
  if (message.threadTs !== message.ts) {
    return compact({ thread_ts: message.threadTs, parent_user_id: channel.messages.get(message.threadTs)?.userId });
  }
  if (!counters) return { thread_ts: message.threadTs };
  const replies = channel.messages.replies(message.ts);
  const users = [...new Set(replies.map((reply) => reply.userId ?? reply.botId ?? ""))];
  return {
    thread_ts: message.threadTs,
    reply_count: replies.length,
    reply_users_count: users.length,
    latest_reply: replies.at(-1)?.ts ?? "",
    reply_users: users,
    is_locked: false,
    subscribed: false,
  };
}

/** The reactions of a message, or undefined when it has none. */
export function reactionsView(message: Message): Json[] | undefined {
  if (message.reactions.size === 0) return undefined;
  return [...message.reactions].map(([name, users]) => ({ name, users: [...users], count: users.length }));
}

/** A message object, without the channel it is in. */
export function messageView(
  world: World,
  channel: Channel,
  message: Message,
  options: MessageViewOptions = everything,
): JsonObject {
  const parent =
    options.root === true && message.broadcast && message.threadTs !== undefined
      ? channel.messages.get(message.threadTs)
      : undefined;
  return compact({
    type: "message",
    subtype: message.subtype,
    ...authorFields(world, message),
    client_msg_id: message.clientMessageId,
    text: message.text,
    ts: message.ts,
    blocks: message.blocks,
    attachments: message.attachments,
    ...fileFields(world, message, channel.externallyShared),
    edited: message.edited === undefined ? undefined : { user: message.edited.userId, ts: message.edited.ts },
    ...threadFields(channel, message, options.thread === true),
    root:
      parent === undefined
        ? undefined
        : without(messageView(world, channel, parent, { thread: true }), "client_msg_id", "blocks", "is_locked"),
    reactions: options.reactions === true ? reactionsView(message) : undefined,
    metadata: options.metadata === true ? message.metadata : undefined,
    ...message.extra,
  });
}
