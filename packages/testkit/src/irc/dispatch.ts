import { chathistoryCommands } from "./capabilities/chathistory.js";
import { labelOf, withLabel } from "./capabilities/labels.js";
import { multilineCommands, takeIntoBatch } from "./capabilities/multiline.js";
import { negotiationCommands } from "./capabilities/negotiation.js";
import { redactionCommands } from "./capabilities/redaction.js";
import { relaymsgCommands } from "./capabilities/relaymsg.js";
import type { Client } from "./client.js";
import type { Commands } from "./commands/command.js";
import { inviteCommands } from "./commands/invite.js";
import { joinCommands } from "./commands/join.js";
import { kickCommands } from "./commands/kick.js";
import { listCommands } from "./commands/list.js";
import { messageCommands } from "./commands/messages.js";
import { modeCommands } from "./commands/modes.js";
import { monitorCommands } from "./commands/monitor.js";
import { namesCommands } from "./commands/names.js";
import { nickCommands } from "./commands/nick.js";
import { operatorCommands } from "./commands/operator.js";
import { partCommands } from "./commands/part.js";
import { registrationCommands } from "./commands/registration.js";
import { serverInfoCommands } from "./commands/server-info.js";
import { sessionCommands } from "./commands/session.js";
import { topicCommands } from "./commands/topic.js";
import { webircCommands } from "./commands/webirc.js";
import { whoCommands } from "./commands/who.js";
import { whoisCommands } from "./commands/whois.js";
import { type IrcLine, parseLine } from "./line.js";
import type { Network } from "./network.js";
import { saslCommands } from "./sasl/authenticate.js";

const COMMANDS: Commands = {
  ...chathistoryCommands,
  ...inviteCommands,
  ...joinCommands,
  ...kickCommands,
  ...listCommands,
  ...messageCommands,
  ...modeCommands,
  ...monitorCommands,
  ...multilineCommands,
  ...namesCommands,
  ...negotiationCommands,
  ...nickCommands,
  ...operatorCommands,
  ...partCommands,
  ...redactionCommands,
  ...registrationCommands,
  ...relaymsgCommands,
  ...saslCommands,
  ...serverInfoCommands,
  ...sessionCommands,
  ...topicCommands,
  ...webircCommands,
  ...whoCommands,
  ...whoisCommands,
};

/** Carries out one line of a client, under its label if it has one. */
export function dispatch(network: Network, client: Client, text: string): void {
  const line = parseLine(text.replaceAll("\0", ""));
  if (line === undefined) return;
  if (network.settings.utf8Only && !isUtf8(text)) {
    network.standard(client, "FAIL", [line.command.toUpperCase(), "INVALID_UTF8"], "Your line is not UTF-8");
    return;
  }
  if (takeIntoBatch(network, client, line)) return;
  withLabel(network, client, labelOf(client, line), () => run(network, client, line));
  client.begun = true;
}

function isUtf8(bytes: string): boolean {
  const buffer = Buffer.from(bytes, "latin1");
  return buffer.equals(Buffer.from(buffer.toString("utf8"), "utf8"));
}

function run(network: Network, client: Client, line: IrcLine): void {
  const name = line.command.toUpperCase();
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!client.registered && command?.early !== true) network.reply(client, "451", [], "You have not registered");
  else if (command === undefined) network.reply(client, "421", [line.command], "Unknown command");
  else if (line.params.length < command.needs) network.reply(client, "461", [name], "Not enough parameters.");
  else command.run({ network, client, line, params: line.params });
}
