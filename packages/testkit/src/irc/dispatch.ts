import type { Client } from "./client.js";
import { capabilityCommands } from "./commands/capability.js";
import { channelCommands } from "./commands/channels.js";
import type { Commands } from "./commands/command.js";
import { membershipCommands } from "./commands/membership.js";
import { messageCommands } from "./commands/messages.js";
import { modeCommands } from "./commands/modes.js";
import { queryCommands } from "./commands/queries.js";
import { redactionCommands } from "./commands/redaction.js";
import { registrationCommands } from "./commands/registration.js";
import { saslCommands } from "./commands/sasl.js";
import { sessionCommands } from "./commands/session.js";
import { type IrcLine, parseLine } from "./line.js";
import type { Network } from "./network.js";

const COMMANDS: Commands = {
  ...capabilityCommands,
  ...channelCommands,
  ...membershipCommands,
  ...messageCommands,
  ...modeCommands,
  ...queryCommands,
  ...redactionCommands,
  ...registrationCommands,
  ...saslCommands,
  ...sessionCommands,
};

/** Carries out one line of a client, under its label if it has one. */
export function dispatch(network: Network, client: Client, text: string): void {
  const line = parseLine(text.replaceAll("\0", ""));
  if (line === undefined) return;
  const label = client.has("labeled-response") ? line.tags.get("label") : undefined;
  if (label === undefined) {
    run(network, client, line);
    return;
  }
  const response = { label, lines: [] };
  client.response = response;
  run(network, client, line);
  client.response = undefined;
  answer(network, client, response);
}

function run(network: Network, client: Client, line: IrcLine): void {
  const name = line.command.toUpperCase();
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!client.registered && command?.early !== true) network.reply(client, "451", [], "You have not registered");
  else if (command === undefined) network.reply(client, "421", [line.command], "Unknown command");
  else if (line.params.length < command.needs) network.reply(client, "461", [name], "Not enough parameters.");
  else command.run({ network, client, line, params: line.params });
}

/** No line: ACK. One: it carries the label. More: a batch that carries it. */
function answer(network: Network, client: Client, { label, lines }: NonNullable<Client["response"]>): void {
  const now = { at: Date.now() };
  const { name } = network.settings;
  const [only] = lines;
  if (only === undefined) {
    network.write(client, network.body(name, "ACK", [], false), now, label);
  } else if (lines.length === 1) {
    network.write(client, only.body, only.stamp, label);
  } else {
    const batch = network.nextId("l");
    network.write(client, network.body(name, "BATCH", [`+${batch}`, "labeled-response"], false), now, label);
    for (const { body, stamp } of lines) network.write(client, body, { ...stamp, batch });
    network.write(client, network.body(name, "BATCH", [`-${batch}`], false), now);
  }
}
