import type { JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import { scopeFamily } from "../views/channel.js";

const messageNames = {
  channels: "message.channels",
  groups: "message.groups",
  im: "message.im",
  mpim: "message.mpim",
} as const;

/** The name under which apps subscribe to an event. */
export function subscriptionName(event: JsonObject, channel: Channel | undefined): string {
  const type = typeof event.type === "string" ? event.type : "";
  if (type !== "message" || channel === undefined) return type;
  return messageNames[scopeFamily(channel)];
}

const scopes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^message\.channels$/, ["channels:history"]],
  [/^message\.groups$/, ["groups:history"]],
  [/^message\.im$/, ["im:history"]],
  [/^message\.mpim$/, ["mpim:history"]],
  [/^message_metadata_/, ["metadata.message:read"]],
  [/^app_mention$/, ["app_mentions:read"]],
  [/^reaction_/, ["reactions:read"]],
  [/^channel_id_changed$/, []],
  [/^channel_(?:shared|unshared)$/, ["channels:read", "groups:read"]],
  [/^channel_/, ["channels:read"]],
  [/^group_/, ["groups:read"]],
  [/^im_/, ["im:read"]],
  [/^member_/, ["channels:read", "groups:read"]],
  [/^user_profile_changed$/, ["users.profile:read"]],
  [/^(?:user_change|team_join)$/, ["users:read"]],
  [/^emoji_changed$/, ["emoji:read"]],
  [/^subteam_/, ["usergroups:read"]],
  [/^file_/, ["files:read"]],
  [/^pin_/, ["pins:read"]],
  [/^team_/, ["team:read"]],
];

/** The scopes of which one is needed to get an event; an empty list when none is. */
export function scopesFor(name: string): readonly string[] {
  return scopes.find(([pattern]) => pattern.test(name))?.[1] ?? [];
}

/** Whether a list of subscriptions covers an event. */
export function subscribed(list: readonly string[], name: string): boolean {
  return list.includes("*") || list.includes(name);
}
