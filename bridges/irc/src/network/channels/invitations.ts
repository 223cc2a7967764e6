import {
  EffectId,
  type InviteEffect,
  isFailure,
  type Network,
  type Outcome,
  refused,
  RemoteMessageId,
} from "@trestle/core";
import { Priority } from "../../session/flood-control.js";
import { isNick } from "../../wire/sanitise.js";
import { relayFor, type Speaker } from "../connections/speaker.js";
import { accountOf, personOf, type Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import type { PastEffects } from "../outward/past-effects.js";
import { outcomeOf } from "../outward/speech.js";
import { notYetKnown } from "./not-yet-known.js";

/**
 * A Matrix user asks a person of the network into a channel: their puppet does, where it is there, and the bot where it is
 * not or may not. Who is in it already comes into the room at once. What the network says against it is told in the room, and the ghost's invitation turned down.
 */
export async function invite(
  network: IrcNetwork,
  { channel }: Extract<Place, { kind: "channel" }>,
  effect: InviteEffect,
  core: Pick<Network, "receive">,
  past: PastEffects,
): Promise<Outcome> {
  const person = personOf(effect.who);
  if (person?.network !== network.name) return refused(`${effect.who} is nobody on ${network.name}`);
  const nick = network.nickOf(person.nick) ?? (accountOf(effect.who) === undefined ? person.nick : undefined);
  if (nick === undefined || !isNick(nick)) {
    const unclear = nick === undefined ? notYetKnown(network) : undefined;
    if (unclear) return unclear;
    await turnDown(core, effect, undefined, `nobody who is signed in as ${person.nick.slice(1)} is to be seen now`);
    return undefined;
  }
  const isMember = (): boolean => network.members.channelsOf(network.fold(nick)).includes(channel);
  if (isMember()) return await isThere(core, effect, nick);
  const unclear = notYetKnown(network, channel);
  if (unclear) return unclear;
  const byPuppet = { ...effect, effect: EffectId(`${effect.effect}p`) };
  if (await past.wasDone(byPuppet)) return {};
  const puppet = network.puppets.get(effect.author.userId)?.seat.connection;
  const target = puppet?.view.channels.get(channel);
  const own =
    puppet && target !== undefined
      ? await write({ connection: puppet, target, as: "puppet" }, nick, byPuppet)
      : undefined;
  if (own && !isRefused(own)) return own;
  const outcome = await write(await relayFor(network, channel, effect.signal), nick, effect);
  if (!isRefused(outcome)) return outcome;
  // Whoever came meanwhile cannot be invited.
  if (isMember()) return await isThere(core, effect, nick);
  await turnDown(core, effect, nick, outcome.reason);
  return undefined;
}

async function write(speaker: Speaker, nick: string, { effect: key, signal }: InviteEffect): Promise<Outcome> {
  if ("outcome" in speaker) return speaker.outcome;
  const { connection, target } = speaker;
  const lines = [{ verb: "INVITE", params: [nick, target] }];
  const verdict = await connection.deliver({ key, target, about: nick, lines, priority: Priority.control, signal });
  return outcomeOf(verdict, target) ?? {};
}

function isRefused(outcome: Outcome): outcome is Extract<Outcome, { failed: unknown }> {
  return isFailure(outcome) && outcome.failed === "permanent";
}

/** Nobody has to be asked who is in the channel: only their ghost is still to come. */
async function isThere(
  core: Pick<Network, "receive">,
  { effect, channel, who }: InviteEffect,
  nick: string,
): Promise<Outcome> {
  await core.receive({
    kind: "membership",
    id: RemoteMessageId(`${effect}:there`),
    channel,
    user: { id: who, name: nick },
    change: "join",
    intoRoom: true,
  });
  return {};
}

/** Told once, however often it is tried. */
async function turnDown(
  core: Pick<Network, "receive">,
  { effect, channel, who, author }: InviteEffect,
  nick: string | undefined,
  reason: string,
): Promise<void> {
  await core.receive({
    kind: "declined",
    id: RemoteMessageId(`${effect}:refused`),
    channel,
    who: { id: who, ...(nick !== undefined && { name: nick }) },
    how: "refused",
    userId: author.userId,
    reason,
  });
}
