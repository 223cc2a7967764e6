import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { matchesMask } from "../names.js";
import type { Network } from "../network.js";

/** EXTBAN: `R:account` is for who is signed in to it, `m:mask` only silences. */
export const EXTENDED_BANS = "Rm";

/** Whether an entry of a list is about a client: a mask, or an extended ban. */
function covers(network: Network, mask: string, client: Client): boolean {
  if (mask.startsWith("R:"))
    return client.account !== undefined && matchesMask(network.fold(mask.slice(2)), network.fold(client.account));
  const folded = network.fold(mask);
  return (
    matchesMask(folded, network.fold(client.mask)) ||
    matchesMask(folded, network.fold(`${client.shownNick}!${client.user}@${client.address}`))
  );
}

function isListed(network: Network, channel: Channel, letter: string, client: Client): boolean {
  return channel.list(letter).some(({ mask }) => !mask.startsWith("m:") && covers(network, mask, client));
}

/** `+b` without `+e`. */
export function isBanned(network: Network, channel: Channel, client: Client): boolean {
  return isListed(network, channel, "b", client) && !isListed(network, channel, "e", client);
}

/** Banned, quieted by `+q`, or silenced by an `m:` ban. */
export function isSilenced(network: Network, channel: Channel, client: Client): boolean {
  if (isListed(network, channel, "e", client)) return false;
  const muted = channel.list("b").some(({ mask }) => mask.startsWith("m:") && covers(network, mask.slice(2), client));
  return muted || isListed(network, channel, "b", client) || isListed(network, channel, "q", client);
}

/** Invited by name or by `+I`. */
export function isInvited(network: Network, channel: Channel, client: Client): boolean {
  return client.invitedTo.has(network.fold(channel.name)) || isListed(network, channel, "I", client);
}

/** Completes what a person types into a list to `nick!user@host`; extended bans keep their letter. */
export function completeMask(mask: string): string {
  if (mask.startsWith("R:")) return mask;
  if (mask.startsWith("m:")) return `m:${completeMask(mask.slice(2))}`;
  if (mask.includes("!")) return mask.includes("@") ? mask : `${mask}@*`;
  return mask.includes("@") ? `*!${mask}` : `${mask}!*@*`;
}
