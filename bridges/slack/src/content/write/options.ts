import type { MentionTarget } from "@trestle/rich-text";
import type { Broadcast } from "../read/reader.js";

/** What a mention from Matrix becomes in Slack. */
export type SlackMention =
  | { readonly kind: "user"; readonly id: string }
  | { readonly kind: "channel"; readonly id: string }
  | { readonly kind: "usergroup"; readonly id: string }
  /** A message or a page, by its URL. */
  | { readonly kind: "link"; readonly url: string };

/** How texts are written for Slack. */
export interface WriteOptions {
  /** What a mention of a person, a room or a message becomes; its text where `undefined`. */
  readonly mention?: (target: Exclude<MentionTarget, { readonly kind: "everyone" }>) => SlackMention | undefined;
  /**
   * What a mention of everyone becomes. Only where this is given does anything notify a channel: the caller gives it
   * where the event mentions the room (`m.mentions.room`) and its sender may.
   */
  readonly everyone?: Broadcast;
  /** Whether the workspace has an emoji of its own by this name, without colons. */
  readonly hasEmoji?: (name: string) => boolean;
  /** An action (`/me`) is in italics. */
  readonly style?: "text" | "notice" | "emote";
  readonly limits?: Partial<WriteLimits>;
}

/** What Slack takes in one message, in UTF-16 code units where it is text. */
export interface WriteLimits {
  /** The `text` of a message; Slack cuts what is longer. */
  readonly text: number;
  /** One element of text in a block. */
  readonly element: number;
  /** Blocks in a message. */
  readonly blocks: number;
}

export const slackLimits: WriteLimits = { text: 40_000, element: 3_000, blocks: 50 };

/** Whether an id may stand in a mention: anything else would be text in the midst of markup. */
export function isSlackId(id: string): boolean {
  return /^[A-Z][A-Z0-9]{1,40}$/.test(id);
}
