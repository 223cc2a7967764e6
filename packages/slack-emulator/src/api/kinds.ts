import type { Channel, ChannelKind } from "../state/channels.js";
import { scopeFamily } from "../views/channel.js";
import { SlackError } from "./error.js";
import { type Caller, requireScope } from "./method.js";

const kinds: Readonly<Record<string, ChannelKind>> = {
  public_channel: "public",
  private_channel: "private",
  im: "im",
  mpim: "mpim",
};
const families = { public: "channels", private: "groups", im: "im", mpim: "mpim" } as const;

/** The conversations of the kinds asked for, public channels when none were; each kind needs its scope. */
export function ofKinds(caller: Caller, types: readonly string[], channels: readonly Channel[]): Channel[] {
  const wanted = new Set<ChannelKind>();
  for (const type of types.length === 0 ? ["public_channel"] : types) {
    const kind = kinds[type];
    if (kind === undefined) throw new SlackError("invalid_types");
    requireScope(caller.token, [`${families[kind]}:read`]);
    wanted.add(kind);
  }
  return channels.filter((channel) => wanted.has(channel.kind));
}

/** The scope to read about a conversation. */
export function readScope(channel: Channel): string {
  return `${scopeFamily(channel)}:read`;
}
