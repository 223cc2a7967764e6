import { compact } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { World } from "../state/world.js";

function announce(world: World, type: string, channel: Channel, message: Message, userId: string, name: string): void {
  const event = compact({
    type,
    user: userId,
    reaction: name,
    item: { type: "message", channel: channel.id, ts: message.ts },
    item_user: message.userId,
    event_ts: world.eventTs(channel),
  });
  world.publish(event, { kind: "channel", channel, teamId: world.user(userId).teamId });
}

/** Adds a reaction; false when the user had it already. */
export function addReaction(world: World, channel: Channel, message: Message, userId: string, name: string): boolean {
  const users = message.reactions.get(name) ?? [];
  if (users.includes(userId)) return false;
  message.reactions.set(name, [...users, userId]);
  announce(world, "reaction_added", channel, message, userId, name);
  return true;
}

/** Takes a reaction back; false when the user had not made it. */
export function removeReaction(
  world: World,
  channel: Channel,
  message: Message,
  userId: string,
  name: string,
): boolean {
  const users = message.reactions.get(name) ?? [];
  if (!users.includes(userId)) return false;
  const left = users.filter((user) => user !== userId);
  if (left.length === 0) message.reactions.delete(name);
  else message.reactions.set(name, left);
  announce(world, "reaction_removed", channel, message, userId, name);
  return true;
}
