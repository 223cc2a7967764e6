import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { HALF_OPERATOR } from "../modes/ranks.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, ownChannel, param } from "./command.js";
import { remove } from "./part.js";

export const kickCommands: Commands = {
  KICK: { needs: 2, run: kick },
};

function kick(call: Call): void {
  const { client, network } = call;
  const channel = ownChannel(call, param(call, 0));
  if (channel === undefined) return;
  const given = call.params[2] ?? "";
  const reason = (given === "" ? client.shownNick : given).slice(0, network.settings.limits.kick);
  for (const nick of list(param(call, 1)).slice(0, network.settings.limits.targets)) {
    const target = network.findClient(nick, client);
    if (!channel.isHalfOp(client)) {
      network.reply(client, "482", [channel.name], "You must be a channel operator");
    } else if (target === undefined) {
      network.reply(client, "401", [nick], "No such nick");
    } else if (!channel.members.has(target)) {
      network.reply(client, "441", [target.shownNick, channel.name], "They are not on that channel");
    } else if (isAbove(channel, target, client)) {
      network.reply(client, "482", [channel.name], "You may not kick somebody of a higher rank");
    } else {
      kickMember(network, client.mask, channel, target, reason, client);
    }
  }
}

/** A half-operator is above voices alone; everybody else may kick their equals. */
function isAbove(channel: Channel, target: Client, client: Client): boolean {
  const [own, other] = [channel.rankOf(client), channel.rankOf(target)];
  return other > own || (own === HALF_OPERATOR && other === HALF_OPERATOR && target !== client);
}

/** `by` is who kicks, where it is not the server. */
export function kickMember(
  network: Network,
  source: string,
  channel: Channel,
  target: Client,
  reason: string,
  by?: Client,
): void {
  const to = network.reachable(channel, target);
  const stamp = by === undefined ? { at: network.now() } : network.stampOf(by);
  network.relayEvent(channel, source, "KICK", [channel.name, target.shownNick, reason], { to, stamp });
  remove(network, target, channel);
}
