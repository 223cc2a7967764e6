import { describeMedia, locationText, type Content, type MediaContent } from "@trestle/core";
import { normalise, richTextOf, type MentionTarget, type RichText } from "@trestle/rich-text";
import { ns } from "../namespaces.js";
import { uriOfJid } from "../read/jid.js";
import { codePointLength } from "../text/code-points.js";
import { spoilerIn } from "../text/spoiler.js";
import { writeStyling, type MentionName } from "../text/styling-write.js";
import { writeXhtml } from "../text/xhtml-write.js";
import { element, textElement, type Child, type XmlElement } from "../xml.js";
import { chatState, fallbackFor, hint, messageOf, type Envelope } from "./envelope.js";
import { fileParts } from "./media.js";
import { replyParts, type ReplyTo } from "./reply.js";

/** How something that was said on Matrix is written. */
export interface SaidOptions {
  /** The message that this one answers. */
  readonly reply?: ReplyTo;
  /** The id of the message that this one takes the place of (XEP-0308): of its first form, however often it was corrected. */
  readonly replaces?: string;
  /** The conversation in which it stands (XEP-0201). */
  readonly thread?: { readonly id: string; readonly parent?: string };
  /** Who is mentioned: their JID, and the name that they go by here. Without one the mention is text. */
  readonly mention?: (target: MentionTarget) => { readonly jid: string; readonly name?: string } | undefined;
  /** Where the bytes of a file can be had by anybody. Without it a file is only named. */
  readonly url?: string;
  /** Ask to be told that it arrived (XEP-0184). Not in rooms. */
  readonly wantsReceipt?: boolean;
  /** Ask to be told that it was read (XEP-0333). */
  readonly markable?: boolean;
  /** Send the formatting as XHTML-IM too (XEP-0071), for clients that read nothing else. */
  readonly xhtml?: boolean;
}

/**
 * What a message on Matrix is on this side, in the order in which to send it: a file and its caption are two, for most
 * clients show a file only where the body is its address and nothing else.
 */
export function partsOf(content: Content): readonly [Content, ...Content[]] {
  if (content.type !== "media" || content.caption === undefined) return [content];
  const { caption, ...file } = content;
  return [file, { type: "text", style: "text", body: caption }];
}

/** Writes something that was said. Of a file with a caption only the file: see {@link partsOf}. */
export function writeSaid(envelope: Envelope, content: Content, options: SaidOptions = {}): XmlElement {
  const parts =
    content.type === "media" && options.url !== undefined
      ? fileOf(content, options.url, options)
      : textOf(content, options);
  const { thread } = options;
  return messageOf(
    envelope,
    ...parts,
    options.replaces === undefined ? undefined : element("replace", { xmlns: ns.correction, id: options.replaces }),
    thread && element("thread", { parent: thread.parent }, thread.id),
    chatState("active"),
    options.wantsReceipt === true && envelope.type !== "groupchat"
      ? element("request", { xmlns: ns.receipts })
      : undefined,
    options.markable === true ? element("markable", { xmlns: ns.markers }) : undefined,
    options.replaces === undefined ? undefined : hint("store"),
  );
}

function fileOf(media: MediaContent, url: string, { reply }: SaidOptions): readonly Child[] {
  const answered = reply && element("reply", { xmlns: ns.reply, to: reply.author, id: reply.id });
  return [textElement("body", url), ...fileParts(media, url), fallbackFor(ns.fileSharing), answered];
}

function textOf(content: Content, options: SaidOptions): readonly Child[] {
  const tree = treeOf(content);
  const isEmote = content.type === "text" && content.style === "emote";
  const nameOf: MentionName = (target) => options.mention?.(target)?.name;
  const { body, mentions, unstyled } = writeStyling(tree, nameOf);
  const prefix = isEmote ? "/me " : actionGuard(body);
  const { fallback, elements } = replyParts(options.reply);
  const offset = codePointLength(fallback + prefix);
  const references = mentions.flatMap(({ start, end, target }) => {
    const jid = options.mention?.(target)?.jid;
    if (jid === undefined) return [];
    return [
      element("reference", {
        xmlns: ns.references,
        type: "mention",
        begin: start + offset,
        end: end + offset,
        uri: uriOfJid(jid),
      }),
    ];
  });
  const spoiler = spoilerIn(normalise(tree));
  return [
    textElement("body", fallback + prefix + body),
    ...elements,
    ...references,
    spoiler && element("spoiler", { xmlns: ns.spoiler }, spoiler.hint),
    unstyled ? element("unstyled", { xmlns: ns.styling }) : undefined,
    // A client that reads it would show what is hidden, and the answer without what it answers.
    options.xhtml === true && spoiler === undefined && options.reply === undefined && !isEmote
      ? writeXhtml(tree, nameOf)
      : undefined,
  ];
}

/** U+2060 before a text that begins like an action and is none. */
function actionGuard(body: string): string {
  return /^\/me(?:\s|$)/.test(body) ? "\u2060" : "";
}

function treeOf(content: Content): RichText {
  switch (content.type) {
    case "text":
      return content.body;
    case "media":
      return content.caption ?? richTextOf(describeMedia(content));
    case "location": {
      const { latitude, longitude, description } = content;
      const address = `geo:${latitude},${longitude}`;
      return richTextOf(description === undefined ? address : `${locationText(content)}\n${address}`);
    }
  }
}
