import { compact, type JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { User } from "../state/people.js";
import type { World } from "../state/world.js";
import { permalink } from "../views/channel.js";
import { messageView } from "../views/message.js";
import { postMessage } from "./messages.js";

/** A pinned message, as `pins.list` and the events show it. */
export function pinView(world: World, channel: Channel, message: Message, teamId: string): JsonObject {
  const view = messageView(world, channel, message, { thread: true });
  return {
    type: "message",
    created: message.pinned?.at ?? 0,
    created_by: message.pinned?.by ?? "",
    channel: channel.id,
    message: {
      ...view,
      pinned_to: [channel.id],
      permalink: permalink(world, channel, message.ts, message.threadTs, teamId),
    },
  };
}

/** The pinned messages of a channel, the latest pin first. */
export function pinned(channel: Channel): Message[] {
  return channel.messages
    .all()
    .filter((message) => message.pinned !== undefined)
    .sort((a, b) => (b.pinned?.at ?? 0) - (a.pinned?.at ?? 0));
}

function announce(
  world: World,
  type: string,
  channel: Channel,
  message: Message,
  user: User,
  item: JsonObject,
  extra: JsonObject,
): void {
  const event = compact({
    type,
    user: user.id,
    channel_id: channel.id,
    item,
    item_user: message.userId,
    pin_count: pinned(channel).length,
    ...extra,
    event_ts: world.eventTs(channel),
  });
  world.publish(event, { kind: "channel", channel, teamId: user.teamId });
}

/** Pins a message; false when it is pinned already. */
export function pin(world: World, channel: Channel, message: Message, user: User): boolean {
  if (message.pinned !== undefined) return false;
  const at = world.clock.seconds();
  message.pinned = { by: user.id, at };
  announce(world, "pin_added", channel, message, user, pinView(world, channel, message, user.teamId), {
    pinned_info: { channel: channel.id, pinned_by: user.id, pinned_ts: at },
  });
  postMessage(
    world,
    channel,
    { user },
    { text: `<@${user.id}> pinned a message to this channel.`, subtype: "pinned_item" },
  );
  return true;
}

/** Unpins a message; false when it is not pinned. */
export function unpin(world: World, channel: Channel, message: Message, user: User): boolean {
  if (message.pinned === undefined) return false;
  const item = pinView(world, channel, message, user.teamId);
  delete message.pinned;
  announce(world, "pin_removed", channel, message, user, item, { has_pins: pinned(channel).length > 0 });
  return true;
}
