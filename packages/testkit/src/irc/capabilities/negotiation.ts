import type { Client } from "../client.js";
import { type Call, type Commands, param } from "../commands/command.js";
import { registerIfComplete } from "../commands/registration.js";
import type { Network } from "../network.js";
import { CAPABILITIES, type Capability, capabilityValue } from "./catalogue.js";

/** IRCv3 capability negotiation, with values for those who ask for version 302. */
export const negotiationCommands: Commands = {
  CAP: { needs: 1, early: true, run: cap },
};

function cap(call: Call): void {
  const { client, network } = call;
  const subcommand = param(call, 0).toUpperCase();
  switch (subcommand) {
    case "LS":
      client.capVersion = Math.max(client.capVersion, Number.parseInt(call.params[1] ?? "301", 10) || 301);
      if (!client.registered) client.negotiating = true;
      if (client.capVersion >= 302 && network.enabled.has("cap-notify")) client.caps.add("cap-notify");
      sendCapabilities(network, client, "LS", offered(network, client));
      break;
    case "LIST":
      sendCapabilities(network, client, "LIST", [...client.caps]);
      break;
    case "REQ":
      if (!client.registered) client.negotiating = true;
      request(network, client, call.params[1] ?? "");
      break;
    case "END":
      end(network, client);
      break;
    default:
      network.reply(client, "410", [subcommand], "Invalid CAP command");
  }
}

function end(network: Network, client: Client): void {
  if (client.registered) return;
  if (client.sasl !== undefined) {
    client.sasl = undefined;
    network.reply(client, "906", [], "SASL authentication aborted");
  }
  client.negotiating = false;
  registerIfComplete(network, client);
}

function offered(network: Network, client: Client): string[] {
  return [...network.enabled].map((name) => shown(network, client, name));
}

/** With its value for those who know of values. */
function shown(network: Network, client: Client, name: Capability): string {
  if (client.capVersion < 302) return name;
  const { settings, sts } = network;
  const value = capabilityValue(name, { settings, sts, mechanisms: network.mechanisms(), secure: client.secure });
  return value === undefined || value === "" ? name : `${name}=${value}`;
}

function sendCapabilities(network: Network, client: Client, subcommand: string, names: readonly string[]): void {
  const room =
    network.settings.limits.line -
    2 -
    network.body(network.settings.name, "CAP", [client.shownNick, subcommand, "*", ""]).length;
  const lines: string[][] = [[]];
  let used = 0;
  for (const name of names) {
    if (client.capVersion >= 302 && used + name.length + 1 > room) {
      lines.push([]);
      used = 0;
    }
    lines.at(-1)?.push(name);
    used += name.length + 1;
  }
  for (const [index, line] of lines.entries()) {
    const more = index < lines.length - 1 ? ["*"] : [];
    network.reply(client, "CAP", [subcommand, ...more], line.join(" "));
  }
}

function request(network: Network, client: Client, text: string): void {
  const wanted = text.split(" ").filter((name) => name !== "");
  const changes = wanted.map((name) => change(network, client, name));
  if (changes.some((one) => one === undefined)) {
    network.reply(client, "CAP", ["NAK"], text);
    return;
  }
  for (const one of changes) {
    if (one?.on === true) client.caps.add(one.name);
    else if (one?.on === false) client.caps.delete(one.name);
  }
  network.reply(client, "CAP", ["ACK"], text);
}

function change(network: Network, client: Client, text: string): { name: Capability; on: boolean } | undefined {
  const off = text.startsWith("-");
  const name = CAPABILITIES.find((known) => known === (off ? text.slice(1) : text));
  // A strict transport security policy is read, never requested.
  if (name === undefined || name === "sts") return undefined;
  if (off) return name === "cap-notify" && client.capVersion >= 302 ? undefined : { name, on: false };
  return network.enabled.has(name) ? { name, on: true } : undefined;
}

/** Switches a capability for everyone, with CAP NEW or DEL for those who asked to be told. */
export function switchCapability(network: Network, name: Capability, on: boolean): void {
  if (network.enabled.has(name) === on) return;
  if (on) network.enabled.add(name);
  else network.enabled.delete(name);
  for (const client of network.clients) {
    const told = client.has("cap-notify");
    if (!on) client.caps.delete(name);
    if (told) network.reply(client, "CAP", [on ? "NEW" : "DEL"], on ? shown(network, client, name) : name);
  }
}

/** Says a capability's new value, e.g. of another STS policy, to those who asked to be told. */
export function announceCapability(network: Network, name: Capability): void {
  for (const client of network.clients) {
    if (client.has("cap-notify")) network.reply(client, "CAP", ["NEW"], shown(network, client, name));
  }
}
