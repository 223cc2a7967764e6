import type { Author, Content, MessageEffect, Network } from "@trestle/core";
import { type RichText, richTextOf } from "@trestle/rich-text";
import { correctionOf } from "../../format/correction.js";
import { renderLines, type StyledLine } from "../../format/render.js";
import { PLAIN } from "../../format/runs.js";
import { splitExactly, splitLine } from "../../format/split.js";
import type { Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { speaksByPuppet } from "../connections/relayed.js";
import { assumedBudget, lineBudget, relayedBudget } from "./budget.js";
import { type MultilineLimits, multilineLimitsOf, type Piece, together } from "./multiline.js";
import { addressed, isLongAgo, threaded } from "./reply-prefix.js";
import { relayPrefix, type WirePart } from "./wire-part.js";
import { mentionText } from "./mention-text.js";

type Said = Pick<MessageEffect, "content" | "author" | "replyTo" | "thread" | "correction" | "room" | "event" | "at">;

/** Cuts a message into lines that fit on the wire, as whoever will speak has room. */
export function richLines(network: IrcNetwork, place: Place, message: Said, linkTo: Network["textLink"]): WirePart[] {
  const { style, body } = textOf(message.content);
  const lines = correctionLines(network, message) ?? linesOf(network, body, message);
  const { room, limits, isWhole } = roomFor(network, place, message, style);
  const texts = lines.flatMap((line) => splitLine(line, room));
  const most = network.config.maxLines;
  // Without a page for the rest all of it is said: nothing may be lost.
  const link = texts.length > most ? linkTo(message.room, message.event) : undefined;
  if (link === undefined && isWhole && limits && style !== "emote") return together(wholes(lines, room), style, limits);
  const shown = link === undefined ? texts : shortened(texts, most, link);
  return together(
    shown.map((text) => ({ text, goesOn: false })),
    style,
    limits,
  );
}

function linesOf(network: IrcNetwork, body: RichText, { replyTo, thread, author, at }: Said): StyledLine[] {
  const inThread = thread ? threaded(body, thread) : body;
  const shown = replyTo ? addressed(body, { replyTo, author, at }, network) : inThread;
  return renderLines(shown, { mention: (mention) => mentionText(network, mention) });
}

/**
 * What an edit changed, where that is shorter than the text and what it changed is still on the screen; no lines where
 * nothing changed that IRC shows.
 */
function correctionLines(network: IrcNetwork, { correction, at }: Said): StyledLine[] | undefined {
  if (correction?.before?.type !== "text" || correction.content.type !== "text") return undefined;
  const [before, after] = [correction.before.body, correction.content.body].map((body) =>
    renderLines(body, { mention: (mention) => mentionText(network, mention) })
      .map((line) => line.map(({ text }) => text).join(""))
      .join("\n"),
  );
  const told = correctionOf(before ?? "", after ?? "");
  if (told === undefined || (told !== "" && isLongAgo(correction, at))) return undefined;
  return told === "" ? [] : [[{ text: told, style: PLAIN }]];
}

function shortened(texts: readonly string[], most: number, link: string): string[] {
  const shown = texts.slice(0, most - 1);
  return [...shown, `… ${texts.length - shown.length} more lines: ${link}`];
}

/** Lines that a reader can join again where they were cut for the wire; those that show nothing are left out. */
function wholes(lines: readonly StyledLine[], room: number): Piece[] {
  return lines
    .filter((line) => line.some(({ text }) => text.trim() !== ""))
    .flatMap((line) => splitExactly(line, room).map((text, index) => ({ text, goesOn: index > 0 })));
}

interface Room {
  /** How many bytes of text a line of whoever will speak has room for. */
  readonly room: number;
  /** What the server takes as one message of several lines, as the bot was offered it. */
  readonly limits: MultilineLimits | undefined;
  /** Whether lines have nothing of the bot's before them, so that they can go on from each other. */
  readonly isWhole: boolean;
}

function roomFor(network: IrcNetwork, place: Place, { author }: Said, style: WirePart["style"]): Room {
  const target = place.kind === "channel" ? place.channel : place.nick;
  const bot = network.bot.connection;
  const limits = bot && multilineLimitsOf(bot.view.capabilities);
  const isPuppet =
    place.kind === "query" ||
    (speaksByPuppet(network, place.channel, author.userId) && network.puppets.mayHave(author.userId));
  if (isPuppet) return { room: puppetRoom(network, author, target, style), limits, isWhole: true };
  const { isupport, config, relayNames } = network;
  const line = bot ? lineBudget(bot.view, target, style) : assumedBudget(isupport, config.nick, target, style);
  const room = line - Buffer.byteLength(relayPrefix(style, relayNames.before(place.channel, author)));
  const named = { ...author, name: relayNames.of(place.channel, author) };
  const nick = bot && network.relays.nickFor(bot, place.channel, named);
  if (nick === undefined || style === "notice") return { room, limits, isWhole: false };
  // The server relays line by line; what it refuses to relay the bot says itself.
  return { room: Math.min(room, relayedBudget(isupport, nick, target, style)), limits: undefined, isWhole: false };
}

/** Whether the puppet is connected or not. */
function puppetRoom(network: IrcNetwork, author: Author, target: string, style: WirePart["style"]): number {
  const view = network.puppets.get(author.userId)?.seat.connection?.view;
  return view
    ? lineBudget(view, target, style)
    : assumedBudget(network.isupport, network.puppets.nickOf(author), target, style);
}

/** The core gives a line of text for what IRC has not: files, stickers, voice messages, locations, polls. */
function textOf(content: Content): { readonly style: WirePart["style"]; readonly body: RichText } {
  return content.type === "text" ? content : { style: "text", body: richTextOf("sent something that IRC cannot show") };
}
