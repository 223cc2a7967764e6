import type { Json, JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { World } from "../state/world.js";
import { announceChanged, snapshot } from "./message-events.js";

const link = /https?:\/\/[^\s<>|]+/g;

/** Adds attachments to a message without editing it: a `message_changed` that has no `edited`. */
export function attachUnfurls(world: World, channel: Channel, message: Message, attachments: readonly Json[]): void {
  const previous = snapshot(world, channel, message);
  message.attachments = [...(message.attachments ?? []), ...attachments];
  announceChanged(world, channel, message, previous);
}

/** Looks behind the links of a message, as Slack does a moment after it was posted. */
export function unfurlLinks(world: World, channel: Channel, message: Message): void {
  const known = [...world.team(message.teamId).unfurls];
  if (known.length === 0) return;
  const attachments: JsonObject[] = [];
  for (const [url] of message.text.matchAll(link)) {
    const unfurl = known.find(([start]) => url.startsWith(start))?.[1];
    if (unfurl !== undefined)
      attachments.push({ id: attachments.length + 1, from_url: url, original_url: url, ...unfurl });
  }
  if (attachments.length === 0) return;
  world.clock.after(0, () => {
    if (channel.messages.get(message.ts) === message) attachUnfurls(world, channel, message, attachments);
  });
}
