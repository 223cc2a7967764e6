import type { Json, JsonObject } from "../json.js";
import type { Channel, ChannelKind } from "../state/channels.js";
import { MessageLog } from "../state/messages.js";
import type { User } from "../state/people.js";
import { Timestamps } from "../state/timestamps.js";
import type { World } from "../state/world.js";
import { normalizedName } from "../views/channel.js";
import type { Audience } from "../events/audience.js";
import { systemSubtype } from "./membership.js";
import { postMessage } from "./messages.js";

/** How a conversation begins. */
export interface NewChannel {
  readonly id?: string | undefined;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly teamId: string;
  readonly creatorId: string;
  readonly general?: boolean | undefined;
  /** Members from the start; nobody is told of them. */
  readonly members: readonly string[];
}

function prefixOf(kind: ChannelKind): "C" | "D" {
  return kind === "im" ? "D" : "C";
}

/** Makes a conversation. Channels everybody can see are announced. */
export function createChannel(world: World, options: NewChannel): Channel {
  const now = world.clock.seconds();
  const channel: Channel = {
    id: options.id ?? world.ids.next(prefixOf(options.kind)),
    kind: options.kind,
    name: options.name,
    previousNames: [],
    teamIds: [options.teamId],
    externallyShared: false,
    creator: options.creatorId,
    created: now,
    updated: now,
    general: options.general ?? false,
    archived: false,
    topic: { value: "", creator: "", lastSet: 0 },
    purpose: { value: "", creator: "", lastSet: 0 },
    members: new Set(options.members),
    lastRead: new Map(),
    messages: new MessageLog(),
    ephemerals: [],
    timestamps: new Timestamps(),
  };
  world.channels.set(channel.id, channel);
  if (channel.kind === "public")
    announceChannel(world, channel, "created", { channel: { ...brief(channel), creator: channel.creator } });
  if (channel.kind === "im") {
    world.publish(
      { type: "im_created", user: options.creatorId, channel: { id: channel.id }, event_ts: world.eventTs(channel) },
      { kind: "channel", channel },
    );
  }
  return channel;
}

function brief(channel: Channel): JsonObject {
  return {
    id: channel.id,
    is_channel: channel.kind !== "mpim",
    is_mpim: channel.kind === "mpim",
    name: channel.name,
    name_normalized: normalizedName(channel),
    created: channel.created,
  };
}

/** Everybody for a public channel, else its members. */
function audience(channel: Channel): Audience {
  const teamId = channel.teamIds[0];
  if (channel.kind === "public" && teamId !== undefined && channel.teamIds.length === 1)
    return { kind: "team", teamId };
  return { kind: "channel", channel };
}

function announceChannel(world: World, channel: Channel, what: string, fields: Record<string, Json>): void {
  const family = channel.kind === "public" ? "channel" : "group";
  world.publish({ type: `${family}_${what}`, ...fields, event_ts: world.eventTs(channel) }, audience(channel));
}

/** Renames a channel: the message, then the event. */
export function renameChannel(world: World, channel: Channel, by: User, name: string): void {
  const old = channel.name;
  channel.previousNames.unshift(old);
  channel.name = name;
  channel.updated = world.clock.seconds();
  postMessage(
    world,
    channel,
    { user: by },
    {
      text: `has renamed the channel from "${old}" to "${name}"`,
      subtype: systemSubtype(channel, "name"),
      extra: { old_name: old, name },
    },
  );
  announceChannel(world, channel, "rename", { channel: brief(channel) });
}

/** Sets the topic or the purpose. */
export function setNote(world: World, channel: Channel, by: User, what: "topic" | "purpose", value: string): void {
  channel[what] = { value, creator: by.id, lastSet: world.clock.seconds() };
  channel.updated = world.clock.seconds();
  postMessage(
    world,
    channel,
    { user: by },
    {
      text: value === "" ? `cleared channel ${what}` : `set the channel ${what}: ${value}`,
      subtype: systemSubtype(channel, what),
      extra: { [what]: value },
    },
  );
}

