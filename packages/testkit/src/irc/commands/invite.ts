import type { Call, Commands } from "./command.js";
import { ownChannel, param } from "./command.js";

/** INVITE, with `invite-notify`. */
export const inviteCommands: Commands = {
  INVITE: { needs: 0, run: invite },
};

function invite(call: Call): void {
  const { client, network } = call;
  const [nick, name] = [param(call, 0), param(call, 1)];
  if (call.params.length === 0) {
    listInvitations(call);
    return;
  }
  if (call.params.length === 1) {
    network.reply(client, "461", ["INVITE"], "Not enough parameters.");
    return;
  }
  const target = network.findClient(nick, client);
  if (target === undefined) {
    network.reply(client, "401", [nick], "No such nick");
    return;
  }
  const channel = ownChannel(call, name);
  if (channel === undefined) return;
  if (channel.members.has(target)) {
    network.reply(client, "443", [target.shownNick, channel.name], "is already on channel");
  } else if (channel.flags.has("i") && !channel.isHalfOp(client)) {
    network.reply(client, "482", [channel.name], "You must be a channel operator");
  } else {
    target.invitedTo.add(network.fold(channel.name));
    network.reply(client, "341", [target.shownNick, channel.name]);
    if (target.away !== undefined) network.reply(client, "301", [target.shownNick], target.away);
    const told = network.reachable(channel, client).filter((one) => one.has("invite-notify") && channel.isHalfOp(one));
    const stamp = network.stampOf(client);
    network.relay(client.mask, "INVITE", [target.shownNick, channel.name], { to: [target, ...told], stamp });
  }
}

/** The channels one is invited to. */
function listInvitations({ client, network }: Call): void {
  for (const folded of client.invitedTo) network.reply(client, "336", [network.channels.get(folded)?.name ?? folded]);
  network.reply(client, "337", [], "End of /INVITE list");
}
