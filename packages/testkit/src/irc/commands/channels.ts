import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, ownChannel, param } from "./command.js";

export const channelCommands: Commands = {
  TOPIC: { needs: 1, run: topic },
  NAMES: { needs: 0, run: names },
  LIST: { needs: 0, run: listChannels },
};

function topic(call: Call): void {
  const { client, network } = call;
  const channel = ownChannel(call, param(call, 0));
  if (channel === undefined) return;
  const text = call.params[1];
  if (text === undefined) {
    if (channel.topic === undefined) network.reply(client, "331", [channel.name], "No topic is set");
    else sendTopic(network, client, channel);
  } else if (channel.flags.has("t") && !channel.isOp(client)) {
    network.reply(client, "482", [channel.name], "You must be a channel operator");
  } else {
    setTopic(network, channel, client, text);
  }
}

/** `by` is the server where it is absent. */
export function setTopic(network: Network, channel: Channel, by: Client | undefined, text: string): void {
  const cut = text.slice(0, network.settings.limits.topic);
  const source = by?.mask ?? network.settings.name;
  channel.topic = cut === "" ? undefined : { text: cut, by: source, at: Date.now() };
  const to = by === undefined ? channel.members.keys() : network.reachable(channel, by);
  const stamp = by === undefined ? { at: Date.now() } : network.stampOf(by);
  network.relay(source, "TOPIC", [channel.name, cut], { to, stamp });
}

export function sendTopic(network: Network, client: Client, channel: Channel): void {
  if (channel.topic === undefined) return;
  network.reply(client, "332", [channel.name], channel.topic.text);
  network.reply(client, "333", [channel.name, channel.topic.by, String(Math.floor(channel.topic.at / 1000))]);
}

function names(call: Call): void {
  const { client, network } = call;
  for (const name of list(call.params[0] ?? "*")) {
    const channel = network.findChannel(name);
    if (channel === undefined || channel.isSecretFor(client)) endOfNames(network, client, name);
    else sendNames(network, client, channel);
  }
}

export function sendNames(network: Network, client: Client, channel: Channel): void {
  const symbol = channel.flags.has("s") ? "@" : "=";
  const inside = channel.members.has(client);
  const head = network.body(network.settings.name, "353", [client.shownNick, symbol, channel.name, ""]).length;
  const room = network.settings.limits.line - 2 - head;
  let words: string[] = [];
  let used = 0;
  const flush = (): void => {
    if (words.length > 0) network.reply(client, "353", [symbol, channel.name], words.join(" "));
    words = [];
    used = 0;
  };
  for (const member of network.reachable(channel, client)) {
    if (!inside && member.modes.has("i")) continue;
    const name = client.has("userhost-in-names") ? member.mask : member.shownNick;
    const word = channel.prefixOf(member, client.has("multi-prefix")) + name;
    if (used + word.length + 1 > room) flush();
    words.push(word);
    used += word.length + 1;
  }
  flush();
  endOfNames(network, client, channel.name);
}

function endOfNames(network: Network, client: Client, name: string): void {
  network.reply(client, "366", [name], "End of /NAMES list.");
}

function listChannels(call: Call): void {
  const { client, network } = call;
  const wanted =
    call.params[0] === undefined ? undefined : new Set(list(call.params[0]).map((name) => network.fold(name)));
  network.reply(client, "321", ["Channel"], "Users Name");
  for (const [folded, channel] of network.channels) {
    if (channel.isSecretFor(client) || (wanted !== undefined && !wanted.has(folded))) continue;
    const count = String(network.reachable(channel, client).length);
    network.reply(client, "322", [channel.name, count], channel.topic?.text ?? "");
  }
  network.reply(client, "323", [], "End of channel list.");
}
