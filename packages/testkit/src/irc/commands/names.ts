import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list } from "./command.js";

/** Who is in a channel: NAMES, with `multi-prefix` and `userhost-in-names`. */
export const namesCommands: Commands = {
  NAMES: { needs: 0, run: names },
};

function names(call: Call): void {
  const { client, network } = call;
  if (call.params[0] === undefined) {
    for (const channel of network.channels.values())
      if (!channel.isSecretFor(client)) sendMembers(network, client, channel);
    endOfNames(network, client, "*");
    return;
  }
  for (const name of list(call.params[0])) {
    const channel = network.findChannel(name);
    if (channel === undefined || channel.isSecretFor(client)) endOfNames(network, client, name);
    else sendNames(network, client, channel);
  }
}

export function sendNames(network: Network, client: Client, channel: Channel): void {
  sendMembers(network, client, channel);
  endOfNames(network, client, channel.name);
}

function sendMembers(network: Network, client: Client, channel: Channel): void {
  const symbol = channel.flags.has("s") ? "@" : channel.flags.has("p") ? "*" : "=";
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
}

function endOfNames(network: Network, client: Client, name: string): void {
  network.reply(client, "366", [name], "End of /NAMES list.");
}
