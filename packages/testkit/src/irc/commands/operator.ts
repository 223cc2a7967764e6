import type { Client } from "../client.js";
import { closeClient } from "../closing.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";

/** What server operators may do. */
export const operatorCommands: Commands = {
  OPER: { needs: 2, run: oper },
  KILL: { needs: 1, run: kill },
  WALLOPS: { needs: 1, run: wallops },
};

function oper(call: Call): void {
  const { client, network } = call;
  if (network.settings.operators.get(param(call, 0)) !== param(call, 1)) {
    network.reply(
      client,
      network.settings.operators.has(param(call, 0)) ? "464" : "491",
      [],
      "Invalid oper credentials",
    );
    return;
  }
  client.modes.add("o");
  network.reply(client, "381", [], "You are now an IRC operator");
  network.relay(client.mask, "MODE", [client.shownNick, "+o"], { to: [client] });
}

function kill(call: Call): void {
  const { client, network } = call;
  const nick = param(call, 0);
  const target = network.findClient(nick, client);
  if (!client.isOperator) network.reply(client, "481", [], "Permission Denied- You're not an IRC operator");
  else if (target === undefined) network.reply(client, "401", [nick], "No such nick");
  else killClient(network, target, client.shownNick, call.params[1] ?? "No reason", client.mask);
}

/** Closes a client as an operator does: it is told KILL, the others see it quit. */
export function killClient(network: Network, target: Client, by: string, reason: string, source: string): void {
  network.write(target, network.body(source, "KILL", [target.shownNick, reason]), { at: network.now() });
  closeClient(network, target, `Killed (${by} (${reason}))`);
}

function wallops(call: Call): void {
  const { client, network } = call;
  if (!client.isOperator) {
    network.reply(client, "481", [], "Permission Denied- You're not an IRC operator");
    return;
  }
  const to = [...network.clients].filter(({ registered, isOperator }) => registered && isOperator);
  network.relay(client.mask, "WALLOPS", [param(call, 0)], { to });
}
