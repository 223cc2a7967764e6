import type { Client } from "./client.js";
import { nickLeft } from "./commands/monitor.js";
import type { Network } from "./network.js";

/** Closes a connection with ERROR; the others see it quit. */
export function closeClient(network: Network, client: Client, reason: string): void {
  client.wire.close(`ERROR :Closing link: (${client.user || "unknown"}@${client.host}) [${reason}]`);
  forgetClient(network, client, reason);
}

/** Takes a client out of everything; the others see it quit. */
export function forgetClient(network: Network, client: Client, reason: string): void {
  if (!network.clients.delete(client)) return;
  client.response = undefined;
  const audience = network.audienceOf(client);
  audience.delete(client);
  const stamp = network.stampOf(client);
  if (client.registered) network.relay(client.mask, "QUIT", [reason], { to: audience, stamp });
  for (const channel of client.channels) {
    if (client.registered) network.keepEvent(channel, client.mask, "QUIT", [reason], stamp);
    channel.members.delete(client);
    if (channel.members.size === 0) network.channels.delete(network.fold(channel.name));
  }
  client.channels.clear();
  if (client.nick !== undefined) network.byNick.delete(network.fold(client.nick));
  if (client.registered) {
    network.whowas.add(client, network.now());
    nickLeft(network, client, client.shownNick);
  }
  network.changed();
}
