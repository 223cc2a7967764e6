import type { Client } from "../client.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";

export const redactionCommands: Commands = {
  REDACT: { needs: 2, run: redact },
};

const CAPABILITY = "draft/message-redaction";

/** IRCv3 message-redaction: for the sender of a message, and for the channel's operators. */
function redact(call: Call): void {
  const { client, network } = call;
  const [target, msgid] = [param(call, 0), param(call, 1)];
  if (!client.has(CAPABILITY)) {
    network.reply(client, "421", ["REDACT"], "Unknown command");
    return;
  }
  const fail = (code: string, context: readonly string[], text: string) =>
    network.say(client, "FAIL", ["REDACT", code, ...context, text]);
  const others = recipients(network, client, target);
  if (others === undefined) {
    fail("INVALID_TARGET", [target], `You cannot delete messages from ${target}`);
    return;
  }
  const messages = network.records.messagesTo(network.fold(target));
  const message = messages.find(({ tags }) => tags["msgid"] === msgid);
  if (message === undefined) {
    fail("UNKNOWN_MSGID", [target, msgid], "This message does not exist or is too old");
  } else if (network.fold(message.from) !== network.fold(client.shownNick) && !isOperator(network, client, target)) {
    fail("REDACT_FORBIDDEN", [target, msgid], "You are not authorised to delete this message");
  } else {
    messages.splice(messages.indexOf(message), 1);
    const reason = call.params[2];
    const params = reason === undefined ? [target, msgid] : [target, msgid, reason];
    const body = network.body(client.mask, "REDACT", params, reason !== undefined);
    const stamp = network.stampOf(client);
    for (const other of others) if (other.has(CAPABILITY)) network.write(other, body, stamp);
    if (client.has("echo-message")) network.send(client, body, stamp);
  }
}

function isOperator(network: Network, client: Client, target: string): boolean {
  return network.findChannel(target)?.members.get(client)?.op === true;
}

/** Everybody else who is told; `undefined` where the client has no business. */
function recipients(network: Network, client: Client, target: string): readonly Client[] | undefined {
  const channel = network.findChannel(target);
  if (channel?.members.has(client) === true)
    return network.reachable(channel, client).filter((member) => member !== client);
  const other = network.findClient(target, client);
  return other && [other];
}
