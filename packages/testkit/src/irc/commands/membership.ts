import { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { isChannelName, matchesMask } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, ownChannel, param } from "./command.js";
import { sendNames, sendTopic } from "./channels.js";

export const membershipCommands: Commands = {
  JOIN: { needs: 1, run: join },
  PART: { needs: 1, run: part },
  KICK: { needs: 2, run: kick },
  INVITE: { needs: 2, run: invite },
};

function join(call: Call): void {
  const { client, network } = call;
  if (param(call, 0) === "0") {
    for (const channel of [...client.channels]) leave(network, client, channel, "");
    return;
  }
  const keys = list(call.params[1] ?? "");
  for (const [index, name] of list(param(call, 0)).entries()) joinOne(network, client, name, keys[index]);
}

function joinOne(network: Network, client: Client, name: string, key: string | undefined): void {
  const { limits } = network.settings;
  if (!isChannelName(name, limits.channel)) {
    network.reply(client, "403", [name], "No such channel");
    return;
  }
  const target = network.faults.forwards.get(network.fold(name));
  if (target !== undefined) {
    network.reply(client, "470", [name, target], "Forwarding to another channel");
    joinOne(network, client, target, key);
    return;
  }
  const channel = network.findChannel(name);
  if (channel?.members.has(client) === true) return;
  if (client.channels.size >= limits.channels) {
    network.reply(client, "405", [name], "You have joined too many channels");
    return;
  }
  const refusal = channel === undefined ? undefined : whyNot(network, client, channel, key);
  if (refusal !== undefined) network.reply(client, refusal[0], [name], refusal[1]);
  else enter(network, client, channel ?? create(network, name));
}

function create(network: Network, name: string): Channel {
  const channel = new Channel(name);
  network.channels.set(network.fold(name), channel);
  return channel;
}

function whyNot(
  network: Network,
  client: Client,
  channel: Channel,
  key: string | undefined,
): [string, string] | undefined {
  const invited = client.invitedTo.has(network.fold(channel.name));
  if (isBanned(network, channel, client) && !invited) return ["474", "Cannot join channel (you're banned)"];
  if (channel.flags.has("i") && !invited) return ["473", "Cannot join channel (invite only)"];
  if (channel.flags.has("r") && client.account === undefined) {
    return ["477", "You need to be identified with a registered account to join"];
  }
  if (channel.key !== undefined && channel.key !== key) return ["475", "Cannot join channel (incorrect channel key)"];
  if (channel.limit !== undefined && channel.members.size >= channel.limit && !invited) {
    return ["471", "Cannot join channel (channel is full)"];
  }
  return undefined;
}

export function isBanned(network: Network, channel: Channel, client: Client): boolean {
  const mask = network.fold(client.mask);
  return channel.bans.some((ban) => matchesMask(network.fold(ban.mask), mask));
}

function enter(network: Network, client: Client, channel: Channel): void {
  channel.members.set(client, { op: channel.members.size === 0, voice: false });
  client.channels.add(channel);
  client.invitedTo.delete(network.fold(channel.name));
  announceJoin(network, client, channel, network.reachable(channel, client));
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

function part(call: Call): void {
  const { client, network } = call;
  for (const name of list(param(call, 0))) {
    const channel = ownChannel(call, name);
    if (channel !== undefined) leave(network, client, channel, call.params[1] ?? "");
  }
}

function leave(network: Network, client: Client, channel: Channel, reason: string): void {
  const params = reason === "" ? [channel.name] : [channel.name, reason];
  const body = network.body(client.mask, "PART", params, reason !== "");
  const stamp = network.stampOf(client);
  for (const member of network.reachable(channel, client)) network.send(member, body, stamp);
  remove(network, client, channel);
}

function remove(network: Network, client: Client, channel: Channel): void {
  channel.members.delete(client);
  client.channels.delete(channel);
  if (channel.members.size === 0) network.channels.delete(network.fold(channel.name));
}

function kick(call: Call): void {
  const { client, network } = call;
  const channel = ownChannel(call, param(call, 0));
  if (channel === undefined) return;
  if (!channel.isOp(client)) {
    network.reply(client, "482", [channel.name], "You must be a channel operator");
    return;
  }
  const reason = (call.params[2] ?? client.shownNick).slice(0, network.settings.limits.kick);
  for (const nick of list(param(call, 1)).slice(0, network.settings.limits.targets)) {
    const target = network.findClient(nick, client);
    if (target === undefined) {
      network.reply(client, "401", [nick], "No such nick");
    } else if (!channel.members.has(target)) {
      network.reply(client, "441", [target.shownNick, channel.name], "They are not on that channel");
    } else {
      kickMember(network, client.mask, channel, target, reason);
    }
  }
}

export function kickMember(network: Network, by: string, channel: Channel, target: Client, reason: string): void {
  const to = network.reachable(channel, target);
  network.relay(by, "KICK", [channel.name, target.shownNick, reason], { to });
  remove(network, target, channel);
}

function invite(call: Call): void {
  const { client, network } = call;
  const [nick, name] = [param(call, 0), param(call, 1)];
  const target = network.findClient(nick, client);
  if (target === undefined) {
    network.reply(client, "401", [nick], "No such nick");
    return;
  }
  const channel = ownChannel(call, name);
  if (channel === undefined) return;
  if (channel.members.has(target)) {
    network.reply(client, "443", [target.shownNick, channel.name], "is already on channel");
  } else if (channel.flags.has("i") && !channel.isOp(client)) {
    network.reply(client, "482", [channel.name], "You must be a channel operator");
  } else {
    target.invitedTo.add(network.fold(channel.name));
    network.reply(client, "341", [target.shownNick, channel.name]);
    const told = network
      .reachable(channel, client)
      .filter((one) => one !== client && one.has("invite-notify") && channel.isOp(one));
    network.relay(client.mask, "INVITE", [target.shownNick, channel.name], { to: [target, ...told] });
  }
}
