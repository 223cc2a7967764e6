import { randomUUID } from "node:crypto";
import type { Json, JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { Bot, User } from "../state/people.js";
import { wholeSecond } from "../state/timestamps.js";
import type { World } from "../state/world.js";
import {
  announceChanged,
  announceDeleted,
  announceMetadata,
  announcePosted,
  announceReply,
  snapshot,
} from "./message-events.js";
import { slackbotId } from "../state/slackbot.js";
import { withBlockIds } from "./blocks.js";
import { richTextOf } from "./rich-text.js";
import { unfurlLinks } from "./unfurl.js";

/** Who does something: a person, or an app as its bot or on behalf of a person. */
export interface Author {
  readonly user: User;
  /** The app's bot, also when the app acts with a person's token. */
  readonly bot?: Bot;
}

/** The content of a message and how it is posted. */
export interface Draft {
  readonly text: string;
  readonly blocks?: readonly Json[] | undefined;
  readonly attachments?: readonly Json[] | undefined;
  readonly threadTs?: string | undefined;
  readonly broadcast?: boolean | undefined;
  readonly subtype?: string | undefined;
  /** A name of its own: the message becomes a `bot_message` without a user. */
  readonly username?: string | undefined;
  readonly icons?: JsonObject | undefined;
  readonly metadata?: JsonObject | undefined;
  readonly fileIds?: readonly string[] | undefined;
  /** The moment it is posted at, instead of now. */
  readonly ts?: string | undefined;
  readonly extra?: JsonObject | undefined;
  /** Slack does not look behind its links. */
  readonly unfurl?: boolean | undefined;
}

function newMessage(world: World, channel: Channel, author: Author, draft: Draft): Message {
  const ts = draft.ts ?? channel.timestamps.next(world.clock.now());
  channel.timestamps.seen(ts);
  const disguised = draft.username !== undefined || draft.icons !== undefined || draft.subtype === "bot_message";
  const message: Message = {
    ts,
    teamId: author.user.teamId,
    text: draft.text,
    fileIds: [...(draft.fileIds ?? [])],
    broadcast: draft.broadcast ?? false,
    reactions: new Map(),
    extra: draft.extra ?? {},
    ...(author.bot === undefined && draft.subtype === undefined ? { clientMessageId: randomUUID() } : {}),
  };
  if (
    author.bot !== undefined &&
    (draft.subtype === undefined ||
      draft.subtype === "bot_message" ||
      draft.subtype === "thread_broadcast" ||
      draft.subtype === "file_share")
  ) {
    message.botId = author.bot.id;
    message.appId = author.bot.appId;
  }
  if (disguised) message.username = draft.username ?? author.bot?.name ?? author.user.name;
  else message.userId = author.user.id;
  const subtype = disguised
    ? "bot_message"
    : (draft.subtype ?? (draft.broadcast === true ? "thread_broadcast" : undefined));
  if (subtype !== undefined) message.subtype = subtype;
  if (draft.icons !== undefined) message.icons = draft.icons;
  if (draft.metadata !== undefined) message.metadata = draft.metadata;
  setContent(message, draft);
  if (draft.subtype === undefined || contentSubtypes.has(draft.subtype)) composeBlocks(message);
  if (draft.threadTs !== undefined) message.threadTs = draft.threadTs;
  return message;
}

function setContent(
  message: Message,
  content: { readonly blocks?: readonly Json[] | undefined; readonly attachments?: readonly Json[] | undefined },
): void {
  if (content.blocks !== undefined && content.blocks.length > 0) message.blocks = withBlockIds(content.blocks);
  if (content.attachments !== undefined && content.attachments.length > 0)
    message.attachments = [...content.attachments];
}

const contentSubtypes = new Set(["bot_message", "thread_broadcast", "file_share"]);

/** Gives text without blocks the rich text that Slack's own composer would have made of it. */
function composeBlocks(message: Message): void {
  if (message.blocks === undefined && message.text !== "") message.blocks = withBlockIds([richTextOf(message.text)]);
}

/** Posts a message and tells everybody. The thread's parent, when given, must exist. */
export function postMessage(world: World, channel: Channel, author: Author, draft: Draft): Message {
  const message = newMessage(world, channel, author, draft);
  const parent = message.threadTs === undefined ? undefined : channel.messages.get(message.threadTs);
  // A reply to a reply goes to its thread.
  if (parent?.threadTs !== undefined) message.threadTs = parent.threadTs;
  if (parent !== undefined) parent.threadTs ??= parent.ts;
  channel.messages.add(message);
  channel.lastRead.set(author.user.id, message.ts);
  announcePosted(world, channel, message);
  if (draft.unfurl !== false) unfurlLinks(world, channel, message);
  return message;
}

/** What an edit changes; what is not given stays. */
export interface Edit {
  readonly text?: string | undefined;
  readonly blocks?: readonly Json[] | undefined;
  readonly attachments?: readonly Json[] | undefined;
  readonly metadata?: JsonObject | undefined;
  readonly fileIds?: readonly string[] | undefined;
}

/** Edits a message. An edited text without blocks loses its old blocks, for they showed the old text. */
export function editMessage(world: World, channel: Channel, message: Message, editorId: string, edit: Edit): void {
  const previous = snapshot(world, channel, message);
  if (edit.text !== undefined) {
    message.text = edit.text;
    if (edit.blocks === undefined) delete message.blocks;
  }
  if (edit.blocks?.length === 0) delete message.blocks;
  if (edit.attachments?.length === 0) delete message.attachments;
  setContent(message, edit);
  if (edit.text !== undefined && (message.subtype === undefined || contentSubtypes.has(message.subtype)))
    composeBlocks(message);
  if (edit.fileIds !== undefined) message.fileIds = [...edit.fileIds];
  message.edited = { userId: editorId, ts: wholeSecond(world.eventTs(channel)) };
  if (edit.metadata !== undefined) {
    message.metadata = edit.metadata;
    announceMetadata(world, channel, message, "message_metadata_updated");
  }
  announceChanged(world, channel, message, previous);
}

/** Deletes a message; a thread's parent that still has replies leaves a tombstone. */
export function deleteMessage(world: World, channel: Channel, message: Message): void {
  const previous = snapshot(world, channel, message);
  if (message.metadata !== undefined) announceMetadata(world, channel, message, "message_metadata_deleted");
  if (channel.messages.replies(message.ts).length > 0) {
    entomb(message);
    announceChanged(world, channel, message, previous);
    return;
  }
  channel.messages.remove(message.ts);
  announceDeleted(world, channel, message, previous);
  if (message.threadTs === undefined || message.threadTs === message.ts) return;
  const parent = channel.messages.get(message.threadTs);
  if (parent === undefined) return;
  announceReply(world, channel, message);
  if (channel.messages.replies(parent.ts).length > 0) return;
  if (parent.subtype === "tombstone") channel.messages.remove(parent.ts);
  else delete parent.threadTs;
}

function entomb(message: Message): void {
  message.subtype = "tombstone";
  message.text = "This message was deleted.";
  message.userId = slackbotId;
  message.fileIds = [];
  message.extra = { hidden: true };
  message.reactions.clear();
  delete message.blocks;
  delete message.attachments;
  delete message.botId;
  delete message.appId;
  delete message.username;
  delete message.icons;
  delete message.metadata;
  delete message.edited;
}
