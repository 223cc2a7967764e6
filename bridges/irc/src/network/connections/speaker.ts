import { type Author, type Outcome, refused, retry, type UserId } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { isNick } from "../../wire/sanitise.js";
import { notYetKnown } from "../channels/not-yet-known.js";
import type { Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { serverOf } from "./homeserver-quota.js";
import { speaksByPuppet } from "./relayed.js";

/** How long somebody who says something is given to connect. */
const PUPPET_WITHIN_MS = 15_000;
const BOT_WITHIN_MS = 5_000;
/** What is tried again soon: the connection is on its way. */
export const SOON_MS = 500;

/** A puppet is kept out of the channel by a ban: the bot does not speak in its place. */
const BANNED = "474";

/** Who says something for a Matrix user, and to which channel or nick; or why nobody can. */
export type Speaker =
  | { readonly connection: Connection; readonly target: string; readonly as: "puppet" | "relay" }
  | { readonly outcome: Outcome };

interface Saying {
  readonly author: Author;
  readonly signal: AbortSignal;
}

/** The puppet of the author in `place`; the bot where it must do. */
export async function speakerFor(network: IrcNetwork, place: Place, saying: Saying): Promise<Speaker> {
  if (place.kind === "query") return await querySpeaker(network, place, saying);
  if (!speaksByPuppet(network, place.channel, saying.author.userId))
    return await relayFor(network, place.channel, saying.signal);
  const puppet = network.puppets.of(saying.author);
  if (!puppet) return await relayFor(network, place.channel, saying.signal);
  puppet.spokeAt = performance.now();
  const connection = await puppet.seat.use(PUPPET_WITHIN_MS, saying.signal);
  if (puppet.rejected !== undefined) return { outcome: accountRefused(puppet.rejected) };
  if (!connection) {
    if (saying.signal.aborted || !network.bot.connection)
      return { outcome: notConnected(network, puppet.seat.trouble) };
    return await relayFor(network, place.channel, saying.signal);
  }
  const joined = await connection.join(place.channel);
  if (joined.joined) return { connection, target: nameOf(connection, place.channel), as: "puppet" };
  const { nick } = connection.view;
  if (joined.numeric === BANNED)
    return { outcome: refused(`${nick} is banned from ${place.channel}: ${joined.reason}`) };
  if (joined.numeric === "")
    return { outcome: retry(`${nick} is not in ${place.channel} yet: ${joined.reason}`, { afterMs: SOON_MS }) };
  return await relayFor(network, place.channel, saying.signal);
}

async function querySpeaker(
  network: IrcNetwork,
  place: Extract<Place, { kind: "query" }>,
  { author, signal }: Saying,
): Promise<Speaker> {
  if (!network.speaksByPuppets) return { outcome: refused("private messages need puppets, which are switched off") };
  const isAccount = place.nick.startsWith("$");
  if (!isAccount && !isNick(place.nick)) return { outcome: refused(`"${place.nick}" is no nick`) };
  if (author.userId !== place.user)
    return { outcome: refused("only the person whose conversation this is can speak in it") };
  const puppet = network.puppets.of(author);
  if (!puppet) return { outcome: refused(noneLeft(network, author.userId)) };
  puppet.spokeAt = performance.now();
  const connection = await puppet.seat.use(PUPPET_WITHIN_MS, signal);
  if (puppet.rejected !== undefined) return { outcome: accountRefused(puppet.rejected) };
  if (!connection) return { outcome: notConnected(network, puppet.seat.trouble) };
  puppet.queries.add(place.nick);
  network.momentary.watched.watch(connection, place.nick);
  const target = network.nickOf(place.nick) ?? (isAccount ? undefined : place.nick);
  if (target === undefined) {
    const nobody = `nobody who is signed in as ${place.nick.slice(1)} is to be seen on ${network.name} now`;
    return { outcome: notYetKnown(network) ?? refused(nobody) };
  }
  return { connection, target, as: "puppet" };
}

/** The bot, in the channel. */
export async function relayFor(network: IrcNetwork, channel: string, signal: AbortSignal): Promise<Speaker> {
  const bot = await network.bot.use(BOT_WITHIN_MS, signal);
  if (!bot) return { outcome: notConnected(network, network.bot.trouble) };
  const joined = await bot.join(channel);
  if (!joined.joined) return { outcome: retry(`the bot is not in ${channel}: ${joined.reason}`) };
  return { connection: bot, target: nameOf(bot, channel), as: "relay" };
}

/** The channel as the server writes it. */
function nameOf({ view }: Connection, channel: string): string {
  return view.channels.get(view.fold(channel)) ?? channel;
}

/** Nobody is to speak under a name of their own who wanted to be known by their account. */
function accountRefused(reason: string): Outcome {
  return refused(`${reason}; it was not sent. Sign in again (login), or send it again without an account`);
}

function noneLeft(network: IrcNetwork, user: UserId): string {
  return `private messages need a connection of your own to ${network.name}, and the users of ${serverOf(user)} have as many as they may have at once; try again in some minutes`;
}

function notConnected(network: IrcNetwork, trouble: string): Outcome {
  return retry(`not connected to ${network.name}${trouble === "" ? "" : `: ${trouble}`}`);
}
