import type { Client } from "../client.js";
import { matchesMask } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";

/** Who somebody is or was. */
export const whoisCommands: Commands = {
  WHOIS: { needs: 0, run: whois },
  WHOWAS: { needs: 0, run: whowas },
};

function whois(call: Call): void {
  const { client, network } = call;
  const nick = call.params[1] ?? call.params[0] ?? "";
  if (nick === "") {
    network.reply(client, "431", [], "No nickname given");
    return;
  }
  const other = network.findClient(nick, client);
  if (other === undefined) network.reply(client, "401", [nick], "No such nick");
  else whoisReplies(network, client, other);
  network.reply(client, "318", [other?.shownNick ?? nick], "End of /WHOIS list.");
}

function whoisReplies(network: Network, client: Client, other: Client): void {
  const nick = other.shownNick;
  const channels = [...other.channels].filter((channel) => !channel.isSecretFor(client));
  network.reply(client, "311", [nick, other.user, other.host, "*"], other.realname);
  if (channels.length > 0) {
    network.reply(
      client,
      "319",
      [nick],
      channels.map((channel) => channel.prefixOf(other, true) + channel.name).join(" "),
    );
  }
  network.reply(client, "312", [nick, network.settings.name], network.settings.network);
  if (other.isOperator) network.reply(client, "313", [nick], "is an IRC operator");
  if (other === client || client.isOperator) {
    network.reply(
      client,
      "338",
      [nick, `${other.user}@${other.address}`, other.address],
      "Actual user@host, Actual IP",
    );
    network.reply(client, "379", [nick], `is using modes +${[...other.modes].sort().join("")}`);
    if (other.fingerprint !== undefined)
      network.reply(client, "276", [nick], `has client certificate fingerprint ${other.fingerprint}`);
  }
  if (other.away !== undefined) network.reply(client, "301", [nick], other.away);
  if (other.account !== undefined) network.reply(client, "330", [nick, other.account], "is logged in as");
  if (other.modes.has("B")) network.reply(client, "335", [nick], "is a bot");
  if (other.secure) network.reply(client, "671", [nick], "is using a secure connection");
  const idle = Math.floor((network.now() - other.lastSpokeAt) / 1000);
  network.reply(
    client,
    "317",
    [nick, String(idle), String(Math.floor(other.connectedAt / 1000))],
    "seconds idle, signon time",
  );
}

function whowas(call: Call): void {
  const { client, network, params } = call;
  const nick = param(call, 0);
  if (nick === "") {
    network.reply(client, "431", [], "No nickname given");
    return;
  }
  const count = Number(params[1] ?? 0);
  const mask = network.fold(nick);
  const found = network.whowas.find((one) => matchesMask(mask, network.fold(one)));
  for (const one of count > 0 ? found.slice(0, count) : found) {
    network.reply(client, "314", [one.nick, one.user, one.host, "*"], one.realname);
    network.reply(client, "312", [one.nick, network.settings.name], new Date(one.at).toUTCString());
  }
  if (found.length === 0) network.reply(client, "406", [nick], "There was no such nickname");
  network.reply(client, "369", [nick], "End of WHOWAS");
}
