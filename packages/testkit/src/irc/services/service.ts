import type { Client } from "../client.js";
import type { Network } from "../network.js";
import type { Utterance } from "../utterance.js";
import { nickServ } from "./nickserv.js";

const NICKSERV = "NickServ";

/** Whether a nick, with or without a server behind it, is that of a service which is there now. */
export function isService(network: Network, target: string): boolean {
  return network.services && network.fold(target.split("@")[0] ?? "") === network.fold(NICKSERV);
}

export function answerAsService(network: Network, client: Client, _service: string, utterance: Utterance): void {
  if (utterance.command !== "PRIVMSG") return;
  command(network, client, utterance.pieces.map(({ text }) => text).join(" "));
}

/** Does what a person tells NickServ, whether by a message or by the command NICKSERV. */
export function command(network: Network, client: Client, text: string): void {
  const source = `${NICKSERV}!services@services.${network.settings.name}`;
  const answer = (said: string): void =>
    network.relay(source, "NOTICE", [client.shownNick, said], { to: [client], stamp: { at: network.now() } });
  nickServ(
    { network, client, answer },
    text.split(" ").filter((word) => word !== ""),
  );
}
