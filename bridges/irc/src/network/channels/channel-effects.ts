import { type MembershipEffect, type Outcome, refused, retry, type TopicEffect, type UserId } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import type { Line } from "../../session/outgoing.js";
import { realnameOf } from "../../session/realname.js";
import { oneLine } from "../../wire/sanitise.js";
import { banMasks } from "./ban-masks.js";
import { accountOf, personOf, type Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { outcomeOf } from "../outward/speech.js";
import { notYetKnown } from "./not-yet-known.js";

const BOT_WITHIN_MS = 10_000;
const REASON_BYTES = 200;

type ChannelPlace = Extract<Place, { kind: "channel" }>;

/** Sets a channel's topic. */
export async function setTopic(network: IrcNetwork, { channel }: ChannelPlace, effect: TopicEffect): Promise<Outcome> {
  const bot = await botIn(network, channel, effect.signal);
  if (!bot) return retry(`not connected to ${network.name}`);
  const topic = oneLine(effect.topic, bot.view.isupport.topicLength);
  return await command(bot, channel, [{ verb: "TOPIC", params: [nameOf(bot, channel), topic] }], effect);
}

/** What a membership on Matrix means for IRC. */
export async function setMembership(
  network: IrcNetwork,
  { channel }: ChannelPlace,
  effect: MembershipEffect,
): Promise<Outcome> {
  const { who, change } = effect;
  if ("remote" in who) {
    const person = personOf(who.remote);
    if (person?.network !== network.name) return refused(`${who.remote} is nobody on ${network.name}`);
    if (change === "unban") return await readmit(network, channel, person.nick, effect);
    return change === "kick" || change === "ban" ? await remove(network, channel, person.nick, effect) : undefined;
  }
  switch (change) {
    case "rename":
      network.relayNames.note(channel, who);
      rename(network, who.userId, who.name);
      return undefined;
    case "join":
      network.relayNames.note(channel, who);
      network.readers.joined(channel, effect.room, who);
      // One who has a client already comes along.
      void network.puppets.get(who.userId)?.seat.connection?.join(channel);
      return undefined;
    case "unban":
      return undefined;
    case "leave":
    case "kick":
    case "ban":
      if (network.readers.left(channel, effect.room, who.userId)) return undefined;
      network.relayNames.forget(channel, who.userId);
      leave(network, channel, who.userId, reasonOf(effect));
      return undefined;
  }
}

/** Takes back what `remove` has set: the account's ban, or that of the nick. */
async function readmit(
  network: IrcNetwork,
  channel: string,
  folded: string,
  effect: MembershipEffect,
): Promise<Outcome> {
  const bot = await botIn(network, channel, effect.signal);
  if (!bot) return retry(`not connected to ${network.name}`);
  const account = accountOf(folded);
  const nick = network.nickOf(folded) ?? (account === undefined ? folded : undefined);
  const masks = banMasks(bot.view.isupport, account, nick === undefined ? [] : [nick]);
  const lines = masks.map((mask) => ({ verb: "MODE", params: [nameOf(bot, channel), "-b", mask] }));
  return await command(bot, channel, lines, effect);
}

async function remove(
  network: IrcNetwork,
  channel: string,
  folded: string,
  effect: MembershipEffect,
): Promise<Outcome> {
  const bot = await botIn(network, channel, effect.signal);
  if (!bot) return retry(`not connected to ${network.name}`);
  const unclear = notYetKnown(network, channel);
  if (unclear) return unclear;
  const account = accountOf(folded);
  const nick = network.nickOf(folded);
  const nicks = account === undefined ? (nick === undefined ? [] : [nick]) : network.members.nicksOf(account, channel);
  const name = nameOf(bot, channel);
  if (nicks.length === 0 && effect.change === "kick") return refused(`${folded} is not in ${channel}`);
  const lines: Line[] = [];
  if (effect.change === "ban") {
    const masks = banMasks(bot.view.isupport, account, account === undefined ? [nick ?? folded] : nicks);
    lines.push(...masks.map((mask) => ({ verb: "MODE", params: [name, "+b", mask] })));
  }
  const reason = oneLine(
    `${effect.author.name}${effect.reason === undefined ? "" : `: ${effect.reason}`}`,
    bot.view.isupport.kickLength,
  );
  lines.push(...nicks.map((each) => ({ verb: "KICK", params: [name, each, reason] })));
  return await command(bot, channel, lines, effect);
}

function rename(network: IrcNetwork, user: UserId, name: string): void {
  const puppet = network.puppets.get(user);
  if (!puppet || puppet.name === name) return;
  const before = realnameOf(network.config, { kind: "puppet", user, name: puppet.name });
  const after = realnameOf(network.config, { kind: "puppet", user, name });
  puppet.name = name;
  puppet.nicks.rename(name);
  network.puppets.renames.take(user, () => showName(network, user, before === after ? undefined : after));
}

/** `realname`: absent where that is not made of the name. */
function showName(network: IrcNetwork, user: UserId, realname: string | undefined): void {
  const puppet = network.puppets.get(user);
  const connection = puppet?.seat.connection;
  if (!puppet || !connection) return;
  // Where it cannot be changed the next connection has the new one.
  if (realname !== undefined && connection.view.capabilities.has("setname"))
    connection.send(Priority.channel, "SETNAME", [oneLine(realname, connection.view.isupport.nameLength) || user]);
  const nick = puppet.nicks.first();
  if (connection.view.nick !== nick) connection.changeNick(nick);
}

function leave(network: IrcNetwork, channel: string, user: UserId, reason: string): void {
  const puppet = network.puppets.get(user);
  if (!puppet) return;
  puppet.seat.channels.delete(channel);
  const connection = puppet.seat.connection;
  const isIn = [...puppet.seat.channels.keys(), ...(connection?.view.channels.keys() ?? [])];
  const hasOthers = isIn.some((each) => each !== channel);
  if (!hasOthers && puppet.queries.size === 0) network.puppets.remove(puppet, reason);
  else connection?.part(channel, reason);
}

function reasonOf({ change, author, reason }: MembershipEffect): string {
  const detail = reason === undefined ? "" : `: ${reason}`;
  return oneLine(
    change === "leave" ? (reason ?? "Left the room on Matrix") : `Removed on Matrix by ${author.name}${detail}`,
    REASON_BYTES,
  );
}

export async function botIn(
  network: IrcNetwork,
  channel: string,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  const bot = await network.bot.use(BOT_WITHIN_MS, signal);
  return bot && (await bot.join(channel)).joined ? bot : undefined;
}

export function nameOf(connection: Connection, channel: string): string {
  return connection.view.channels.get(channel) ?? channel;
}

/** Writes commands and waits until the server has dealt with them or refused them. */
export async function command(
  connection: Connection,
  target: string,
  lines: readonly Line[],
  effect: { readonly effect: string; readonly signal: AbortSignal },
): Promise<Outcome> {
  const { effect: key, signal } = effect;
  if (lines.length === 0) return undefined;
  return outcomeOf(await connection.deliver({ key, target, lines, priority: Priority.control, signal }), target);
}
