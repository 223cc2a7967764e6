import { type Outcome, type ReactEffect, type RedactEffect, type UserId } from "@trestle/core";
import { truncate } from "@trestle/rich-text";
import { printable } from "../../format/runs.js";
import { splitText } from "../../format/split.js";
import { speakerFor } from "../connections/speaker.js";
import type { Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { lineBudget } from "./budget.js";
import { outcomeOf, priorityOf } from "./speech.js";
import { asPuppet, asRelay, relayPrefix } from "./wire-part.js";

/** So much of a message says which one is meant. */
const EXCERPT = 40;

type Told = ReactEffect | RedactEffect;

/** Says in an action what somebody did that the server cannot show: `* ann reacted …`. */
export async function tellInWords(network: IrcNetwork, place: Place, effect: Told, words: string): Promise<Outcome> {
  const speaker = await speakerFor(network, place, effect);
  if ("outcome" in speaker) return speaker.outcome;
  const { connection, target } = speaker;
  const relays = speaker.as === "relay" && place.kind === "channel";
  const name = relays ? network.relayNames.before(place.channel, effect.author) : "";
  const room =
    lineBudget(connection.view, target, "emote") - (relays ? Buffer.byteLength(relayPrefix("emote", name)) : 0);
  const part = { style: "emote", text: splitText(words, room)[0] ?? "" } as const;
  const { verb, text } = relays ? asRelay(part, name) : asPuppet(part);
  const verdict = await connection.deliver({
    key: effect.effect,
    target,
    lines: [{ verb, params: [target, text] }],
    priority: priorityOf(connection, target),
    signal: effect.signal,
  });
  if (verdict?.verdict === "refused" && relays && network.relayNames.refused(place.channel))
    return await tellInWords(network, place, effect, words);
  return outcomeOf(verdict, target);
}

/** `reacted 👍 to “first words…”` */
export function reactionInWords({ key, about }: ReactEffect): string {
  const words = truncate(
    printable(about?.excerpt ?? "")
      .replace(/\s+/g, " ")
      .trim(),
    EXCERPT,
  );
  return `reacted ${key} to ${words === "" ? "a message" : `“${words}”`}`;
}

/** `deleted their message of 12:04 UTC`: its words are not said once more. */
export function deletionInWords(network: IrcNetwork, { target, author }: RedactEffect): string {
  const said = target.map((id) => network.sentBy.said(id)).find((each) => each !== undefined);
  if (!said) return "deleted a message";
  const time = `${new Date(said.at).toISOString().slice(11, 16)} UTC`;
  if (said.by === author.userId) return `deleted their message of ${time}`;
  return `deleted a message that ${nameOf(network, said.by)} sent at ${time}`;
}

function nameOf(network: IrcNetwork, user: UserId): string {
  return network.puppets.get(user)?.seat.connection?.view.nick ?? printable(user.replace(/^@|:.*$/gs, ""));
}
