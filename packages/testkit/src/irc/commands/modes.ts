import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { ModeChange } from "../modes/change.js";
import { Changes, letters } from "../modes/changes.js";
import { USER_MODES } from "../modes/letters.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";

export const modeCommands: Commands = {
  MODE: { needs: 1, run: mode },
};

function mode(call: Call): void {
  const { client, network } = call;
  const target = param(call, 0);
  if (!/^[#&]/.test(target)) {
    userMode(call, target);
    return;
  }
  const channel = network.findChannel(target);
  if (channel === undefined || channel.isSecretFor(client)) {
    network.reply(client, "403", [target], "No such channel");
  } else if (call.params[1] === undefined) {
    network.reply(client, "324", [channel.name, ...channel.modesFor(client)]);
    network.reply(client, "329", [channel.name, String(Math.floor(channel.createdAt / 1000))]);
  } else {
    changeModes(network, channel, client, call.params[1], call.params.slice(2));
  }
}

function userMode({ client, network, params }: Call, target: string): void {
  const named = network.findClient(target, client);
  if (named === undefined) {
    network.reply(client, "401", [target], "No such nick");
  } else if (named !== client) {
    network.reply(client, "502", [], "Can't change mode for other users");
  } else if (params[1] === undefined) {
    network.reply(client, "221", [`+${[...client.modes].sort().join("")}`]);
  } else {
    changeUserModes(network, client, params[1]);
  }
}

function changeUserModes(network: Network, client: Client, text: string): void {
  const applied = new Changes();
  for (const { on, letter } of letters(text)) {
    if (!USER_MODES.includes(letter)) {
      network.reply(client, "501", [letter], "is not a recognised user mode.");
    } else if (client.modes.has(letter) !== on && !(letter === "o" && on)) {
      if (on) client.modes.add(letter);
      else client.modes.delete(letter);
      applied.add(on, letter);
    }
  }
  if (applied.some) network.relay(client.mask, "MODE", [client.shownNick, ...applied.words], { to: [client] });
}

/** `by` is the server where it is absent: nothing is refused then. */
export function changeModes(
  network: Network,
  channel: Channel,
  by: Client | undefined,
  text: string,
  params: readonly string[],
): void {
  const applied = new Changes();
  const left = [...params].slice(0, network.settings.limits.modes);
  for (const { on, letter } of letters(text)) {
    const change = new ModeChange(network, channel, by, on, letter);
    if (change.isQuestion(left)) change.answer();
    else if (change.isAllowed()) change.apply(left, applied);
    else break;
  }
  if (!applied.some) return;
  const to = by === undefined ? channel.members.keys() : network.reachable(channel, by);
  const stamp = by === undefined ? { at: network.now() } : network.stampOf(by);
  network.relayEvent(channel, by?.mask ?? network.settings.name, "MODE", [channel.name, ...applied.words], {
    to,
    stamp,
  });
}
