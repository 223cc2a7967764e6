import type { Channel } from "../channel.js";
import { matchesMask } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list } from "./command.js";

/** Which channels there are: LIST with the filters of ELIST. */
export const listCommands: Commands = {
  LIST: { needs: 0, run: listChannels },
};

/** ELIST: creation time, masks, not-masks, topic time, number of users. */
export const ELIST = "CMNTU";

type Filter = (channel: Channel, users: number) => boolean;

function listChannels(call: Call): void {
  const { client, network } = call;
  const filters = list(call.params[0] ?? "").map((text) => filterOf(network, text));
  network.reply(client, "321", ["Channel"], "Users Name");
  for (const channel of network.channels.values()) {
    const users = network.reachable(channel, client).length;
    if (channel.isSecretFor(client) || !passes(filters, channel, users)) continue;
    network.reply(client, "322", [channel.name, String(users)], channel.topic?.text ?? "");
  }
  network.reply(client, "323", [], "End of channel list.");
}

interface NamedFilter {
  /** Names are alternatives; everything else must hold. */
  readonly isName: boolean;
  readonly test: Filter;
}

function passes(filters: readonly NamedFilter[], channel: Channel, users: number): boolean {
  const names = filters.filter(({ isName }) => isName);
  const rest = filters.filter(({ isName }) => !isName);
  const named = names.length === 0 || names.some(({ test }) => test(channel, users));
  return named && rest.every(({ test }) => test(channel, users));
}

function filterOf(network: Network, text: string): NamedFilter {
  const [, kind = "", sign = "", number = ""] = /^([CT]?)([<>])(\d+)$/.exec(text) ?? [];
  if (sign !== "") {
    const limit = Number(number);
    const compare = (value: number): boolean => (sign === "<" ? value < limit : value > limit);
    return { isName: false, test: (channel, users) => compare(valueOf(network, channel, kind, users)) };
  }
  const inverted = text.startsWith("!");
  const mask = network.fold(inverted ? text.slice(1) : text);
  const matches: Filter = ({ name }) => matchesMask(mask, network.fold(name));
  return { isName: !inverted, test: inverted ? (channel, users) => !matches(channel, users) : matches };
}

/** Minutes since the channel was made or its topic set; how many are in it. */
function valueOf(network: Network, channel: Channel, kind: string, users: number): number {
  if (kind === "C") return (network.now() - channel.createdAt) / 60_000;
  if (kind === "T")
    return channel.topic === undefined ? Number.POSITIVE_INFINITY : (network.now() - channel.topic.at) / 60_000;
  return users;
}
