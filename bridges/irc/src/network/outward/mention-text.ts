import type { Mention } from "@trestle/rich-text";
import { personOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";

/** How a mention is written on a network. */
export function mentionText(network: IrcNetwork, { target, text }: Mention): string {
  if (target.kind === "remoteUser") {
    const person = personOf(target.id);
    if (person?.network === network.name) return network.nickOf(person.nick) ?? text;
  }
  if (target.kind === "matrixUser") {
    const puppet = network.puppets.all.find(({ user }) => user === target.userId);
    return puppet?.seat.connection?.view.nick ?? text;
  }
  return text;
}
