import type { Client } from "../client.js";
import { type Call, type Commands, param } from "../commands/command.js";
import type { Channel } from "../channel.js";
import { conversation, type SaidEntry } from "../history.js";
import { fromBytes } from "../line.js";
import type { Network } from "../network.js";
import { isModerator } from "../route.js";

/** `draft/message-redaction`: REDACT takes a message back. */
export const redactionCommands: Commands = {
  REDACT: { needs: 2, run: redact },
};

function redact(call: Call): void {
  const { client, network } = call;
  if (!client.has("draft/message-redaction")) {
    network.reply(client, "421", ["REDACT"], "Unknown command");
    return;
  }
  const [target, msgid] = [param(call, 0), param(call, 1)];
  const place = placeOf(network, client, target);
  if (place === undefined) {
    network.standard(
      client,
      "FAIL",
      ["REDACT", "INVALID_TARGET", target],
      `You cannot delete messages from ${fromBytes(target)}`,
    );
    return;
  }
  const entry = network.history.find(place.key, msgid);
  if (entry === undefined) {
    network.standard(
      client,
      "FAIL",
      ["REDACT", "UNKNOWN_MSGID", target, msgid],
      "This message does not exist or is too old",
    );
  } else if (!mayRedact(network, client, entry, place.channel)) {
    network.standard(
      client,
      "FAIL",
      ["REDACT", "REDACT_FORBIDDEN", target, msgid],
      "You are not authorised to delete this message",
    );
  } else if (network.now() - entry.stamp.at > network.settings.redactWithinMs) {
    const window = String(Math.floor(network.settings.redactWithinMs / 1000));
    network.standard(
      client,
      "FAIL",
      ["REDACT", "REDACT_WINDOW_EXPIRED", target, msgid, window],
      "You can no longer delete this message",
    );
  } else {
    takeBack(network, client, { place, entry, msgid, reason: call.params[2] });
  }
}

interface Place {
  readonly key: string;
  /** As it is shown. */
  readonly shown: string;
  /** Under which the log is kept. */
  readonly folded: string;
  readonly channel: Channel | undefined;
  readonly others: readonly Client[];
}

function placeOf(network: Network, client: Client, target: string): Place | undefined {
  const folded = network.fold(target);
  const channel = network.findChannel(target);
  if (channel !== undefined) {
    if (!channel.members.has(client)) return undefined;
    const others = network.reachable(channel, client).filter((member) => member !== client);
    return { key: folded, shown: channel.name, folded, channel, others };
  }
  if (/^[#&]/.test(target)) return undefined;
  const other = network.findClient(target, client);
  const key = conversation(network.fold(client.shownNick), folded);
  if (other === undefined && network.history.of(key).length === 0) return undefined;
  return {
    key,
    shown: other?.shownNick ?? target,
    folded,
    channel: undefined,
    others: other === undefined ? [] : [other],
  };
}

function mayRedact(network: Network, client: Client, entry: SaidEntry, channel: Channel | undefined): boolean {
  const own =
    entry.account === undefined ? entry.nick === network.fold(client.shownNick) : entry.account === client.account;
  return own || (channel !== undefined && isModerator(channel, client));
}

interface Redacting {
  readonly place: Place;
  readonly entry: SaidEntry;
  readonly msgid: string;
  readonly reason: string | undefined;
}

function takeBack(network: Network, client: Client, { place, entry, msgid, reason }: Redacting): void {
  network.history.remove(place.key, entry);
  network.records.addRedaction(place.folded, {
    by: client.shownNick,
    to: fromBytes(place.shown),
    msgid: fromBytes(msgid),
    reason: reason === undefined ? undefined : fromBytes(reason),
    at: network.now(),
  });
  const params = [place.shown, msgid, ...(reason === undefined ? [] : [reason])];
  const stamp = { ...network.stampOf(client), msgid: undefined };
  const body = network.body(client.mask, "REDACT", params, reason !== undefined);
  for (const other of place.others) if (other.has("draft/message-redaction")) network.write(other, body, stamp);
  if (client.has("echo-message")) network.send(client, body, stamp);
}
