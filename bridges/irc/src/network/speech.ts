import { type MessageEffect, type Outcome, refused, RemoteMessageId, retry, uncertain } from "@trestle/core";
import type { Connection } from "../session/connection.js";
import type { Verdict } from "../session/deliveries.js";
import { Priority } from "../session/flood-control.js";
import { formatMessage } from "../wire/message.js";
import { isNick } from "../wire/sanitise.js";
import type { Place } from "./ids.js";
import type { IrcNetwork } from "./irc-network.js";
import { splitText } from "../format/split.js";
import { asPuppet, asRelay, parseWirePart, relayPrefix, type WireLine, type WirePart } from "./wire-part.js";

/** How long a message waits for the puppet's connection before the bot says it. */
const PUPPET_WITHIN_MS = 15_000;
const BOT_WITHIN_MS = 5_000;

/** A puppet is kept out of the channel by a ban: the bot does not speak in its place. */
const BANNED = "474";

/** Says one part of a message on IRC. */
export async function say(network: IrcNetwork, place: Place, effect: MessageEffect): Promise<Outcome> {
  const part = parseWirePart(effect.wire);
  if (!part) return refused("the stored message cannot be read by this version of the bridge");
  if (place.kind === "query") return await sayToNick(network, place, part, effect);
  if (!network.config.puppets || network.config.maxPuppets === 0) return await relay(network, place.channel, part, effect);
  const puppet = network.puppetFor(effect.author);
  puppet.spokeAt = performance.now();
  const connection = await puppet.seat.use(PUPPET_WITHIN_MS, effect.signal);
  if (!connection) return effect.signal.aborted ? retry("the server did not let the puppet in yet") : await relay(network, place.channel, part, effect);
  const joined = await connection.join(place.channel);
  if (joined.joined) return await write(connection, place.channel, [asPuppet(part)], effect);
  if (joined.numeric === BANNED) return refused(`${connection.nick} is banned from ${place.channel}: ${joined.reason}`);
  if (joined.numeric === "") return retry(`${connection.nick} is not in ${place.channel} yet: ${joined.reason}`);
  return await relay(network, place.channel, part, effect);
}

async function sayToNick(network: IrcNetwork, place: Extract<Place, { kind: "query" }>, part: WirePart, effect: MessageEffect): Promise<Outcome> {
  if (!network.config.puppets) return refused("private messages need puppets, which are switched off");
  if (!isNick(place.nick)) return refused(`"${place.nick}" is no nick`);
  if (effect.author.userId !== place.user) return refused("only the person whose conversation this is can speak in it");
  const puppet = network.puppetFor(effect.author);
  puppet.spokeAt = performance.now();
  const connection = await puppet.seat.use(PUPPET_WITHIN_MS, effect.signal);
  if (!connection) return retry(`not connected to ${network.name}: ${puppet.seat.trouble}`);
  puppet.queries.add(place.nick);
  return await write(connection, network.members.nickOf(place.nick) ?? place.nick, [asPuppet(part)], effect);
}

/** The bot says it, with the name before it. */
async function relay(network: IrcNetwork, channel: string, part: WirePart, effect: MessageEffect): Promise<Outcome> {
  const bot = await network.bot.use(BOT_WITHIN_MS, effect.signal);
  if (!bot) return retry(`not connected to ${network.name}${network.bot.trouble === "" ? "" : `: ${network.bot.trouble}`}`);
  const joined = await bot.join(channel);
  if (!joined.joined) return retry(`the bot is not in ${channel}: ${joined.reason}`);
  const { name } = effect.author;
  const room = textBudget(bot, channel, part.style) - Buffer.byteLength(relayPrefix(part.style, name));
  const lines = splitText(part.text, room).map((text) => asRelay({ ...part, text }, name));
  return await write(bot, channel, lines, effect);
}

async function write(connection: Connection, target: string, lines: readonly WireLine[], effect: MessageEffect): Promise<Outcome> {
  const name = connection.channels.get(connection.fold(target)) ?? target;
  const verdict = await connection.deliver({
    key: effect.effect,
    target: name,
    texts: lines.map(({ text }) => text),
    lines: lines.map(({ verb, text }) => formatMessage(verb, [name, text])),
    priority: connection.isupport.channelPrefixes.includes(name[0] ?? " ") ? Priority.channel : Priority.query,
    signal: effect.signal,
  });
  return outcomeOf(verdict, name);
}

export function outcomeOf(verdict: Verdict | undefined, target: string): Outcome {
  switch (verdict?.verdict) {
    case undefined:
      return retry(`the connection ended before anything was sent to ${target}`);
    case "sent":
      return verdict.id === undefined ? {} : { id: RemoteMessageId(verdict.id) };
    case "refused":
      return refused(`IRC refused it for ${target}: ${verdict.reason}`);
    case "unknown":
      return uncertain(`whether it reached ${target} is not known: ${verdict.reason}`);
  }
}

/** How many bytes of text fit into one line of `connection` to `target`, as other clients get it. */
export function textBudget(connection: Connection, target: string, style: WirePart["style"]): number {
  const { user, host } = connection.address;
  const { isupport } = connection;
  const userBytes = user === undefined ? isupport.userLength + 1 : Buffer.byteLength(user);
  const hostBytes = host === undefined ? 63 : Buffer.byteLength(host);
  const prefix = 1 + Buffer.byteLength(connection.nick) + 1 + userBytes + 1 + hostBytes + 1;
  const command = "PRIVMSG ".length + Buffer.byteLength(target) + " :".length;
  return isupport.lineLength - 2 - prefix - command - (style === "emote" ? "\x01ACTION \x01".length : 0);
}
