import { matchesMask } from "../names.js";
import type { Client } from "../client.js";
import type { Network } from "../network.js";
import type { Call, Commands } from "./command.js";
import { sendMotd } from "./registration.js";

/** What a server says of itself. */
export const serverInfoCommands: Commands = {
  MOTD: { needs: 0, run: (call) => hereOnly(call, () => sendMotd(call.network, call.client)) },
  LUSERS: { needs: 0, run: ({ network, client }) => sendLusers(network, client) },
  VERSION: { needs: 0, run: (call) => hereOnly(call, () => version(call)) },
  TIME: { needs: 0, run: (call) => hereOnly(call, () => time(call)) },
  INFO: { needs: 0, run: (call) => hereOnly(call, () => info(call)) },
  LINKS: { needs: 0, run: links },
};

/** 402 where the command names another server. */
function hereOnly({ network, client, params }: Call, run: () => void): void {
  const [server] = params;
  if (server === undefined || matchesMask(server.toLowerCase(), network.settings.name.toLowerCase())) run();
  else network.reply(client, "402", [server], "No such server");
}

function version({ network, client }: Call): void {
  network.reply(client, "351", ["trestle-testkit", network.settings.name], "");
}

function time({ network, client }: Call): void {
  network.reply(client, "391", [network.settings.name], new Date(network.now()).toISOString());
}

function info({ network, client }: Call): void {
  network.reply(client, "371", [], "The IRC server of the Trestle test kit");
  network.reply(client, "374", [], "End of /INFO list");
}

function links({ network, client }: Call): void {
  const { name, network: title } = network.settings;
  network.reply(client, "364", [name, name], `0 ${title}`);
  network.reply(client, "365", ["*"], "End of /LINKS list.");
}

export function sendLusers(network: Network, client: Client): void {
  const all = [...network.clients];
  const users = all.filter(({ registered }) => registered);
  const invisible = users.filter(({ modes }) => modes.has("i")).length;
  const operators = users.filter(({ isOperator }) => isOperator).length;
  const total = String(users.length);
  network.reply(
    client,
    "251",
    [],
    `There are ${users.length - invisible} users and ${invisible} invisible on 1 servers`,
  );
  network.reply(client, "252", [String(operators)], "operator(s) online");
  network.reply(client, "253", [String(all.length - users.length)], "unknown connections");
  network.reply(client, "254", [String(network.channels.size)], "channels formed");
  network.reply(client, "255", [], `I have ${total} clients and 0 servers`);
  network.reply(client, "265", [total, total], `Current local users ${total}, max ${total}`);
  network.reply(client, "266", [total, total], `Current global users ${total}, max ${total}`);
}
