import { type Outcome, type Role, type RoleEffect, refused, retry, type SettingsEffect } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import type { Line } from "../../session/outgoing.js";
import { ranksOf, towards } from "../../wire/ranks.js";
import { botIn, command, nameOf } from "./channel-effects.js";
import { newKey } from "./channel-keys.js";
import { notYetKnown } from "./not-yet-known.js";
import { accountOf, personOf, type Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";

type ChannelPlace = Extract<Place, { kind: "channel" }>;

/** Gives somebody the rank that their power level is, as far as the bot may. */
export async function setRole(network: IrcNetwork, { channel }: ChannelPlace, effect: RoleEffect): Promise<Outcome> {
  const { who, role } = effect;
  if ("userId" in who) network.wishes.set(channel, who.userId, role);
  // Where their client has not come into the channel yet they get their rank when it does.
  if ("userId" in who && nicksOf(network, channel, who)?.length === 0) return undefined;
  const bot = await botIn(network, channel, effect.signal);
  if (!bot) return retry(`not connected to ${network.name}`);
  const unclear = notYetKnown(network, channel);
  if (unclear) return unclear;
  const nicks = nicksOf(network, channel, who);
  if (nicks === undefined) return refused(`${"remote" in who ? who.remote : who.userId} is not in ${channel}`);
  return await command(bot, channel, rankLines(network, bot, channel, nicks, role), effect);
}

/** The client of a Matrix user has come into a channel: gives it the rank that is its user's. */
export function greetWithRank(network: IrcNetwork, bot: Connection, channel: string, nick: string, user: string): void {
  const role = network.wishes.of(channel, user);
  if (role === undefined) return;
  for (const { verb, params } of rankLines(network, bot, channel, [nick], role))
    bot.send(Priority.control, verb, params);
}

/** Sets a channel as its room was set. */
export async function setSettings(
  network: IrcNetwork,
  { channel }: ChannelPlace,
  effect: SettingsEffect,
): Promise<Outcome> {
  const { moderated, inviteOnly, keyed, secret, topicLocked } = effect.settings;
  const flags = [
    ["m", moderated],
    // Who knows the key may come in.
    ["i", keyed === true ? false : inviteOnly],
    ["s", secret],
    ["t", topicLocked],
  ] as const;
  const letters = flags.flatMap(([letter, on]) => (on === undefined ? [] : [`${on ? "+" : "-"}${letter}`]));
  if (letters.length === 0 && keyed === undefined) return undefined;
  const bot = await botIn(network, channel, effect.signal);
  if (!bot) return retry(`not connected to ${network.name}`);
  const key = keyed === undefined ? undefined : keyChange(network, bot, channel, keyed);
  const params = [letters.join("") + (key?.letters ?? ""), ...(key ? [key.key] : [])];
  if (params[0] === "") return undefined;
  return await command(bot, channel, [{ verb: "MODE", params: [nameOf(bot, channel), ...params] }], effect);
}

/**
 * The key that a channel gets, or loses: kept, encrypted where the operator has a key for that, when the server repeats the
 * change. `undefined` where there is nothing to change.
 */
function keyChange(
  network: IrcNetwork,
  bot: Connection,
  channel: string,
  keyed: boolean,
): { readonly letters: string; readonly key: string } | undefined {
  const known = network.keys.of(channel);
  if (keyed === (known !== undefined)) return undefined;
  return known === undefined
    ? { letters: "+k", key: newKey(bot.view.isupport.keyLength) }
    : { letters: "-k", key: known };
}

/** `undefined`: a person of the network who is not there; none: a Matrix user without a client there. */
function nicksOf(network: IrcNetwork, channel: string, who: RoleEffect["who"]): readonly string[] | undefined {
  if ("userId" in who) {
    const view = network.puppets.get(who.userId)?.seat.connection?.view;
    return view?.channels.has(channel) === true ? [view.nick] : [];
  }
  const person = personOf(who.remote);
  if (person?.network !== network.name) return undefined;
  const account = accountOf(who.remote);
  const nicks =
    account === undefined
      ? [person.nick].filter((nick) => network.members.channelsOf(nick).includes(channel))
      : network.members.nicksOf(account, channel);
  const shown = nicks.map((nick) => network.members.nickOf(network.fold(nick)) ?? nick);
  return shown.length > 0 ? shown : undefined;
}

function rankLines(
  network: IrcNetwork,
  bot: Connection,
  channel: string,
  nicks: readonly string[],
  role: Role,
): readonly Line[] {
  const ranks = ranksOf(bot.view.isupport);
  return nicks.flatMap((nick) => {
    const { give, take } = towards(role, network.members.ranksOf(network.fold(nick), channel), ranks);
    const letters = `${give === "" ? "" : `+${give}`}${take === "" ? "" : `-${take}`}`;
    if (letters === "") return [];
    const targets = Array.from(give + take, () => nick);
    return [{ verb: "MODE", params: [nameOf(bot, channel), letters, ...targets] }];
  });
}
