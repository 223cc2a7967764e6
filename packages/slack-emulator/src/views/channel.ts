import { compact, type JsonObject } from "../json.js";
import type { Channel, Note } from "../state/channels.js";
import type { World } from "../state/world.js";

/** What events call the kind of a conversation in `channel_type`. */
export function channelType(channel: Channel): "channel" | "group" | "im" | "mpim" {
  if (channel.kind === "public") return "channel";
  return channel.kind === "private" ? "group" : channel.kind;
}

/** The end of the scopes and event names that concern a conversation: `channels:history`, `message.groups`, … */
export function scopeFamily(channel: Channel): "channels" | "groups" | "im" | "mpim" {
  if (channel.kind === "public") return "channels";
  return channel.kind === "private" ? "groups" : channel.kind;
}

/** A name in the form in which channels compare. */
export function normalizedName(channel: Channel): string {
  return channel.name.normalize("NFKC").toLowerCase();
}

function noteView(note: Note): JsonObject {
  return { value: note.value, creator: note.creator, last_set: note.lastSet };
}

function directView(channel: Channel, viewerUserId: string): JsonObject {
  const other = [...channel.members].find((member) => member !== viewerUserId) ?? viewerUserId;
  return {
    id: channel.id,
    created: channel.created,
    is_archived: channel.archived,
    is_im: true,
    is_org_shared: false,
    context_team_id: channel.teamIds[0] ?? "",
    updated: channel.updated * 1000,
    user: other,
    priority: 0,
  };
}

/** A conversation as `conversations.info` and its family show it to a user; direct messages have a form of their own. */
export function channelView(channel: Channel, viewerUserId: string, teamId: string): JsonObject {
  if (channel.kind === "im") return directView(channel, viewerUserId);
  const shared = channel.teamIds.length > 1;
  const member = channel.members.has(viewerUserId);
  return compact({
    id: channel.id,
    name: channel.name,
    is_channel: channel.kind !== "mpim" && !channel.id.startsWith("G"),
    is_group: channel.kind === "private" && channel.id.startsWith("G"),
    is_im: false,
    is_mpim: channel.kind === "mpim",
    is_private: channel.kind !== "public",
    created: channel.created,
    is_archived: channel.archived,
    is_general: channel.general,
    unlinked: 0,
    name_normalized: normalizedName(channel),
    is_shared: shared,
    is_org_shared: shared && !channel.externallyShared,
    is_ext_shared: channel.externallyShared,
    is_pending_ext_shared: false,
    pending_shared: [],
    pending_connected_team_ids: [],
    context_team_id: teamId,
    updated: channel.updated * 1000,
    creator: channel.creator,
    shared_team_ids: [...channel.teamIds],
    conversation_host_id: shared ? channel.teamIds[0] : undefined,
    internal_team_ids: shared && !channel.externallyShared ? [...channel.teamIds] : undefined,
    is_member: member,
    last_read: member ? (channel.lastRead.get(viewerUserId) ?? "0000000000.000000") : undefined,
    topic: noteView(channel.topic),
    purpose: noteView(channel.purpose),
    previous_names: [...channel.previousNames],
  });
}

/** A field less, for the answers whose recorded form lacks it. */
export function without(object: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** The URL of a workspace, as Slack's own. */
export function teamUrl(world: World, teamId: string): string {
  return `https://${world.team(teamId).domain}.slack.com/`;
}

/** A link to a message. */
export function permalink(
  world: World,
  channel: Channel,
  ts: string,
  threadTs: string | undefined,
  teamId: string,
): string {
  const thread = threadTs === undefined || threadTs === ts ? "" : `?thread_ts=${threadTs}&cid=${channel.id}`;
  return `${teamUrl(world, teamId)}archives/${channel.id}/p${ts.replace(".", "")}${thread}`;
}
