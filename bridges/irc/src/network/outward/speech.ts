import { type MessageEffect, type Outcome, refused, RemoteMessageId, retry, uncertain } from "@trestle/core";
import { splitText, splitTextExactly } from "../../format/split.js";
import type { Connection } from "../../session/connection.js";
import type { Verdict } from "../../session/deliveries.js";
import { Priority } from "../../session/flood-control.js";
import { isMsgid, namelessId } from "../../session/line-id.js";
import type { Tags } from "../../wire/message.js";
import { replyTags } from "../../wire/reaction.js";
import { lineBudget, relayedBudget } from "./budget.js";
import type { Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { multilineLimitsOf } from "./multiline.js";
import { SOON_MS, type Speaker, speakerFor } from "../connections/speaker.js";
import { asPuppet, asRelay, parseWirePart, relayPrefix, type WireLine, type WirePart } from "./wire-part.js";

/** Says one part of a message on IRC. */
export async function say(network: IrcNetwork, place: Place, effect: MessageEffect): Promise<Outcome> {
  const part = parseWirePart(effect.wire);
  if (!part) return refused("the stored message cannot be read by this version of the bridge");
  const speaker = await speakerFor(network, place, effect);
  if ("outcome" in speaker) return speaker.outcome;
  const { connection, target } = speaker;
  const tags = tagsOf(connection, effect);
  const { maxWait } = network.config.flood;
  const waitedMs = Math.min(connection.outgoing.fullForMs, Date.now() - effect.at);
  if (waitedMs > maxWait * 1000)
    return refused(
      `more is said than ${network.name} takes: it has waited for ${Math.round(waitedMs / 60_000)} minutes and is given up. ` +
        "Wait until the rest has gone out, then say it again",
    );
  const relayed = speaker.as === "relay" ? await relay(network, place, speaker, part, effect) : undefined;
  if (relayed) return relayed.outcome;
  const lines = linesOf(network, place, speaker, part, effect);
  const multiline = takesTogether(connection, lines) && part.text.includes("\n");
  const verdict = await connection.deliver({
    key: effect.effect,
    target,
    lines: lines.map(({ verb, text, goesOn = false }, index) => {
      return { verb, params: [target, text], goesOn, ...(index === 0 && { tags }) };
    }),
    ...(multiline && { multiline: tags }),
    priority: priorityOf(connection, target),
    signal: effect.signal,
  });
  if (verdict?.verdict === "refused" && speaker.as === "relay" && place.kind === "channel") {
    // The channel may take no colours (+c).
    if (network.relayNames.refused(place.channel)) return await say(network, place, effect);
  }
  return named(network, effect, speaker.as, verdict, outcomeOf(verdict, target));
}

/** Remembers whose message it is; one to which the server gave no name has one where there may be words about it. */
function named(
  { config, sentBy }: IrcNetwork,
  { effect, author }: MessageEffect,
  as: "puppet" | "relay",
  verdict: Verdict | undefined,
  outcome: Outcome,
): Outcome {
  if (verdict?.verdict !== "sent") return outcome;
  const isSpokenOf = config.asText.reactions || config.asText.deletions;
  const id = verdict.id ?? (isSpokenOf ? namelessId(effect) : undefined);
  if (id !== undefined && (as === "puppet" || isSpokenOf)) sentBy.note(id, author.userId);
  return id === undefined ? outcome : { id: RemoteMessageId(id) };
}

/** Has the server say it under the author's name; `undefined` where it does not, and the bot has to say it itself. */
async function relay(
  network: IrcNetwork,
  place: Place,
  { connection, target }: Exclude<Speaker, { outcome: unknown }>,
  part: WirePart,
  effect: MessageEffect,
): Promise<{ readonly outcome: Outcome } | undefined> {
  if (place.kind !== "channel" || part.style === "notice") return undefined;
  const named = { ...effect.author, name: network.relayNames.of(place.channel, effect.author) };
  const nick = network.relays.nickFor(connection, place.channel, named);
  if (nick === undefined) return undefined;
  const room = relayedBudget(connection.view.isupport, nick, target, part.style);
  const texts = part.text.split("\n").flatMap((line) => splitText(line, room));
  const verdict = await connection.deliver({
    key: effect.effect,
    target,
    lines: texts.map((text, index) => {
      const params = [target, nick, asPuppet({ ...part, text }).text];
      return { verb: "RELAYMSG", params, ...(index === 0 && { tags: tagsOf(connection, effect) }) };
    }),
    priority: priorityOf(connection, target),
    signal: effect.signal,
  });
  if (verdict?.verdict !== "refused") return { outcome: outcomeOf(verdict, target) };
  network.relays.refused(place.channel);
  return undefined;
}

/** Whether the server takes these lines as one message. */
function takesTogether({ view }: Connection, lines: readonly WireLine[]): boolean {
  const limits = multilineLimitsOf(view.capabilities);
  const bytes = lines.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
  return limits !== undefined && lines.length > 1 && lines.length <= limits.lines && bytes <= limits.bytes;
}

/** The lines of a part; more than it has where whoever speaks got a longer nick or host than was assumed. */
function linesOf(
  network: IrcNetwork,
  place: Place,
  { connection, target, as }: Exclude<Speaker, { outcome: unknown }>,
  part: WirePart,
  effect: MessageEffect,
): WireLine[] {
  const room = lineBudget(connection.view, target, part.style);
  const texts = part.text.split("\n");
  if (as === "puppet" || place.kind === "query") return puppetLines(part, texts, room);
  const name = network.relayNames.before(place.channel, effect.author);
  const rest = room - Buffer.byteLength(relayPrefix(part.style, name));
  return texts.flatMap((line) => splitText(line, rest)).map((text) => asRelay({ ...part, text }, name));
}

function puppetLines(part: WirePart, texts: readonly string[], room: number): WireLine[] {
  return texts.flatMap((line, index) => {
    const pieces = part.goesOn ? splitTextExactly(line, room) : splitText(line, room);
    return pieces.map((text, piece) => {
      const goesOn = part.goesOn !== undefined && (piece > 0 || part.goesOn.includes(index));
      return { ...asPuppet({ ...part, text }), goesOn };
    });
  });
}

/** What a reply answers, for clients that show it; everybody else sees the name that the core has put before the text. */
function tagsOf(connection: Connection, { part, replyTo, thread }: MessageEffect): Tags {
  const answers = part === 0 ? (replyTo ?? thread)?.id : undefined;
  return answers !== undefined && isMsgid(answers) && takesTags(connection, "draft/reply") ? replyTags(answers) : {};
}

/** Whether the server passes client-only tags of these names on. */
export function takesTags({ view }: Connection, ...tags: readonly string[]): boolean {
  return view.capabilities.has("message-tags") && !tags.some((tag) => view.isupport.denies(tag));
}

export function priorityOf({ view }: Connection, target: string): Priority {
  return view.isupport.channelPrefixes.includes(target.charAt(0)) ? Priority.channel : Priority.query;
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
