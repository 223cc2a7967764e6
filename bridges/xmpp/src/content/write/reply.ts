import { truncate } from "@trestle/rich-text";
import { ns } from "../namespaces.js";
import { codePointLength, withoutMarks } from "../text/code-points.js";
import { cleanXml, cleanXmlLine } from "../xml-characters.js";
import { element, type XmlElement } from "../xml.js";
import { fallbackFor } from "./envelope.js";

/** The message that another one answers (XEP-0461). */
export interface ReplyTo {
  /** In a room the id that the room gave it; else the one that its sender gave it. */
  readonly id: string;
  /** The JID that it came from. */
  readonly author?: string;
  /** Who said it, and how it begins: quoted for clients that know no replies. */
  readonly name?: string;
  readonly excerpt?: string;
}

const longestExcerpt = 300;

/** What a reply adds: the quotation at the beginning of the body, and the elements that say what it is. */
export function replyParts(reply: ReplyTo | undefined): {
  readonly fallback: string;
  readonly elements: readonly XmlElement[];
} {
  if (reply === undefined) return { fallback: "", elements: [] };
  const answer = element("reply", { xmlns: ns.reply, to: reply.author, id: reply.id });
  const fallback = quotationOf(reply);
  if (fallback === "") return { fallback, elements: [answer] };
  return { fallback, elements: [answer, fallbackFor(ns.reply, { start: 0, end: codePointLength(fallback) })] };
}

/** `> Ann: how it begins`, each line of it quoted; the empty string where nothing is known. */
function quotationOf({ name = "", excerpt = "" }: ReplyTo): string {
  const author = cleanXmlLine(name);
  const said = truncate(withoutMarks(cleanXml(excerpt)).trim(), longestExcerpt);
  const quoted = [author, said].filter((part) => part !== "").join(": ");
  if (quoted === "") return "";
  return quoted
    .split("\n")
    .map((line) => `> ${line}\n`)
    .join("");
}
