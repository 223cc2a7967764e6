import { EffectId, isFailure, type Outcome, type RedactEffect } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { isMsgid } from "../../session/line-id.js";
import { oneLine } from "../../wire/sanitise.js";
import type { Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import type { PastEffects } from "./past-effects.js";
import { relayFor, type Speaker, speakerFor } from "../connections/speaker.js";
import { deletionInWords, tellInWords } from "./in-words.js";
import { outcomeOf, priorityOf } from "./speech.js";

const CAPABILITY = "draft/message-redaction";
const PUPPET_WITHIN_MS = 15_000;
const REASON_BYTES = 200;

/** Deletes a message where the network can: each of its lines, by whoever said it, or by the bot as an operator. */
export async function redact(
  network: IrcNetwork,
  place: Place,
  effect: RedactEffect,
  past: PastEffects,
): Promise<Outcome> {
  if (network.config.asText.deletions) {
    const told = await tell(network, place, effect, past);
    if (told) return told.outcome;
  }
  for (const [index, id] of effect.target.entries()) {
    if (!isMsgid(id)) continue;
    const line: RedactEffect = { ...effect, effect: EffectId(`${effect.effect}-${index}`) };
    const outcome = await redactLine(network, place, line, { id, past });
    if (isFailure(outcome)) return outcome;
  }
  return undefined;
}

/** Says that something was deleted where the server cannot do it; `undefined` where it can. */
async function tell(
  network: IrcNetwork,
  place: Place,
  effect: RedactEffect,
  past: PastEffects,
): Promise<{ readonly outcome: Outcome } | undefined> {
  const speaker =
    place.kind === "channel"
      ? await relayFor(network, place.channel, effect.signal)
      : await speakerFor(network, place, effect);
  if ("outcome" in speaker) return speaker;
  if (canRedact(speaker.connection) && effect.target.some(isMsgid)) return undefined;
  if (await past.wasDone(effect)) return { outcome: {} };
  return { outcome: await tellInWords(network, place, effect, deletionInWords(network, effect)) };
}

interface Line {
  /** The `msgid`. */
  readonly id: string;
  readonly past: PastEffects;
}

async function redactLine(network: IrcNetwork, place: Place, effect: RedactEffect, line: Line): Promise<Outcome> {
  const byAuthor = { ...effect, effect: EffectId(`${effect.effect}a`) };
  if ((await line.past.wasDone(byAuthor)) || (await line.past.wasDone(effect))) return {};
  const author = await authorIn(network, place, effect, line.id);
  if (author) {
    const outcome = await write(author, line.id, byAuthor);
    // Whoever may not take it back may be helped by the bot, where it is an operator.
    if (place.kind === "query" || !isFailure(outcome) || outcome.failed !== "permanent") return outcome;
  }
  return place.kind === "channel"
    ? await write(await relayFor(network, place.channel, effect.signal), line.id, effect)
    : undefined;
}

/** The puppet that said it, or that of whoever deletes it; `undefined` where it is not there. */
async function authorIn(
  network: IrcNetwork,
  place: Place,
  effect: RedactEffect,
  id: string,
): Promise<Speaker | undefined> {
  if (place.kind === "query") return await speakerFor(network, place, effect);
  const puppet = network.puppets.get(network.sentBy.of(id) ?? effect.author.userId);
  const connection = await puppet?.seat.use(PUPPET_WITHIN_MS, effect.signal);
  const target = connection?.view.channels.get(connection.view.fold(place.channel));
  return connection && target !== undefined ? { connection, target, as: "puppet" } : undefined;
}

async function write(speaker: Speaker, id: string, effect: RedactEffect): Promise<Outcome> {
  if ("outcome" in speaker) return speaker.outcome;
  const { connection, target } = speaker;
  if (!canRedact(connection)) return undefined;
  const reason = effect.reason === undefined ? [] : [oneLine(effect.reason, REASON_BYTES)];
  const verdict = await connection.deliver({
    key: effect.effect,
    target,
    lines: [{ verb: "REDACT", params: [target, id, ...reason] }],
    priority: priorityOf(connection, target),
    signal: effect.signal,
  });
  return outcomeOf(verdict, target);
}

function canRedact({ view }: Connection): boolean {
  return view.capabilities.has("message-tags") && view.capabilities.has(CAPABILITY);
}