/** Archives a channel: the message, then the event. */
export function archiveChannel(world: World, channel: Channel, by: User): void {
  postMessage(
    world,
    channel,
    { user: by },
    { text: "archived the channel", subtype: systemSubtype(channel, "archive") },
  );
  channel.archived = true;
  channel.updated = world.clock.seconds();
  announceChannel(world, channel, "archive", { channel: channel.id, user: by.id, is_moved: 0 });
}

/** Takes a channel out of the archive. */
export function unarchiveChannel(world: World, channel: Channel, by: User): void {
  channel.archived = false;
  channel.members.add(by.id);
  channel.updated = world.clock.seconds();
  postMessage(
    world,
    channel,
    { user: by },
    { text: "un-archived the channel", subtype: systemSubtype(channel, "unarchive") },
  );
  announceChannel(world, channel, "unarchive", { channel: channel.id, user: by.id });
}

/** Makes a public channel private, or a private one public. */
export function convertChannel(world: World, channel: Channel, by: User, to: "private" | "public"): void {
  channel.kind = to;
  channel.updated = world.clock.seconds();
  postMessage(
    world,
    channel,
    { user: by },
    { text: `made this channel *${to}*.`, subtype: `channel_convert_to_${to}` },
  );
}

/** Deletes a channel with everything in it. */
export function deleteChannel(world: World, channel: Channel, by: User): void {
  announceChannel(world, channel, "deleted", { channel: channel.id, actor_id: by.id });
  world.channels.delete(channel.id);
}

/** Shares a channel with another workspace; `external` when that one belongs to another organisation. */
export function shareChannel(world: World, channel: Channel, teamId: string, external: boolean): void {
  if (channel.teamIds.includes(teamId)) return;
  channel.teamIds.push(teamId);
  if (external) channel.externallyShared = true;
  announceShared(world, channel, "channel_shared", { connected_team_id: teamId });
}

/** Ends the sharing with a workspace; its people leave. */
export function unshareChannel(world: World, channel: Channel, teamId: string): void {
  const at = channel.teamIds.indexOf(teamId);
  if (at < 1) return;
  channel.teamIds.splice(at, 1);
  for (const member of [...channel.members])
    if (world.users.get(member)?.teamId === teamId) channel.members.delete(member);
  if (channel.teamIds.length === 1) channel.externallyShared = false;
  announceShared(world, channel, "channel_unshared", {
    previously_connected_team_id: teamId,
    is_ext_shared: channel.externallyShared,
  });
}

function announceShared(world: World, channel: Channel, type: string, fields: JsonObject): void {
  world.publish(
    { type, ...fields, channel: channel.id, event_ts: world.eventTs(channel) },
    { kind: "channel", channel },
  );
}

/** Gives a channel another id, as a move between workspaces of an organisation may. */
export function changeChannelId(world: World, channel: Channel, id: string): void {
  const old = channel.id;
  world.channels.delete(old);
  channel.id = id;
  world.channels.set(id, channel);
  world.publish(
    { type: "channel_id_changed", old_channel_id: old, new_channel_id: id, event_ts: world.eventTs(channel) },
    { kind: "channel", channel },
  );
}

/** The direct message of these people (one other: `im`, more: `mpim`), made when there is none. */
export function openDirect(
  world: World,
  opener: User,
  others: readonly User[],
): { channel: Channel; created: boolean } {
  const members = [...new Set([opener.id, ...others.map((user) => user.id)])];
  const kind = members.length > 2 ? "mpim" : "im";
  for (const channel of world.channels.values()) {
    if (
      channel.kind === kind &&
      channel.members.size === members.length &&
      members.every((member) => channel.members.has(member))
    )
      return { channel, created: false };
  }
  const names = members.map((id) => world.user(id).name).sort();
  const name = kind === "mpim" ? `mpdm-${names.join("--")}-1` : "";
  return {
    channel: createChannel(world, { kind, name, teamId: opener.teamId, creatorId: opener.id, members }),
    created: true,
  };
}
