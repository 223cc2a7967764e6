import type { RemoteAvatar } from "./events.js";
import type { ChannelId } from "./ids.js";
import type { ChannelSettings } from "./roles.js";

/** A channel, as `resolveChannel` found it. */
export interface ChannelInfo {
  readonly id: ChannelId;
  readonly name: string;
  readonly topic?: string;
  /**
   * How it is set, for the room that is made for it. What cannot be known yet is best said to be `secret`: until a
   * `channel` event says otherwise nobody is then shown what was said before they came.
   */
  readonly settings?: ChannelSettings;
}

/** What several channels are part of: a Slack workspace, an IRC network, a service of XMPP rooms. */
export interface SpaceInfo {
  /** In the connector's own, stable spelling. */
  readonly id: string;
  readonly name: string;
  readonly topic?: string;
  readonly picture?: RemoteAvatar;
}
