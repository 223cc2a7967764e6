import { type MessageEffect, type Outcome, refused, RemoteMessageId, retry, uncertain } from "@trestle/core";
import { splitText } from "../format/split.js";
import type { Connection } from "../session/connection.js";
import type { Verdict } from "../session/deliveries.js";
import { Priority } from "../session/flood-control.js";
import { formatMessage } from "../wire/message.js";
import { isNick } from "../wire/sanitise.js";
import { lineBudget } from "./budget.js";
import type { Place } from "./ids.js";
import type { IrcNetwork } from "./irc-network.js";
import { relayName } from "./rich-lines.js";
import { asPuppet, asRelay, parseWirePart, relayPrefix, type WireLine, type WirePart } from "./wire-part.js";

/** How long a message waits for the connection of whoever says it. */
const PUPPET_WITHIN_MS = 15_000;
const BOT_WITHIN_MS = 5_000;
/** What is tried again soon: the connection is on its way. */
const SOON_MS = 500;

/** A puppet is kept out of the channel by a ban: the bot does not speak in its place. */
const BANNED = "474";

/** Says one part of a message on IRC. */
export async function say(network: IrcNetwork, place: Place, effect: MessageEffect): Promise<Outcome> {
  const part = parseWirePart(effect.wire);
  if (!part) return refused("the stored message cannot be read by this version of the bridge");
  if (place.kind === "query") return await sayToNick(network, place, part, effect);
  if (!network.speaksByPuppets) return await relay(network, place.channel, part, effect);
  const puppet = network.puppets.of(effect.author);
  puppet.spokeAt = performance.now();
  const connection = await puppet.seat.use(PUPPET_WITHIN_MS, effect.signal);
  if (!connection) {
    if (effect.signal.aborted || !network.bot.connection) return notConnected(network, puppet.seat.trouble);
    return await relay(network, place.channel, part, effect);
  }
  const joined = await connection.join(place.channel);
  if (joined.joined)
    return await write(connection, place.channel, puppetLines(connection, place.channel, part), effect);
  if (joined.numeric === BANNED)
    return refused(`${connection.view.nick} is banned from ${place.channel}: ${joined.reason}`);
  if (joined.numeric === "")
    return retry(`${connection.view.nick} is not in ${place.channel} yet: ${joined.reason}`, { afterMs: SOON_MS });
  return await relay(network, place.channel, part, effect);
}

async function sayToNick(
  network: IrcNetwork,
  place: Extract<Place, { kind: "query" }>,
  part: WirePart,
  effect: MessageEffect,
): Promise<Outcome> {
  if (!network.speaksByPuppets) return refused("private messages need puppets, which are switched off");
  if (!isNick(place.nick)) return refused(`"${place.nick}" is no nick`);
  if (effect.author.userId !== place.user) return refused("only the person whose conversation this is can speak in it");
  const puppet = network.puppets.of(effect.author);
  puppet.spokeAt = performance.now();
  const connection = await puppet.seat.use(PUPPET_WITHIN_MS, effect.signal);
  if (!connection) return notConnected(network, puppet.seat.trouble);
  puppet.queries.add(place.nick);
  const nick = network.members.nickOf(place.nick) ?? place.nick;
  return await write(connection, nick, puppetLines(connection, nick, part), effect);
}

/** The bot says it, with the name before it. */
async function relay(network: IrcNetwork, channel: string, part: WirePart, effect: MessageEffect): Promise<Outcome> {
  const bot = await network.bot.use(BOT_WITHIN_MS, effect.signal);
  if (!bot) return notConnected(network, network.bot.trouble);
  const joined = await bot.join(channel);
  if (!joined.joined) return retry(`the bot is not in ${channel}: ${joined.reason}`);
  const name = relayName(effect.author.name);
  const room = lineBudget(bot.view, channel, part.style) - Buffer.byteLength(relayPrefix(part.style, name));
  const lines = splitText(part.text, room).map((text) => asRelay({ ...part, text }, name));
  return await write(bot, channel, lines, effect);
}

/** One line, unless the puppet got a longer nick or host than was assumed. */
function puppetLines(connection: Connection, target: string, part: WirePart): WireLine[] {
  return splitText(part.text, lineBudget(connection.view, target, part.style)).map((text) =>
    asPuppet({ ...part, text }),
  );
}

async function write(
  connection: Connection,
  target: string,
  lines: readonly WireLine[],
  effect: MessageEffect,
): Promise<Outcome> {
  const { view } = connection;
  const name = view.channels.get(view.fold(target)) ?? target;
  const verdict = await connection.deliver({
    key: effect.effect,
    target: name,
    texts: lines.map(({ text }) => text),
    lines: lines.map(({ verb, text }) => formatMessage(verb, [name, text])),
    priority: view.isupport.channelPrefixes.includes(name.charAt(0)) ? Priority.channel : Priority.query,
    signal: effect.signal,
  });
  return outcomeOf(verdict, name);
}

function notConnected(network: IrcNetwork, trouble: string): Outcome {
  return retry(`not connected to ${network.name}${trouble === "" ? "" : `: ${trouble}`}`);
}

export function outcomeOf(verdict: Verdict | undefined, target: string): Outcome {
  switch (verdict?.verdict) {
    case undefined:
      return retry(`the connection ended before anything was sent to ${target}`, { afterMs: SOON_MS });
    case "sent":
      return verdict.id === undefined ? {} : { id: RemoteMessageId(verdict.id) };
    case "refused":
      return refused(`IRC refused it for ${target}: ${verdict.reason}`);
    case "absent":
      return retry(`it did not reach ${target}: ${verdict.reason}`, { afterMs: SOON_MS });
    case "unknown":
      return uncertain(`whether it reached ${target} is not known: ${verdict.reason}`);
  }
}
