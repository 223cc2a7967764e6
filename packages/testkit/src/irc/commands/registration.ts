import type { Client } from "../client.js";
import { closeClient } from "../closing.js";
import { sendIsupport } from "../isupport.js";
import { USER_MODES } from "../modes/letters.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";
import { nickArrived } from "./monitor.js";
import { sendLusers } from "./server-info.js";

export const registrationCommands: Commands = {
  PASS: { needs: 1, early: true, run: pass },
  USER: { needs: 4, early: true, run: user },
};

function pass(call: Call): void {
  const { client, network } = call;
  if (client.registered) network.reply(client, "462", [], "You may not reregister");
  else client.passwordGiven = param(call, 0);
}

function user(call: Call): void {
  const { client, network } = call;
  if (client.registered || client.user !== "") {
    network.reply(client, "462", [], "You may not reregister");
    return;
  }
  if (param(call, 3) === "") {
    network.reply(client, "461", ["USER"], "Not enough parameters.");
    return;
  }
  client.user =
    param(call, 0)
      .replace(/[^A-Za-z0-9._~-]/g, "")
      .slice(0, network.settings.limits.user) || "unknown";
  client.realname = param(call, 3).slice(0, network.settings.limits.realname);
  registerIfComplete(network, client);
}

/** Welcomes a client once it has a nick and a user and has ended the negotiation of capabilities. */
export function registerIfComplete(network: Network, client: Client): void {
  if (client.registered || client.negotiating || client.nick === undefined || client.user === "") return;
  const { settings, faults } = network;
  if (faults.refusal !== undefined) {
    closeClient(network, client, faults.refusal);
    return;
  }
  if (settings.password !== undefined && client.passwordGiven !== settings.password) {
    network.reply(client, "464", [], "Password incorrect");
    closeClient(network, client, "Bad Password");
    return;
  }
  client.registered = true;
  welcome(network, client);
  nickArrived(network, client);
}

function welcome(network: Network, client: Client): void {
  const { settings, modes } = network;
  const version = "trestle-testkit";
  const lists = [...modes.lists.keys()].join("");
  const withParameter = `${lists}${modes.keyed}${modes.counted}${settings.ranks}`;
  network.reply(client, "001", [], `Welcome to the ${settings.network} IRC Network ${client.mask}`);
  network.reply(client, "002", [], `Your host is ${settings.name}, running version ${version}`);
  network.reply(client, "003", [], `This server was created ${new Date(network.startedAt).toUTCString()}`);
  network.reply(client, "004", [settings.name, version, USER_MODES, `${modes.flags}${withParameter}`, withParameter]);
  if (settings.isupport) sendIsupport(network, client);
  sendLusers(network, client);
  sendMotd(network, client);
}

export function sendMotd(network: Network, client: Client): void {
  const { motd, name } = network.settings;
  if (motd.length === 0) {
    network.reply(client, "422", [], "MOTD File is missing");
    return;
  }
  network.reply(client, "375", [], `- ${name} Message of the day -`);
  for (const text of motd) network.reply(client, "372", [], `- ${text}`);
  network.reply(client, "376", [], "End of /MOTD command.");
}
