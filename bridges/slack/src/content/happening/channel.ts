import { flagIn, given, recordIn, textIn, type JsonRecord } from "../json.js";
import { bridged, ignored, incomplete, type ChannelHappening, type Outcome } from "./outcome.js";

type Reader = (event: JsonRecord, type: string) => Outcome;

/** What the events about channels and their members mean. */
export const channelReaders: Readonly<Record<string, Reader>> = {
  member_joined_channel: (event, type) => membership(event, type, "join"),
  member_left_channel: (event, type) => membership(event, type, "leave"),
  channel_rename: renamed,
  group_rename: renamed,
  mpim_rename: renamed,
  channel_archive: (event, type) =>
    inChannel(event, type, (base) => ({ ...base, kind: "channelArchived", archived: true })),
  group_archive: (event, type) =>
    inChannel(event, type, (base) => ({ ...base, kind: "channelArchived", archived: true })),
  channel_unarchive: (event, type) =>
    inChannel(event, type, (base) => ({ ...base, kind: "channelArchived", archived: false })),
  group_unarchive: (event, type) =>
    inChannel(event, type, (base) => ({ ...base, kind: "channelArchived", archived: false })),
  channel_deleted: (event, type) =>
    inChannel(event, type, (base) => ({ ...base, kind: "channelGone", how: "deleted" })),
  group_deleted: (event, type) => inChannel(event, type, (base) => ({ ...base, kind: "channelGone", how: "deleted" })),
  channel_left: (event, type) => inChannel(event, type, (base) => ({ ...base, kind: "channelGone", how: "left" })),
  group_left: (event, type) => inChannel(event, type, (base) => ({ ...base, kind: "channelGone", how: "left" })),
  channel_created: created,
  im_created: direct,
  im_open: direct,
  channel_id_changed: idChanged,
  channel_convert_to_private: (event, type) =>
    inChannel(event, type, (base) => ({ ...base, kind: "channelPrivacy", isPrivate: true })),
  channel_shared: (event, type) =>
    inChannel(event, type, (base) =>
      given({ ...base, kind: "channelShared", isShared: true, team: textIn(event, "connected_team_id") } as const),
    ),
  channel_unshared: (event, type) =>
    inChannel(event, type, (base) =>
      given({
        ...base,
        kind: "channelShared",
        isShared: flagIn(event, "is_ext_shared"),
        team: textIn(event, "previously_connected_team_id"),
      } as const),
    ),
  channel_history_changed: historyChanged,
  group_history_changed: historyChanged,
  im_history_changed: historyChanged,
};

interface Base {
  readonly channel: string;
  readonly key: string;
  readonly user?: string;
}

/** A channel is told by its id, or by an object that has one. */
function channelOf(event: JsonRecord): string | undefined {
  const inside = recordIn(event, "channel");
  return (inside === undefined ? undefined : textIn(inside, "id")) ?? textIn(event, "channel");
}

function inChannel(event: JsonRecord, type: string, make: (base: Base) => ChannelHappening): Outcome {
  const channel = channelOf(event);
  if (channel === undefined) return incomplete(type, "channel");
  const user = textIn(event, "user") ?? textIn(event, "actor_id");
  const key = `${type}/${textIn(event, "event_ts") ?? ""}`;
  return bridged(make(given({ channel, key, user })));
}

function membership(event: JsonRecord, type: string, change: "join" | "leave"): Outcome {
  const user = textIn(event, "user");
  if (user === undefined) return incomplete(type, "user");
  return inChannel(event, type, ({ channel, key }) =>
    given({
      kind: "membership",
      channel,
      key: `${key}/${user}`,
      change,
      user,
      team: textIn(event, "team"),
      inviter: textIn(event, "inviter"),
    } as const),
  );
}

function renamed(event: JsonRecord, type: string): Outcome {
  const inside = recordIn(event, "channel");
  const name = inside === undefined ? undefined : textIn(inside, "name");
  if (name === undefined) return incomplete(type, "channel.name");
  return inChannel(event, type, ({ channel, key }) => ({ kind: "channelName", channel, key, name }));
}

function created(event: JsonRecord, type: string): Outcome {
  const inside = recordIn(event, "channel");
  return inChannel(event, type, ({ channel, key }) =>
    given({
      kind: "channelCreated",
      channel,
      key,
      name: inside === undefined ? undefined : textIn(inside, "name"),
      user: inside === undefined ? undefined : textIn(inside, "creator"),
    } as const),
  );
}

function direct(event: JsonRecord, type: string): Outcome {
  const user = textIn(event, "user");
  if (user === undefined) return incomplete(type, "user");
  return inChannel(event, type, ({ channel, key }) => ({ kind: "directOpened", channel, key, user }));
}

function idChanged(event: JsonRecord, type: string): Outcome {
  const [channel, newChannel] = [textIn(event, "old_channel_id"), textIn(event, "new_channel_id")];
  if (channel === undefined || newChannel === undefined) return incomplete(type, "old or new channel id");
  return bridged({ kind: "channelId", channel, key: `${type}/${newChannel}`, newChannel });
}

function historyChanged(event: JsonRecord, type: string): Outcome {
  const channel = channelOf(event);
  // The channel is told beside the event, or not at all: then there is nothing to look at.
  if (channel === undefined) return ignored(type, "it does not name the channel");
  return inChannel(event, type, ({ key }) =>
    given({ kind: "historyChanged", channel, key, latest: textIn(event, "latest") } as const),
  );
}
