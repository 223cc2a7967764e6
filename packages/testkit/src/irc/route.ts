import type { Channel } from "./channel.js";
import type { Client } from "./client.js";
import { conversation } from "./history.js";
import { DEAF } from "./modes/letters.js";
import { isSilenced } from "./modes/masks.js";
import { HALF_OPERATOR, RANKS, rankValue, ranksOf, VOICE } from "./modes/ranks.js";
import type { Network } from "./network.js";
import type { LoggedMessage } from "./records.js";
import { isService } from "./services/service.js";

/** To whom a message goes. */
export interface Route {
  /** The channel with its STATUSMSG prefix, or the nick. */
  readonly shown: string;
  /** Under which its log is kept. */
  readonly folded: string;
  /** Under which its history is kept. */
  readonly history: string;
  readonly channel: Channel | undefined;
  readonly others: readonly Client[];
  /** The service that answers, where it is one. */
  readonly service?: string;
}

/** What is said and may be refused for. */
export interface Attempt {
  readonly command: LoggedMessage["command"];
  readonly text: string;
}

// eslint-disable-next-line no-control-regex -- the delimiter of CTCP
const CTCP_BUT_ACTION = /^\x01(?!ACTION )/;
// eslint-disable-next-line no-control-regex -- the colour codes of IRC
const COLOURS = /[\x03\x04]/;

/** Where a message of `client` goes; `undefined` after telling it why nowhere. */
export function routeOf(network: Network, client: Client, target: string, attempt: Attempt): Route | undefined {
  const prefixes = ranksOf(network.settings.ranks).map(({ prefix }) => prefix);
  const first = prefixes.find((prefix) => prefix === target[0]);
  const status = first !== undefined && /^[#&]/.test(target.slice(1)) ? first : "";
  const name = target.slice(status.length);
  if (/^[#&]/.test(name)) return toChannel(network, client, { name, status }, attempt);
  return toNick(network, client, target, attempt);
}

function toChannel(
  network: Network,
  client: Client,
  { name, status }: { readonly name: string; readonly status: string },
  attempt: Attempt,
): Route | undefined {
  const channel = network.findChannel(name);
  if (channel === undefined) {
    if (attempt.command !== "NOTICE") network.reply(client, "403", [status + name], "No such channel");
    return undefined;
  }
  const why = whyMute(network, channel, client, attempt);
  if (why !== undefined) {
    if (attempt.command !== "NOTICE" || client.response !== undefined)
      network.reply(client, "404", [channel.name], `Cannot send to channel (${why})`);
    return undefined;
  }
  const others = network
    .reachable(channel, client)
    .filter((member) => member !== client && hears(channel, member, status));
  const folded = network.fold(channel.name);
  // What only some may hear is not for everyone's history.
  const history = status === "" ? folded : `${status}${folded}`;
  return { shown: status + channel.name, folded, history, channel, others };
}

function whyMute(network: Network, channel: Channel, client: Client, attempt: Attempt): string | undefined {
  if (!channel.members.has(client) && channel.flags.has("n")) return "no external messages";
  if (channel.flags.has("C") && CTCP_BUT_ACTION.test(attempt.text)) return "no CTCP";
  if (channel.flags.has("c") && COLOURS.test(attempt.text)) return "no colours";
  if (channel.rankOf(client) >= VOICE) return undefined;
  if (channel.flags.has("m")) return "+m";
  return isSilenced(network, channel, client) ? "you're banned" : undefined;
}

function hears(channel: Channel, member: Client, status: string): boolean {
  if (member.modes.has(DEAF)) return false;
  const rank = RANKS.find(({ prefix }) => prefix === status);
  return rank === undefined || channel.rankOf(member) >= rankValue(new Set([rank.mode]));
}

function toNick(network: Network, client: Client, target: string, { command }: Attempt): Route | undefined {
  if (isService(network, target)) {
    const folded = network.fold(target);
    const history = conversation(network.fold(client.shownNick), folded);
    return { shown: target, folded, history, channel: undefined, others: [], service: target };
  }
  const other = network.findClient(target, client);
  if (other === undefined) {
    if (command !== "NOTICE") network.reply(client, "401", [target], "No such nick");
    return undefined;
  }
  if (command === "PRIVMSG" && other.away !== undefined) network.reply(client, "301", [other.shownNick], other.away);
  const folded = network.fold(other.shownNick);
  return {
    shown: other.shownNick,
    folded,
    history: conversation(network.fold(client.shownNick), folded),
    channel: undefined,
    others: [other],
  };
}

/** Whether a client may speak for others in a channel, or take back what others said. */
export const isModerator = (channel: Channel, client: Client): boolean =>
  client.isOperator || channel.rankOf(client) >= HALF_OPERATOR;
