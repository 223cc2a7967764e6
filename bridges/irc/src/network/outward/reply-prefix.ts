import type { MessageEffect, ReplyTarget } from "@trestle/core";
import { normalise, type RichText, richTextOf, truncate } from "@trestle/rich-text";
import { printable } from "../../format/runs.js";
import { personOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";

/** What was said longer ago is not on the screen any more: a few words of it say which message is meant. */
const LONG_AGO_MS = 10 * 60_000;
const EXCERPT = 40;
const NAME = 60;

type Reply = Pick<MessageEffect, "author" | "at"> & { readonly replyTo: ReplyTarget };

/**
 * Puts before a reply whom it answers, as they are called on IRC: `nick: the answer`, and `nick, re “the que…”: the
 * answer` where the question is long ago. Who answers themselves is not called by name.
 */
export function addressed(body: RichText, reply: Reply, network: IrcNetwork): RichText {
  return prefixed(body, prefixOf(reply, network));
}

/**
 * Puts before a message of a thread what the thread is about, `re “the que…”: `, for on IRC it stands among all others.
 * Nobody is called by name: that is for replies.
 */
export function threaded(body: RichText, thread: ReplyTarget): RichText {
  const excerpt = excerptOf(thread);
  return prefixed(body, excerpt === "" ? "" : `re “${excerpt}”: `);
}

function prefixed(body: RichText, prefix: string): RichText {
  if (prefix === "") return body;
  const [first, ...rest] = body.blocks;
  if (first?.type !== "paragraph") return normalise({ blocks: [...richTextOf(prefix.trim()).blocks, ...body.blocks] });
  return normalise({ blocks: [{ ...first, children: [{ type: "text", text: prefix }, ...first.children] }, ...rest] });
}

function prefixOf({ replyTo, author, at }: Reply, network: IrcNetwork): string {
  const isOwn = replyTo.matrixAuthor === author.userId;
  const name = isOwn ? "" : nameOf(replyTo, network);
  const excerpt = isOwn || isLongAgo(replyTo, at) ? excerptOf(replyTo) : "";
  if (excerpt === "") return name === "" ? "" : `${name}: `;
  return `${name === "" ? "re" : `${name}, re`} “${excerpt}”: `;
}

function nameOf({ remoteAuthor, matrixAuthor, authorName }: ReplyTarget, network: IrcNetwork): string {
  const person = remoteAuthor === undefined ? undefined : personOf(remoteAuthor);
  const nick =
    person?.network === network.name
      ? (network.members.nickOf(person.nick) ?? authorName ?? person.nick)
      : matrixAuthor === undefined
        ? authorName
        : (network.puppets.get(matrixAuthor)?.seat.connection?.view.nick ?? authorName);
  return truncate(
    printable(nick ?? "")
      .replace(/\s+/g, " ")
      .trim(),
    NAME,
  );
}

/** Whether something was said so long before `now` that it is not on the screen any more. */
export function isLongAgo({ at }: Pick<ReplyTarget, "at">, now: number): boolean {
  return at !== undefined && now - at > LONG_AGO_MS;
}

function excerptOf({ excerpt = "" }: ReplyTarget): string {
  return truncate(printable(excerpt).replace(/\s+/g, " ").trim(), EXCERPT);
}
