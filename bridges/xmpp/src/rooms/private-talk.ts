import { ChannelId, RemoteUserId, UserId } from "@trestle/core";
import { bareJidOf } from "../address/index.js";
import type { Conversation } from "../people/conversation.js";

/** What a Matrix user and somebody in a room say to each other alone, through the room (XEP-0045 §7.5). */
export interface PrivateTalk extends Conversation {
  readonly room: ChannelId;
}

/** The core takes no longer ids of channels. */
const longestChannel = 1024;

/** The channel, `@alice:example.org room@conference.example.com <who it is there>`; `undefined` where it is too long. */
export function privateChannelOf({ user, room, person }: PrivateTalk): ChannelId | undefined {
  const channel = `${user} ${room} ${person}`;
  return channel.length > longestChannel ? undefined : ChannelId(channel);
}

/** Between whom a channel is; `undefined` where it is of another kind. Nicks may have spaces in them, addresses have none. */
export function privateTalkOf(channel: string): PrivateTalk | undefined {
  const [, user, room, person] = /^(@\S+:\S+) (\S+@\S+) (.+)$/s.exec(channel) ?? [];
  if (user === undefined || room === undefined || person === undefined || bareJidOf(room) !== room) return undefined;
  return { user: UserId(user), room: ChannelId(room), person: RemoteUserId(person) };
}

/** The room in which somebody is known by what they are there; `undefined` for people with an address of their own. */
export function roomOfOccupant(person: RemoteUserId): ChannelId | undefined {
  const [, room = ""] = /^(?:occupant|nick):([^/]+)\//.exec(person) ?? [];
  return bareJidOf(room) === room && room !== "" ? ChannelId(room) : undefined;
}
