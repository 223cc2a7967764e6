import type { Channel } from "../channel.js";
import type { Client, Stamp } from "../client.js";
import { fromBytes } from "../line.js";
import type { Network } from "../network.js";
import type { LoggedMessage } from "../records.js";
import { type Call, type Commands, list } from "./command.js";
import { isBanned } from "./membership.js";

type MessageCommand = LoggedMessage["command"];

export const messageCommands: Commands = {
  PRIVMSG: { needs: 0, run: (call) => message(call, "PRIVMSG") },
  NOTICE: { needs: 0, run: (call) => message(call, "NOTICE") },
  TAGMSG: { needs: 0, run: (call) => message(call, "TAGMSG") },
};

/** What is said, before it is decided to whom. */
interface Saying {
  readonly network: Network;
  readonly client: Client;
  readonly command: MessageCommand;
  readonly text: string;
  readonly clientTags: ReadonlyMap<string, string>;
}

function message({ client, network, line, params }: Call, command: MessageCommand): void {
  const targets = [...new Set(list(params[0] ?? ""))];
  const text = params[1] ?? "";
  if (command === "TAGMSG" && !client.has("message-tags")) {
    network.reply(client, "421", [command], "Unknown command");
  } else if (targets.length === 0) {
    network.reply(client, "411", [], `No recipient given (${command}).`);
  } else if (text === "" && command !== "TAGMSG") {
    network.reply(client, "412", [], "No text to send");
  } else if (targets.length > network.settings.limits.targets) {
    network.reply(client, "407", [params[0] ?? ""], "Too many targets");
  } else {
    client.lastSpokeAt = Date.now();
    const clientTags = client.has("message-tags") ? ownTags(line.tags) : new Map<string, string>();
    for (const target of targets) sayTo({ network, client, command, text, clientTags }, target);
  }
}

function ownTags(tags: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...tags].filter(([key]) => key.startsWith("+")));
}

function sayTo(saying: Saying, target: string): void {
  const status = /^[@+]/.test(target) && /^[#&]/.test(target.slice(1)) ? target.slice(0, 1) : "";
  if (/^[#&]/.test(target.slice(status.length))) toChannel(saying, target, status);
  else toNick(saying, target);
}

function toChannel(saying: Saying, target: string, status: string): void {
  const { network, client } = saying;
  const channel = network.findChannel(target.slice(status.length));
  if (channel === undefined) {
    network.reply(client, "403", [target], "No such channel");
    return;
  }
  const why = whyMute(network, channel, client);
  if (why !== undefined) {
    network.reply(client, "404", [channel.name], why);
    return;
  }
  const others = network
    .reachable(channel, client)
    .filter((member) => member !== client && hears(channel, member, status));
  deliver(saying, status + channel.name, network.fold(channel.name), others);
}

function whyMute(network: Network, channel: Channel, client: Client): string | undefined {
  const standing = channel.members.get(client);
  if (standing === undefined && channel.flags.has("n")) return "Cannot send to channel (no external messages)";
  if (standing?.op === true || standing?.voice === true) return undefined;
  if (channel.flags.has("m")) return "Cannot send to channel (+m)";
  return isBanned(network, channel, client) ? "Cannot send to channel (you're banned)" : undefined;
}

function hears(channel: Channel, member: Client, status: string): boolean {
  const standing = channel.members.get(member);
  if (status === "") return true;
  return standing?.op === true || (status === "+" && standing?.voice === true);
}

function toNick(saying: Saying, target: string): void {
  const { network, client } = saying;
  const other = network.findClient(target, client);
  if (other === undefined) {
    network.reply(client, "401", [target], "No such nick");
    return;
  }
  if (saying.command === "PRIVMSG" && other.away !== undefined) {
    network.reply(client, "301", [other.shownNick], other.away);
  }
  deliver(saying, other.shownNick, network.fold(other.shownNick), [other]);
}

function deliver(saying: Saying, shownTarget: string, foldedTarget: string, others: readonly Client[]): void {
  const { network, client, command, text, clientTags } = saying;
  const params = command === "TAGMSG" ? [shownTarget] : [shownTarget, text];
  const body = network.body(client.mask, command, params, command !== "TAGMSG");
  const stamp = network.stampOf(client, clientTags);
  const logged = asLogged(saying, shownTarget, body, stamp);
  const verdict = network.faults.verdict(logged);
  if (verdict === "refuse") {
    network.reply(client, "404", [shownTarget], "Cannot send to channel (message refused)");
    return;
  }
  if (verdict === "drop") return;
  network.records.addMessage(foldedTarget, logged);
  for (const other of others) {
    if (command === "TAGMSG" && !other.has("message-tags")) continue;
    // To oneself: the label belongs to the echo, not to the message.
    network.write(other, body, stamp);
  }
  if (client.has("echo-message")) network.send(client, body, stamp);
}

function asLogged({ client, command }: Saying, to: string, body: string, stamp: Stamp): LoggedMessage {
  const text = command === "TAGMSG" ? "" : body.slice(body.indexOf(" :") + 2);
  const tags: Record<string, string> = { time: new Date(stamp.at).toISOString() };
  if (stamp.msgid !== undefined) tags["msgid"] = stamp.msgid;
  if (stamp.account !== undefined) tags["account"] = fromBytes(stamp.account);
  for (const [key, value] of stamp.clientTags ?? []) tags[fromBytes(key)] = fromBytes(value);
  return {
    from: client.shownNick,
    source: fromBytes(client.mask),
    to: fromBytes(to),
    command,
    text: fromBytes(text),
    tags,
    at: stamp.at,
  };
}
