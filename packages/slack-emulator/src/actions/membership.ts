import { compact } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { User } from "../state/people.js";
import type { World } from "../state/world.js";
import { postMessage } from "./messages.js";

/** Old private channels have ids with a G and say `group_…` where all others say `channel_…`. */
export function systemSubtype(channel: Channel, what: string): string {
  return `${channel.id.startsWith("G") ? "group" : "channel"}_${what}`;
}

/** Adds a member: `member_joined_channel`, and for channels the `channel_join` message. Nothing when they were in it. */
export function joinChannel(world: World, channel: Channel, user: User, inviter?: User): void {
  if (channel.members.has(user.id)) return;
  channel.members.add(user.id);
  channel.updated = world.clock.seconds();
  if (channel.kind === "im" || channel.kind === "mpim") return;
  const event = compact({
    type: "member_joined_channel",
    user: user.id,
    channel: channel.id,
    channel_type: channel.kind === "public" ? "C" : "G",
    team: user.teamId,
    inviter: inviter?.id,
    event_ts: world.eventTs(channel),
  });
  world.publish(event, { kind: "channel", channel, teamId: user.teamId });
  postMessage(
    world,
    channel,
    { user },
    {
      text: `<@${user.id}> has joined the ${channel.id.startsWith("G") ? "group" : "channel"}`,
      subtype: systemSubtype(channel, "join"),
      extra: compact({ inviter: inviter?.id }),
    },
  );
}

/** Removes a member: they get `channel_left`, the others `member_left_channel` and the `channel_leave` message. */
export function leaveChannel(world: World, channel: Channel, user: User, remover?: User): void {
  if (!channel.members.delete(user.id)) return;
  channel.updated = world.clock.seconds();
  if (channel.kind === "im" || channel.kind === "mpim") return;
  const left = {
    type: channel.kind === "public" ? "channel_left" : "group_left",
    channel: channel.id,
    actor_id: (remover ?? user).id,
    event_ts: world.eventTs(channel),
  };
  world.publish(left, { kind: "users", teamId: user.teamId, userIds: [user.id] });
  const event = {
    type: "member_left_channel",
    user: user.id,
    channel: channel.id,
    channel_type: channel.kind === "public" ? "C" : "G",
    team: user.teamId,
    event_ts: world.eventTs(channel),
  };
  world.publish(event, { kind: "channel", channel, teamId: user.teamId });
  postMessage(
    world,
    channel,
    { user },
    {
      text: `<@${user.id}> has left the ${channel.id.startsWith("G") ? "group" : "channel"}`,
      subtype: systemSubtype(channel, "leave"),
    },
  );
}
