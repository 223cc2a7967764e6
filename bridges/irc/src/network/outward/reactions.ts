import type { Outcome, ReactEffect } from "@trestle/core";
import { isMsgid } from "../../session/line-id.js";
import { type Reaction, reactionTags } from "../../wire/reaction.js";
import { wellFormed, withoutControls } from "../../wire/sanitise.js";
import type { Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { relayFor, speakerFor } from "../connections/speaker.js";
import { reactionInWords, tellInWords } from "./in-words.js";
import { outcomeOf, priorityOf, takesTags } from "./speech.js";

/** What is longer is no emoji and no short word; a tag that is too long costs the whole line. */
const LONGEST_KEY_BYTES = 200;

/**
 * Adds a reaction or takes it back, where the network shows reactions. Elsewhere nothing is said, for a line about every
 * reaction is more noise than the reaction is worth, unless the operator wants it (`asText`).
 */
export async function react(
  network: IrcNetwork,
  place: Place,
  effect: ReactEffect,
  change: Reaction["change"],
): Promise<Outcome> {
  const key = withoutControls(wellFormed(effect.key)).trim();
  // A picture of the room's own (a custom emoji) has no character.
  const isShown = key !== "" && Buffer.byteLength(key) <= LONGEST_KEY_BYTES && !key.startsWith("mxc://");
  if (!isShown) return undefined;
  const inWords = () => tell(network, place, { ...effect, key }, change);
  if (!isMsgid(effect.target)) return await inWords();
  if (place.kind === "channel") {
    // Nobody is connected just to find out that the network shows no reactions.
    const bot = await relayFor(network, place.channel, effect.signal);
    if ("outcome" in bot) return bot.outcome;
    if (!takesTags(bot.connection, `draft/${change}`, "draft/reply")) return await inWords();
  }
  const speaker = await speakerFor(network, place, effect);
  if ("outcome" in speaker) return speaker.outcome;
  const { connection, target } = speaker;
  if (!takesTags(connection, `draft/${change}`, "draft/reply")) return await inWords();
  const verdict = await connection.deliver({
    key: effect.effect,
    target,
    lines: [{ verb: "TAGMSG", params: [target], tags: reactionTags({ change, target: effect.target, key }) }],
    priority: priorityOf(connection, target),
    signal: effect.signal,
  });
  return outcomeOf(verdict, target);
}

/** Only of what is added: that somebody has thought better of it is worth no line. */
async function tell(
  network: IrcNetwork,
  place: Place,
  effect: ReactEffect,
  change: Reaction["change"],
): Promise<Outcome> {
  if (change === "unreact" || !network.config.asText.reactions) return undefined;
  return await tellInWords(network, place, effect, reactionInWords(effect));
}
