import { type Failure, retry } from "@trestle/core";
import type { IrcNetwork } from "../irc-network.js";

const SOON_MS = 500;

/**
 * Why it cannot be said yet who is in a channel, or in any: the bot is still on its way there, or the server has not listed
 * everybody. `undefined` where it can be said. Nobody may be taken for absent before.
 */
export function notYetKnown(
  { name, bot, channels, members }: Pick<IrcNetwork, "name" | "bot" | "channels" | "members">,
  channel?: string,
): Failure | undefined {
  const wanted = channel === undefined ? channels.linked : [channel];
  const isUnclear = (each: string): boolean => channels.isComingInto(each) || members.isListing(each);
  if (bot.connection && !wanted.some(isUnclear)) return undefined;
  return retry(`who is in ${channel ?? `the channels of ${name}`} is not known yet`, { afterMs: SOON_MS });
}
