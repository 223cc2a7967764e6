import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { User } from "../state/people.js";
import { slackbot, slackbotId } from "../state/slackbot.js";
import { scopeFamily } from "../views/channel.js";
import { SlackError } from "./error.js";
import { type Caller, requireScope } from "./method.js";

/** Whether a caller may know that a conversation exists. */
export function knows(caller: Caller, channel: Channel): boolean {
  if (!channel.teamIds.includes(caller.token.teamId)) return false;
  return channel.kind === "public" || channel.members.has(caller.user.id);
}

/** A conversation the caller may know, else `channel_not_found`. */
export function channelFor(caller: Caller, id: string | undefined): Channel {
  const channel = caller.world.channels.get(id ?? "");
  if (channel === undefined || !knows(caller, channel)) throw new SlackError("channel_not_found");
  return channel;
}

/** A conversation whose messages the caller may read. */
export function readableChannel(caller: Caller, id: string | undefined): Channel {
  const channel = channelFor(caller, id);
  requireScope(caller.token, [`${scopeFamily(channel)}:history`]);
  if (caller.token.kind === "bot" && !channel.members.has(caller.user.id)) throw new SlackError("not_in_channel");
  return channel;
}

/** Refuses callers that are not in a channel. */
export function requireMember(caller: Caller, channel: Channel): void {
  if (!channel.members.has(caller.user.id)) throw new SlackError("not_in_channel");
}

/** Refuses what an archived channel does not allow. */
export function requireUnarchived(channel: Channel): void {
  if (channel.archived) throw new SlackError("is_archived");
}

/** A message that is there. */
export function messageIn(channel: Channel, ts: string | undefined, error = "message_not_found"): Message {
  const message = channel.messages.get(ts ?? "");
  if (message === undefined || message.subtype === "tombstone") throw new SlackError(error);
  return message;
}

/** A user the caller's workspace knows: its own, those of the organisation, and those it shares a channel with. */
export function userFor(caller: Caller, id: string | undefined): User {
  if (id === slackbotId) return slackbot(caller.token.teamId);
  const user = caller.world.users.get(id ?? "");
  if (user === undefined) throw new SlackError("user_not_found");
  if (user.teamId === caller.token.teamId) return user;
  const shares = [...caller.world.channels.values()].some(
    (channel) => channel.members.has(user.id) && channel.teamIds.includes(caller.token.teamId),
  );
  if (!shares && caller.team.enterprise?.id !== caller.world.team(user.teamId).enterprise?.id)
    throw new SlackError("user_not_visible");
  if (!shares && caller.team.enterprise === undefined) throw new SlackError("user_not_visible");
  return user;
}

/** The scopes of a family for every kind of conversation: `channels:read`, `groups:read`, … */
export function everyKind(right: string): string[] {
  return ["channels", "groups", "im", "mpim"].map((family) => `${family}:${right}`);
}

/** The scopes of which one is needed to change a channel. */
export function manageScopes(channel: Channel): string[] {
  return channel.kind === "public" ? ["channels:manage", "channels:write"] : [`${scopeFamily(channel)}:write`];
}

/** The scopes of which one is needed to change some channel. */
export const anyManageScope = ["channels:manage", "channels:write", "groups:write", "im:write", "mpim:write"];
