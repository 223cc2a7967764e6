import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, ownChannel, param } from "./command.js";

export const partCommands: Commands = {
  PART: { needs: 1, run: part },
};

function part(call: Call): void {
  const { client, network } = call;
  for (const name of list(param(call, 0))) {
    const channel = ownChannel(call, name);
    if (channel !== undefined) leave(network, client, channel, call.params[1] ?? "");
  }
}

export function leave(network: Network, client: Client, channel: Channel, reason: string): void {
  const params = reason === "" ? [channel.name] : [channel.name, reason];
  const body = network.body(client.mask, "PART", params, reason !== "");
  const stamp = network.stampOf(client);
  for (const member of network.reachable(channel, client)) network.send(member, body, stamp);
  network.keepEvent(channel, client.mask, "PART", params, stamp);
  remove(network, client, channel);
}

export function remove(network: Network, client: Client, channel: Channel): void {
  channel.members.delete(client);
  client.channels.delete(channel);
  if (channel.members.size === 0) network.channels.delete(network.fold(channel.name));
}
