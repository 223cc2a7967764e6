import { ChannelId } from "@trestle/core";

/** A conversation of a workspace, as Slack calls both. */
export interface Place {
  readonly team: string;
  readonly channel: string;
}

/** `T012AB3CD/C012AB3CD`: a conversation's id alone is unique, but which workspace speaks must be known. */
export function channelIdOf({ team, channel }: Place): ChannelId {
  return ChannelId(`${team}/${channel}`);
}

/** What concerns a whole workspace is in the order of this channel, in which nobody talks. */
export function workspaceLaneOf(team: string): ChannelId {
  return ChannelId(team);
}

/** `undefined` where it is no conversation's id. */
export function placeOf(id: string): Place | undefined {
  const [team, channel, ...more] = id.split("/");
  return team && channel && more.length === 0 ? { team, channel } : undefined;
}
