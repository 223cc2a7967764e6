import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import type { Network } from "../network.js";
import { type Call, type Commands, ownChannel, param } from "./command.js";

export const topicCommands: Commands = {
  TOPIC: { needs: 1, run: topic },
};

function topic(call: Call): void {
  const { client, network } = call;
  const channel = ownChannel(call, param(call, 0));
  if (channel === undefined) return;
  const text = call.params[1];
  if (text === undefined) {
    if (channel.topic === undefined) network.reply(client, "331", [channel.name], "No topic is set");
    else sendTopic(network, client, channel);
  } else if (channel.flags.has("t") && !channel.isHalfOp(client)) {
    network.reply(client, "482", [channel.name], "You must be a channel operator");
  } else {
    setTopic(network, channel, client, text);
  }
}

/** `by` is the server where it is absent. */
export function setTopic(network: Network, channel: Channel, by: Client | undefined, text: string): void {
  const cut = text.slice(0, network.settings.limits.topic);
  const source = by?.mask ?? network.settings.name;
  channel.topic = cut === "" ? undefined : { text: cut, by: source, at: network.now() };
  const to = by === undefined ? channel.members.keys() : network.reachable(channel, by);
  const stamp = by === undefined ? { at: network.now() } : network.stampOf(by);
  network.relayEvent(channel, source, "TOPIC", [channel.name, cut], { to, stamp });
}

export function sendTopic(network: Network, client: Client, channel: Channel): void {
  if (channel.topic === undefined) return;
  network.reply(client, "332", [channel.name], channel.topic.text);
  network.reply(client, "333", [channel.name, channel.topic.by, String(Math.floor(channel.topic.at / 1000))]);
}
