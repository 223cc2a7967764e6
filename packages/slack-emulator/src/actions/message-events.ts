import { compact, type JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { World } from "../state/world.js";
import { channelType } from "../views/channel.js";
import { messageView } from "../views/message.js";

const mention = /<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g;

/** Tells the members of a channel that a message was posted, with all that Slack sends along. */
export function announcePosted(world: World, channel: Channel, message: Message): void {
  const view = messageView(world, channel, message, { root: true, metadata: world.metadataInEvents });
  world.publish(
    { ...view, channel: channel.id, event_ts: message.ts, channel_type: channelType(channel) },
    audienceOf(channel, message),
  );
  announceMentions(world, channel, message);
  announceMetadata(world, channel, message, "message_metadata_posted");
  announceReply(world, channel, message);
}

function audienceOf(channel: Channel, message: Message) {
  return { kind: "channel", channel, teamId: message.teamId } as const;
}

function announceMentions(world: World, channel: Channel, message: Message): void {
  const mentioned = new Set([...message.text.matchAll(mention)].map((match) => match[1] ?? ""));
  for (const userId of mentioned) {
    const user = world.users.get(userId);
    // An app is not told that it mentioned itself.
    if (user?.botId === undefined || user.id === message.userId || message.subtype !== undefined) continue;
    const event = compact({
      type: "app_mention",
      user: message.userId,
      client_msg_id: message.clientMessageId,
      text: message.text,
      blocks: message.blocks,
      bot_id: message.botId,
      app_id: message.appId,
      team: message.teamId,
      ts: message.ts,
      thread_ts: message.threadTs,
      channel: channel.id,
      event_ts: message.ts,
    });
    world.publish(event, { kind: "users", teamId: user.teamId, userIds: [userId], channel });
  }
}

/** Tells about metadata; only apps that subscribed to it and have `metadata.message:read` hear of it. */
export function announceMetadata(world: World, channel: Channel, message: Message, type: string): void {
  if (message.metadata === undefined) return;
  const event = compact({
    type,
    app_id: message.appId,
    bot_id: message.botId,
    user_id: message.userId,
    team_id: message.teamId,
    channel_id: channel.id,
    metadata: message.metadata,
    message_ts: message.ts,
    event_ts: world.eventTs(channel),
  });
  world.publish(event, audienceOf(channel, message));
}

/** The second event of a reply: the parent with its new counters. */
export function announceReply(world: World, channel: Channel, reply: Message): void {
  if (reply.threadTs === undefined || reply.threadTs === reply.ts) return;
  const parent = channel.messages.get(reply.threadTs);
  if (parent === undefined) return;
  const ts = world.eventTs(channel);
  const event = {
    type: "message",
    subtype: "message_replied",
    hidden: true,
    message: messageView(world, channel, parent, { thread: true }),
    channel: channel.id,
    event_ts: ts,
    ts,
  };
  world.publish(event, audienceOf(channel, parent));
}

/** Tells that a message is not what it was: an edit, an unfurl, a tombstone. */
export function announceChanged(world: World, channel: Channel, message: Message, previous: JsonObject): void {
  const ts = world.eventTs(channel);
  const event = {
    type: "message",
    subtype: "message_changed",
    message: messageView(world, channel, message, { thread: true, root: true, metadata: world.metadataInEvents }),
    previous_message: previous,
    channel: channel.id,
    hidden: true,
    ts,
    event_ts: ts,
    channel_type: channelType(channel),
  };
  world.publish(event, audienceOf(channel, message));
}

/** Tells that a message is gone. */
export function announceDeleted(world: World, channel: Channel, message: Message, previous: JsonObject): void {
  const ts = world.eventTs(channel);
  const event = {
    type: "message",
    subtype: "message_deleted",
    previous_message: previous,
    channel: channel.id,
    hidden: true,
    deleted_ts: message.ts,
    ts,
    event_ts: ts,
    channel_type: channelType(channel),
  };
  world.publish(event, audienceOf(channel, message));
}

/** A message as it was before a change, for `previous_message`. */
export function snapshot(world: World, channel: Channel, message: Message): JsonObject {
  return messageView(world, channel, message, { thread: true, metadata: world.metadataInEvents });
}
