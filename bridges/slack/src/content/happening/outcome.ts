import type { JsonRecord } from "../json.js";
import type { SlackIcons, SlackMessage } from "../message.js";

/** What one of Slack's events means to the bridge. */
export type Outcome =
  | { readonly outcome: "bridged"; readonly what: Happening }
  /** Understood, and nothing to do: why not, for people. */
  | { readonly outcome: "ignored"; readonly type: string; readonly reason: string }
  /** Of a type, or a subtype (`message/…`), made after this was written. */
  | { readonly outcome: "unknown"; readonly type: string };

/** Something that the bridge carries to Matrix or must act upon itself. */
export type Happening = MessageHappening | ChannelHappening | WorkspaceHappening;

interface InChannel {
  readonly channel: string;
  /**
   * The same whenever the same thing is told again, and different from everything else in the channel. For a message it
   * is its `ts`; what is read from a history later gets the same key where it is told there at all.
   */
  readonly key: string;
}

/** Who did something. At least one of `user` and `botId` is there, or a `name`. */
export interface SlackSender {
  readonly user?: string;
  /** The workspace of the user, where it is told; another one in shared channels. */
  readonly team?: string;
  readonly botId?: string;
  readonly appId?: string;
  /** The name for this one message, or else the name of the app. */
  readonly name?: string;
  readonly icons?: SlackIcons;
  /** Whether `name` and `icons` were given to this one message. */
  readonly isOverride: boolean;
}

export type MessageHappening = MessageSent | MessageEdited | MessageDeleted | ReactionChanged | PinChanged;

/** Somebody said something. */
export interface MessageSent extends InChannel {
  readonly kind: "message";
  readonly ts: string;
  readonly sender: SlackSender;
  readonly style: "text" | "notice" | "emote";
  readonly message: SlackMessage;
  /** The first message of the thread in which it stands. */
  readonly threadTs?: string;
  /** It stands in the thread and in the channel. */
  readonly isBroadcast: boolean;
}

/** A message was changed for everybody to see. */
export interface MessageEdited extends InChannel {
  readonly kind: "edit";
  /** The message that was changed. */
  readonly ts: string;
  /** When, as Slack counts, in whole seconds: an edit with a smaller one is older, of those with the same nothing is said. */
  readonly editedTs: string;
  readonly sender: SlackSender;
  readonly style: "text" | "notice" | "emote";
  readonly message: SlackMessage;
  readonly threadTs?: string;
  /** Whether anything but the files is different. */
  readonly textChanged: boolean;
  /** Ids of files that were taken away. */
  readonly removedFiles: readonly string[];
}

/** A message was deleted, with all that was sent with it. */
export interface MessageDeleted extends InChannel {
  readonly kind: "deletion";
  readonly ts: string;
  readonly threadTs?: string;
  /** The thread under it goes on. */
  readonly keepsThread: boolean;
}

/** Somebody reacted to a message, or took it back. */
export interface ReactionChanged extends InChannel {
  readonly kind: "reaction";
  readonly change: "added" | "removed";
  readonly ts: string;
  readonly user: string;
  /** Without colons, with its skin tone. */
  readonly name: string;
}

/** A message was pinned, or no longer is. */
export interface PinChanged extends InChannel {
  readonly kind: "pin";
  readonly change: "added" | "removed";
  readonly ts: string;
  readonly user?: string;
}

export type ChannelHappening =
  | (InChannel & {
      readonly kind: "membership";
      readonly change: "join" | "leave";
      readonly user: string;
      readonly team?: string;
      readonly inviter?: string;
    })
  | (InChannel & { readonly kind: "channelName"; readonly name: string })
  | (InChannel & { readonly kind: "channelTopic"; readonly topic: string; readonly user?: string })
  | (InChannel & { readonly kind: "channelPurpose"; readonly purpose: string; readonly user?: string })
  | (InChannel & { readonly kind: "channelArchived"; readonly archived: boolean; readonly user?: string })
  | (InChannel & { readonly kind: "channelPrivacy"; readonly isPrivate: boolean; readonly user?: string })
  /** It is gone; or the app is no longer in it. */
  | (InChannel & { readonly kind: "channelGone"; readonly how: "deleted" | "left"; readonly user?: string })
  | (InChannel & { readonly kind: "channelCreated"; readonly name?: string; readonly user?: string })
  /** A conversation with one person was begun. */
  | (InChannel & { readonly kind: "directOpened"; readonly user: string })
  | (InChannel & { readonly kind: "channelId"; readonly newChannel: string })
  /** Whether people of other workspaces are in it changed. */
  | (InChannel & { readonly kind: "channelShared"; readonly isShared: boolean; readonly team?: string })
  /** Messages were deleted in bulk: look at the history again. */
  | (InChannel & { readonly kind: "historyChanged"; readonly latest?: string });

export type WorkspaceHappening =
  /** Somebody's profile: as `users.info` gives it. */
  | { readonly kind: "user"; readonly id: string; readonly user: JsonRecord }
  | { readonly kind: "teamName"; readonly name: string }
  | { readonly kind: "teamDomain"; readonly domain: string; readonly url?: string }
  | { readonly kind: "emoji"; readonly change: EmojiChange }
  | { readonly kind: "usergroup"; readonly id: string; readonly handle?: string; readonly deleted: boolean }
  | { readonly kind: "fileDeleted"; readonly file: string }
  | { readonly kind: "fileChanged"; readonly file: string }
  | { readonly kind: "uninstalled" }
  | { readonly kind: "tokensRevoked"; readonly users: readonly string[]; readonly bots: readonly string[] }
  /** Slack drops events of this minute (seconds since 1970): look at the histories again. */
  | { readonly kind: "rateLimited"; readonly minute?: number }
  | { readonly kind: "gridMigration"; readonly state: "started" | "finished"; readonly enterprise?: string };

/** What changed among the emoji of the workspace's own. */
export type EmojiChange =
  | { readonly how: "added"; readonly name: string; readonly value: string }
  | { readonly how: "removed"; readonly names: readonly string[] }
  | { readonly how: "renamed"; readonly from: string; readonly to: string }
  /** It is not told: ask `emoji.list`. */
  | { readonly how: "unknown" };

export function bridged(what: Happening): Outcome {
  return { outcome: "bridged", what };
}

export function ignored(type: string, reason: string): Outcome {
  return { outcome: "ignored", type, reason };
}

/** An event that lacks what it is about. */
export function incomplete(type: string, field: string): Outcome {
  return ignored(type, `it has no ${field}`);
}
