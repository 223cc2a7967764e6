import { ChannelId, RemoteUserId, UserId } from "@trestle/core";
import { bareJidOf, localOfUser } from "../address/index.js";

/** What one Matrix user and one person on XMPP say to each other alone. */
export interface Conversation {
  readonly user: UserId;
  /** The person's bare JID. */
  readonly person: RemoteUserId;
}

/** The core takes no longer ids of channels. */
const longestChannel = 1024;

/** The channel of a conversation, `@alice:example.org bob@example.com`; `undefined` where the core could not keep it. */
export function channelOf({ user, person }: Conversation): ChannelId | undefined {
  const channel = `${user} ${person}`;
  return channel.length > longestChannel ? undefined : ChannelId(channel);
}

/** The conversation that a channel is; `undefined` where it is a room. */
export function conversationOf(channel: string): Conversation | undefined {
  const [, user, person] = /^(@\S+:\S+) (\S+)$/.exec(channel) ?? [];
  if (user === undefined || person === undefined || bareJidOf(person) !== person) return undefined;
  return { user: UserId(user), person: RemoteUserId(person) };
}

/** The address from which a Matrix user speaks. */
export function addressOf(user: UserId, domain: string): string {
  return `${localOfUser(user)}@${domain}/matrix`;
}
