import type { Client } from "../client.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, param } from "./command.js";

/** MONITOR: who is told when which nicks come and go. */
export const monitorCommands: Commands = {
  MONITOR: { needs: 1, run: monitor },
};

function monitor(call: Call): void {
  const { client, network } = call;
  const nicks = list(call.params[1] ?? "").filter((nick) => !/[*?!@]/.test(nick));
  switch (param(call, 0).toUpperCase()) {
    case "+":
      add(network, client, nicks);
      break;
    case "-":
      for (const nick of nicks) client.monitored.delete(network.fold(nick));
      break;
    case "C":
      client.monitored.clear();
      break;
    case "L":
      inLines(network, client, "732", [...client.monitored.values()]);
      network.reply(client, "733", [], "End of MONITOR list");
      break;
    case "S":
      status(network, client, [...client.monitored.values()]);
      break;
    default:
      network.reply(client, "461", ["MONITOR"], "Not enough parameters.");
  }
}

function add(network: Network, client: Client, nicks: readonly string[]): void {
  const { monitor: most } = network.settings.limits;
  const added: string[] = [];
  for (const [index, nick] of nicks.entries()) {
    const folded = network.fold(nick);
    if (client.monitored.has(folded)) continue;
    if (client.monitored.size >= most) {
      network.reply(client, "734", [String(most), nicks.slice(index).join(",")], "Monitor list is full.");
      break;
    }
    client.monitored.set(folded, nick);
    added.push(nick);
  }
  status(network, client, added);
}

function status(network: Network, client: Client, nicks: readonly string[]): void {
  const here = nicks.flatMap((nick) => network.findClient(nick, client) ?? []);
  const away = nicks.filter((nick) => network.findClient(nick, client) === undefined);
  inLines(
    network,
    client,
    "730",
    here.map(({ mask }) => mask),
  );
  inLines(network, client, "731", away);
}

function inLines(network: Network, client: Client, numeric: string, words: readonly string[]): void {
  const room =
    network.settings.limits.line - 2 - network.body(network.settings.name, numeric, [client.shownNick, ""]).length;
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length + 1 > room) {
      network.reply(client, numeric, [], line);
      line = "";
    }
    line = line === "" ? word : `${line},${word}`;
  }
  if (line !== "") network.reply(client, numeric, [], line);
}

/** Tells those who monitor it that a nick is there now. */
export function nickArrived(network: Network, client: Client): void {
  tell(network, client, client.shownNick, (watcher) => network.reply(watcher, "730", [], client.mask));
}

/** Tells those who monitor it that a nick is there no more. */
export function nickLeft(network: Network, client: Client, nick: string): void {
  tell(network, client, nick, (watcher) => network.reply(watcher, "731", [], nick));
}

function tell(network: Network, client: Client, nick: string, say: (watcher: Client) => void): void {
  const folded = network.fold(nick);
  for (const watcher of network.clients)
    if (watcher.side === client.side && watcher.monitored.has(folded)) say(watcher);
}
