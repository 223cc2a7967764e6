import { matchesMask } from "../../wire/mask.js";
import type { IrcNetwork } from "../irc-network.js";

/** Whether somebody speaks in a folded channel with a client of their own; otherwise the bot does for them. */
export function speaksByPuppet(network: IrcNetwork, channel: string, user: string): boolean {
  if (!network.speaksByPuppets) return false;
  const { channels, users } = network.config.relayed;
  return !channels.some((each) => network.fold(each) === channel) && !users.some((mask) => matchesMask(mask, user));
}
