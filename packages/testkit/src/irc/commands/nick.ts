import type { Client } from "../client.js";
import { REFUSALS } from "../faults/faults.js";
import { isSilenced } from "../modes/masks.js";
import { VOICE } from "../modes/ranks.js";
import { isNick } from "../names.js";
import type { Network } from "../network.js";
import { isService } from "../services/service.js";
import type { Call, Commands } from "./command.js";
import { nickArrived, nickLeft } from "./monitor.js";
import { registerIfComplete } from "./registration.js";

export const nickCommands: Commands = {
  NICK: { needs: 1, early: true, run: nick },
};

function nick({ client, network, params }: Call): void {
  const wanted = params[0] ?? "";
  if (wanted === "") {
    network.reply(client, "431", [], "No nickname given");
    return;
  }
  if (!isNick(wanted, network.settings.limits.nick)) {
    network.reply(client, "432", [wanted], REFUSALS["432"]);
    return;
  }
  const folded = network.fold(wanted);
  const holder = network.byNick.get(folded);
  const taken = (holder !== undefined && holder !== client) || isService(network, wanted);
  const refusal = network.faults.heldNicks.get(folded) ?? (taken ? "433" : undefined);
  if (refusal !== undefined && holder !== client) {
    network.reply(client, refusal, [wanted], REFUSALS[refusal]);
    return;
  }
  for (const channel of client.channels) {
    if (channel.rankOf(client) >= VOICE || !isSilenced(network, channel, client)) continue;
    network.reply(client, "435", [wanted, channel.name], REFUSALS["435"]);
    return;
  }
  takeNick(network, client, wanted);
}

/** Gives a client a free nick and tells everyone who sees it. */
export function takeNick(network: Network, client: Client, wanted: string): void {
  const before = client.nick;
  if (before === wanted) return;
  const mask = client.mask;
  if (before !== undefined) network.byNick.delete(network.fold(before));
  network.byNick.set(network.fold(wanted), client);
  if (!client.registered) {
    client.nick = wanted;
    registerIfComplete(network, client);
    return;
  }
  network.whowas.add(client, network.now());
  client.nick = wanted;
  const stamp = network.stampOf(client);
  network.relay(mask, "NICK", [wanted], { to: network.audienceOf(client), stamp });
  for (const channel of client.channels) network.keepEvent(channel, mask, "NICK", [wanted], stamp);
  if (before === undefined || network.fold(before) === network.fold(wanted)) return;
  nickLeft(network, client, before);
  nickArrived(network, client);
}
