import { Channel, type Standing } from "../channel.js";
import type { Client } from "../client.js";
import { type JoinRefusal, REFUSALS } from "../faults/faults.js";
import { isBanned, isInvited } from "../modes/masks.js";
import { isChannelName } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, param } from "./command.js";
import { sendNames } from "./names.js";
import { leave } from "./part.js";
import { sendTopic } from "./topic.js";

export const joinCommands: Commands = {
  JOIN: { needs: 1, run: join },
};

/** How often a join may be forwarded before it is given up. */
const MOST_FORWARDS = 5;

function join(call: Call): void {
  const { client, network } = call;
  if (param(call, 0) === "0") {
    for (const channel of [...client.channels]) leave(network, client, channel, "");
    return;
  }
  const keys = (call.params[1] ?? "").split(",");
  for (const [index, name] of list(param(call, 0)).entries()) joinOne(network, client, name, keys[index]);
}

function joinOne(network: Network, client: Client, name: string, key: string | undefined, forwards = 0): void {
  const { limits } = network.settings;
  if (!isChannelName(name, limits.channel)) {
    network.reply(client, "403", [name], REFUSALS["403"]);
    return;
  }
  const folded = network.fold(name);
  const channel = network.findChannel(name);
  if (channel?.members.has(client) === true) return;
  const refusal =
    network.faults.closedChannels.get(folded) ??
    (client.channels.size >= limits.channels ? "405" : undefined) ??
    (channel === undefined ? undefined : whyNot(network, client, channel, key));
  const target =
    network.faults.forwards.get(folded) ?? (refusal === undefined ? undefined : channel?.settings.get("f"));
  if (target !== undefined && forwards < MOST_FORWARDS) {
    network.reply(client, "470", [name, target], "Forwarding to another channel");
    joinOne(network, client, target, undefined, forwards + 1);
  } else if (refusal !== undefined) {
    network.reply(client, refusal, [name], REFUSALS[refusal]);
  } else {
    enter(network, client, channel ?? create(network, name));
  }
}

function create(network: Network, name: string): Channel {
  const channel = new Channel(name, network.now());
  network.channels.set(network.fold(name), channel);
  return channel;
}

function whyNot(network: Network, client: Client, channel: Channel, key: string | undefined): JoinRefusal | undefined {
  const invited = isInvited(network, channel, client);
  if (isBanned(network, channel, client) && !client.invitedTo.has(network.fold(channel.name))) return "474";
  if (channel.flags.has("i") && !invited) return "473";
  if (channel.flags.has("r") && client.account === undefined) return "477";
  if (channel.key !== undefined && channel.key !== key) return "475";
  if (channel.limit !== undefined && channel.members.size >= channel.limit && !invited) return "471";
  return undefined;
}

function enter(network: Network, client: Client, channel: Channel): void {
  const standing: Standing = new Set(channel.members.size === 0 ? ["o"] : []);
  channel.members.set(client, standing);
  client.channels.add(channel);
  client.invitedTo.delete(network.fold(channel.name));
  announceJoin(network, client, channel, network.reachable(channel, client));
  network.keepEvent(channel, client.mask, "JOIN", [channel.name], network.stampOf(client));
  if (channel.topic !== undefined) sendTopic(network, client, channel);
  sendNames(network, client, channel);
}

/** JOIN as each of `to` may see it: plain or extended, with AWAY behind it. */
export function announceJoin(
  network: Network,
  client: Client,
  channel: Channel,
  to: readonly Client[],
  batch?: string,
): void {
  const stamp = { ...network.stampOf(client), batch };
  const extended = [channel.name, client.account ?? "*", client.realname];
  const plain = network.body(client.mask, "JOIN", [channel.name], false);
  const long = network.body(client.mask, "JOIN", extended);
  for (const member of to) network.send(member, member.has("extended-join") ? long : plain, stamp);
  if (client.away === undefined) return;
  const told = to.filter((member) => member !== client && member.has("away-notify"));
  network.relay(client.mask, "AWAY", [client.away], { to: told, stamp });
}
