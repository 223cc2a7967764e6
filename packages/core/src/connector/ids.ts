declare const brand: unique symbol;
/** A string that is known to be an id of one kind: one of another kind, or a bare string, does not compile in its place. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A Matrix room id, opaque: since room version 12 it holds no server name. Example `!abc:example.org` or `!31hneApx…`. */
export type RoomId = Branded<"RoomId">;
/** A Matrix room alias, `#name:server`. */
export type RoomAlias = Branded<"RoomAlias">;
/** A Matrix event id, opaque. */
export type EventId = Branded<"EventId">;
/** A Matrix user id, `@localpart:server`, at most 255 bytes. */
export type UserId = Branded<"UserId">;
/** A Matrix content URI, `mxc://server/mediaId`. */
export type ContentUri = Branded<"ContentUri">;
/** A place on a network where people talk (an IRC channel or query, a Slack conversation, an XMPP room), in the connector's own, stable spelling. */
export type ChannelId = Branded<"ChannelId">;
/** A person on a network, in the connector's own, stable spelling. */
export type RemoteUserId = Branded<"RemoteUserId">;
/** A message on a network, unique within its channel, in the connector's own, stable spelling. */
export type RemoteMessageId = Branded<"RemoteMessageId">;
/** One thing that must happen exactly once; the same after a crash. At most 40 characters of `[A-Za-z0-9_-]`. */
export type EffectId = Branded<"EffectId">;
/** A Matrix user's own account on a network. */
export type LoginId = Branded<"LoginId">;

/** Takes a string for a room id; it is not checked. */
export const RoomId = (id: string): RoomId => id as RoomId;
/** Takes a string for a room alias; it is not checked. */
export const RoomAlias = (alias: string): RoomAlias => alias as RoomAlias;
/** Takes a string for an event id; it is not checked. */
export const EventId = (id: string): EventId => id as EventId;
/** Takes a string for a user id; it is not checked. */
export const UserId = (id: string): UserId => id as UserId;
/** Takes a string for a content URI; it is not checked. */
export const ContentUri = (uri: string): ContentUri => uri as ContentUri;
/** Takes a string for the id of a channel; it is not checked. */
export const ChannelId = (id: string): ChannelId => id as ChannelId;
/** Takes a string for the id of a person on a network; it is not checked. */
export const RemoteUserId = (id: string): RemoteUserId => id as RemoteUserId;
/** Takes a string for the id of a message on a network; it is not checked. */
export const RemoteMessageId = (id: string): RemoteMessageId => id as RemoteMessageId;
/** Takes a string for the id of an effect; it is not checked. */
export const EffectId = (id: string): EffectId => id as EffectId;
/** Takes a string for the id of a login; it is not checked. */
export const LoginId = (id: string): LoginId => id as LoginId;
