import type { Channel } from "../state/channels.js";

/** Who an event concerns; an app gets it when one of its tokens belongs to somebody it concerns. */
export type Audience =
  /** The members of a conversation. */
  | { readonly kind: "channel"; readonly channel: Channel; readonly teamId?: string }
  /** Everybody in a workspace. */
  | { readonly kind: "team"; readonly teamId: string }
  /** Certain people of a workspace. */
  | { readonly kind: "users"; readonly teamId: string; readonly userIds: readonly string[]; readonly channel?: Channel }
  /** An app, whatever tokens it still has. */
  | { readonly kind: "app"; readonly appId: string; readonly teamId: string };
