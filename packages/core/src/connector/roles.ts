import type { RemoteUser } from "./events.js";
import type { RemoteUserId, UserId } from "./ids.js";

/** What somebody may do in a channel, from most to least. */
export const roles = ["owner", "admin", "moderator", "helper", "speaker", "none"] as const;

/**
 * Somebody's rank in a channel, in words that every network has some of: `owner` (IRC `~`, XMPP owner), `admin` (IRC `&`,
 * XMPP admin), `moderator` (IRC `@`, XMPP moderator), `helper` (IRC `%`), `speaker` (IRC `+`; may speak where not
 * everybody may), `none`. A network without a rank uses the next lower one.
 */
export type Role = (typeof roles)[number];

/** A person of the network, or the client of a Matrix user there. */
export type Ranked = { readonly remote: RemoteUser } | { readonly userId: string };

/** One person's rank. */
export interface RoleChange {
  readonly who: Ranked;
  readonly role: Role;
  /** Also where somebody on Matrix set it by hand: the network refused what they did, and this is how it is. */
  readonly overrules?: boolean;
}

/** Whose rank a Matrix user changed: a person of the network, or a Matrix user. */
export type RankedTarget = { readonly remote: RemoteUserId } | { readonly userId: UserId; readonly name: string };

/** How a channel is set; what is left out is left as it was. */
export interface ChannelSettings {
  /** Only who has a voice (`speaker` or more) can speak (IRC `+m`, an XMPP moderated room). */
  readonly moderated?: boolean;
  /** Only who is invited can come in (IRC `+i`, a members-only XMPP room). */
  readonly inviteOnly?: boolean;
  /** One must know a password to come in (IRC `+k`, a password-protected XMPP room). */
  readonly keyed?: boolean;
  /** It is in no list, and nobody outside of it is to know of it (IRC `+s`, a hidden XMPP room). */
  readonly secret?: boolean;
  /** Only moderators can change the topic (IRC `+t`). */
  readonly topicLocked?: boolean;
}
