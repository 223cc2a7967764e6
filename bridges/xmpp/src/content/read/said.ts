import { textContent, type Content, type MediaContent } from "@trestle/core";
import { isEmpty, normalise, type RichText } from "@trestle/rich-text";
import { ns } from "../namespaces.js";
import { cutRanges, codePointLength } from "../text/code-points.js";
import type { MentionRange } from "../text/marked-mentions.js";
import { readMarkup } from "../text/markup-read.js";
import { spoiled } from "../text/spoiler.js";
import { readStyling, readUnstyled } from "../text/styling-read.js";
import { readXhtml } from "../text/xhtml-read.js";
import { attributeOf, childOf, filledAttributeOf, ownChildrenOf, ownTextOf, textOf, type XmlElement } from "../xml.js";
import { fallbackRanges } from "./fallback.js";
import { given } from "../given.js";
import { looksLikeMedium, readMedia, type Medium } from "./media.js";
import { readMentions } from "./mentions.js";

/** What somebody says in a message. */
export interface Said {
  /** In order; never empty. A file may have the text as its caption. */
  readonly contents: readonly Content[];
  /** The message that this one answers (XEP-0461). */
  readonly replyTo?: { readonly id: string; readonly author?: string };
  /** The conversation in which it stands (XEP-0201). */
  readonly thread?: { readonly id: string; readonly parent?: string };
  /** What it is about, as mails have it. */
  readonly subject?: string;
}

/** What a message says; `undefined` where it has neither a text nor a file. */
export function readSaid(message: XmlElement): Said | undefined {
  const media = readMedia(message);
  const text = readText(message, media);
  const place = media.length === 0 ? readPlace(bodyOf(message)) : undefined;
  const contents = place === undefined ? contentsOf(media, text) : [place];
  if (contents.length === 0) return undefined;
  const reply = childOf(message, "reply", ns.reply);
  const replyId = reply && filledAttributeOf(reply, "id");
  const thread = ownChildrenOf(message, "thread")[0];
  const threadId = textOf(thread).trim();
  return given({
    contents,
    replyTo:
      reply === undefined || replyId === undefined
        ? undefined
        : given({ id: replyId, author: filledAttributeOf(reply, "to") }),
    thread:
      thread === undefined || threadId === ""
        ? undefined
        : given({ id: threadId, parent: filledAttributeOf(thread, "parent") }),
    subject: ownTextOf(message, "subject"),
  });
}

/** The body in the language of the message, which is the one that names none. */
export function bodyOf(message: XmlElement): string {
  const bodies = ownChildrenOf(message, "body");
  return textOf(bodies.find((body) => attributeOf(body, "xml:lang") === undefined) ?? bodies[0]);
}

/** A body that is nothing but a place on the earth (RFC 5870). */
function readPlace(body: string): Content | undefined {
  const found = /^geo:(-?\d{1,2}(?:\.\d{1,15})?),(-?\d{1,3}(?:\.\d{1,15})?)(?:[,;][^\s]*)?$/i.exec(body.trim());
  const [latitude, longitude] = [Number(found?.[1] ?? NaN), Number(found?.[2] ?? NaN)];
  const isPlace = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return isPlace ? { type: "location", latitude, longitude } : undefined;
}

interface ReadBody {
  readonly tree: RichText;
  readonly isEmote: boolean;
}

function readText(message: XmlElement, media: readonly Medium[]): ReadBody | undefined {
  const whole = bodyOf(message);
  const mentions = readMentions(message);
  const fallback = fallbackRanges(message, codePointLength(whole), media.length > 0);
  const rest = cutRanges(whole, fallback, mentions);
  // Better the whole of it than nothing.
  const kept = rest.text.trim() === "" && media.length === 0 ? { text: whole, kept: mentions } : rest;
  const isAddress = media.some(({ url }) => kept.text.trim() === url);
  const isEmote = /^\/me\s+\S/.test(kept.text);
  const said = isEmote ? cutRanges(kept.text, [{ start: 0, end: "/me ".length }], kept.kept) : kept;
  const isPlain = fallback.length === 0 && !isEmote && said.kept.length === 0 && !isAddress;
  const tree = (isPlain ? readXhtml(message) : undefined) ?? readBody(message, isAddress ? "" : said.text, said.kept);
  if (isEmpty(tree)) return undefined;
  const spoiler = childOf(message, "spoiler", ns.spoiler);
  return { tree: spoiler === undefined ? tree : spoiled(tree, textOf(spoiler).trim()), isEmote };
}

function readBody(message: XmlElement, body: string, mentions: readonly MentionRange[]): RichText {
  const markup = childOf(message, "markup", ns.markup);
  if (markup !== undefined) return readMarkup(body, markup, mentions);
  const styled = childOf(message, "unstyled", ns.styling) === undefined ? readStyling(body, mentions) : undefined;
  // A body of nothing but marks is shown as it stands.
  return styled === undefined || isEmpty(styled) ? readUnstyled(body, mentions) : styled;
}

function contentsOf(media: readonly Medium[], text: ReadBody | undefined): Content[] {
  // An address beside a text, of no picture, film or sound, is a link: what it leads to may be a page.
  const isFile = ({ told, url }: Medium): boolean => told === "file" || text === undefined || looksLikeMedium(url);
  const files = media.filter(isFile);
  const links = media.filter((medium) => !isFile(medium));
  const tree = text === undefined ? undefined : withLinks(text.tree, links);
  const [first, ...others] = files.map(described);
  if (first === undefined) {
    return text === undefined || tree === undefined ? [] : [textContent(tree, text.isEmote ? "emote" : "text")];
  }
  return [tree === undefined ? first : { ...first, caption: tree }, ...others];
}

function described({ content, description }: Medium): MediaContent {
  return description === undefined ? content : { ...content, caption: readUnstyled(description) };
}

function withLinks(tree: RichText, links: readonly Medium[]): RichText {
  if (links.length === 0) return tree;
  const written = JSON.stringify(tree);
  const missing = links.filter(({ url }) => !written.includes(JSON.stringify(url).slice(1, -1)));
  if (missing.length === 0) return tree;
  const lines = missing.map(({ url, description }) => ({
    type: "paragraph" as const,
    children: [{ type: "link" as const, href: url, children: [{ type: "text" as const, text: description ?? url }] }],
  }));
  return normalise({ blocks: [...tree.blocks, ...lines] });
}
