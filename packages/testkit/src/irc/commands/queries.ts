import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { matchesMask } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, param } from "./command.js";
import { sendMotd } from "./registration.js";

export const queryCommands: Commands = {
  WHO: { needs: 1, run: who },
  WHOIS: { needs: 1, run: whois },
  USERHOST: { needs: 1, run: userhost },
  ISON: { needs: 1, run: ison },
  MOTD: { needs: 0, run: ({ network, client }) => sendMotd(network, client) },
  VERSION: {
    needs: 0,
    run: ({ network, client }) => network.reply(client, "351", ["trestle-testkit", network.settings.name], ""),
  },
  TIME: {
    needs: 0,
    run: ({ network, client }) => network.reply(client, "391", [network.settings.name], new Date().toISOString()),
  },
};

function who(call: Call): void {
  const { client, network } = call;
  const mask = param(call, 0);
  const channel = network.findChannel(mask);
  if (channel !== undefined) {
    if (!channel.isSecretFor(client)) {
      for (const member of network.reachable(channel, client)) whoReply(network, client, member, channel);
    }
  } else {
    for (const other of network.clients) {
      if (
        !other.registered ||
        other.side !== client.side ||
        !matchesMask(network.fold(mask), network.fold(other.shownNick))
      )
        continue;
      whoReply(network, client, other, undefined);
    }
  }
  network.reply(client, "315", [mask], "End of /WHO list.");
}

function whoReply(network: Network, client: Client, other: Client, channel: Channel | undefined): void {
  const prefix = channel?.prefixOf(other, client.has("multi-prefix")) ?? "";
  const flags = `${other.away === undefined ? "H" : "G"}${other.modes.has("B") ? "B" : ""}${prefix}`;
  const { name } = network.settings;
  network.reply(
    client,
    "352",
    [channel?.name ?? "*", other.user, other.host, name, other.shownNick, flags],
    `0 ${other.realname}`,
  );
}

function whois(call: Call): void {
  const { client, network } = call;
  const nick = call.params[1] ?? param(call, 0);
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
  if (other.away !== undefined) network.reply(client, "301", [nick], other.away);
  if (other.account !== undefined) network.reply(client, "330", [nick, other.account], "is logged in as");
  if (other.modes.has("B")) network.reply(client, "335", [nick], "is a bot");
  if (other.secure) network.reply(client, "671", [nick], "is using a secure connection");
  const idle = Math.floor((Date.now() - other.lastSpokeAt) / 1000);
  network.reply(
    client,
    "317",
    [nick, String(idle), String(Math.floor(other.connectedAt / 1000))],
    "seconds idle, signon time",
  );
}

function userhost({ client, network, params }: Call): void {
  const found = params.flatMap((nick) => network.findClient(nick, client) ?? []);
  const words = found.map(
    (other) => `${other.shownNick}=${other.away === undefined ? "+" : "-"}${other.user}@${other.host}`,
  );
  network.reply(client, "302", [], words.join(" "));
}

function ison({ client, network, params }: Call): void {
  const nicks = params.flatMap((word) => list(word.replaceAll(" ", ",")));
  network.reply(
    client,
    "303",
    [],
    nicks.flatMap((nick) => network.findClient(nick, client)?.shownNick ?? []).join(" "),
  );
}
