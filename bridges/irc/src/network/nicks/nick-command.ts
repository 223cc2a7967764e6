import type { CommandCall, NetworkCommand } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { isFailedNick, NICK_CHANGE_REFUSED, NICK_REFUSED } from "../../session/numerics.js";
import type { IrcMessage } from "../../wire/message.js";
import type { Puppet } from "../connections/puppet.js";
import { placeOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { isPlainNick } from "./nick-maker.js";

const ANSWER_WITHIN_MS = 15_000;
/** A change is refused for now: banned or moderated channels, too many changes. */
const CHANGE_REFUSED: ReadonlySet<string> = new Set([...NICK_REFUSED, ...NICK_CHANGE_REFUSED]);

/** A nick that a puppet has been asked to take, until the server has said whether it may. */
export interface NickTrial {
  readonly nick: string;
  readonly settle: (refusal: string | undefined) => void;
}

/** `nick <nick>`: somebody wants their puppet to be called otherwise. */
export function nickCommand(networks: ReadonlyMap<string, IrcNetwork>): NetworkCommand {
  return {
    usage: "[nick]",
    summary: "calls you otherwise on IRC; without a nick it is made of your display name again",
    forEverybody: true,
    run: async (call) => {
      const place = placeOf(call.channel);
      const network = networks.get(place?.network ?? "");
      if (!network) throw new Error("The network of this room is not configured any more.");
      if (!network.speaksByPuppets || !network.config.chosenNicks)
        throw new Error(`On ${network.name} nobody has a nick of their own choice.`);
      return await change(network, call);
    },
  };
}

async function change(network: IrcNetwork, { author, argument, signal }: CommandCall): Promise<string> {
  const nick = argument.trim();
  const puppet = network.puppets.get(author.userId);
  const connection = puppet?.seat.connection;
  if (nick === "") {
    await network.chosenNicks.set(author.userId, undefined);
    const made = network.puppets.nickOf(author, "fresh");
    if (connection && connection.view.nick !== made) connection.changeNick(made);
    return `You are called ${made} on ${network.name}, where that is free.`;
  }
  refuseUnfit(network, nick);
  if (puppet && connection && connection.view.nick !== nick) {
    const holder = network.members.nickOf(network.fold(nick));
    if (holder !== undefined && !connection.view.isOwn(nick))
      throw new Error(`${holder} is somebody else. Choose another nick.`);
    const refusal = await tryNick(puppet, connection, nick, signal);
    if (refusal !== undefined) throw new Error(`${network.name} does not give you the nick ${nick}: ${refusal}`);
  }
  await network.chosenNicks.set(author.userId, nick);
  network.puppets.nickOf(author, "fresh");
  return connection
    ? `You are called ${nick} on ${network.name} now.`
    : `You are called ${nick} on ${network.name} as soon as you speak, where that is free then.`;
}

function refuseUnfit(network: IrcNetwork, nick: string): void {
  const { nickLength } = network.isupport;
  if (nick.length > nickLength) throw new Error(`${nick} is too long: ${network.name} takes ${nickLength} characters.`);
  if (!isPlainNick(nick))
    throw new Error(`"${nick}" is no nick: letters, digits and []\\\`_^{|}- make one, and no digit or - begins it.`);
}

/** Resolves to why the server refuses it, or to `undefined` when it has given it. */
async function tryNick(
  puppet: Puppet,
  connection: Connection,
  nick: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (puppet.nickTrial) return "it is being asked for another one";
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  try {
    return await new Promise<string | undefined>((resolve) => {
      puppet.nickTrial = { nick, settle: resolve };
      giveUp = () => resolve("it has not answered");
      timer = setTimeout(giveUp, ANSWER_WITHIN_MS);
      signal.addEventListener("abort", giveUp, { once: true });
      connection.changeNick(nick);
    });
  } finally {
    clearTimeout(timer);
    if (giveUp) signal.removeEventListener("abort", giveUp);
    delete puppet.nickTrial;
  }
}

/** What a line of the puppet's connection says of a nick that is asked for. */
export function settleTrial({ nickTrial }: Puppet, { view }: Connection, message: IrcMessage, own: boolean): void {
  const { verb, params } = message;
  if (!nickTrial) return;
  if (verb === "NICK" && own && view.fold(params[0] ?? "") === view.fold(nickTrial.nick)) nickTrial.settle(undefined);
  else if (CHANGE_REFUSED.has(verb) || isFailedNick(message)) nickTrial.settle(params.at(-1) ?? verb);
}
