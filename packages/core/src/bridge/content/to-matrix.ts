import {
  cleanText,
  mapMentions,
  mentionsOf,
  splitText,
  toMatrix,
  truncate,
  utf8Length,
  type Inline,
  type MatrixText,
  type Mention,
  type RichText,
} from "@trestle/rich-text";
import type { Content, LocationContent, MediaContent, TextContent } from "../../connector/content.js";
import { locationText, mediaAsText } from "../../connector/fallback.js";
import type { EventId, UserId } from "../../connector/ids.js";
import { isContentUri, isUserId } from "../../mapping/identifiers.js";
import { jsonBytes, largestContent } from "./event-size.js";
import { geoUri } from "./geo.js";
import { whole } from "./guards.js";
import { fileNameOf } from "./media-content.js";
import { mostMentions } from "./mentions.js";

export interface MatrixContentOptions {
  /** The message replied to; `sender` is notified of the reply. */
  readonly replyTo?: { readonly event: EventId; readonly sender?: UserId } | undefined;
  /** The thread the message belongs to; `latest` is its newest message, the root where absent. */
  readonly thread?: { readonly root: EventId; readonly latest?: EventId } | undefined;
  /** The event that this content replaces. */
  readonly edit?: EventId | undefined;
  /**
   * What a mention becomes: a mention of a Matrix user or room, another inline such as text, or `undefined` to leave it
   * out. Where absent, mentions of Matrix stay and all others become their text.
   */
  readonly mention?: ((mention: Mention) => Inline | undefined) | undefined;
  /** Whether a mention of everyone notifies everyone. What comes from a network may only where it is permitted: false where absent. */
  readonly everyone?: boolean | undefined;
}

/** Nothing that the content itself does not say. */
const plain: MatrixContentOptions = {};

export type MatrixEventContent = Readonly<Record<string, unknown>>;

/** An event to send. Plain JSON: integers only, no lone surrogate, no NUL, at most 60 KiB. */
export interface MatrixEventDraft {
  readonly type: "m.room.message" | "m.sticker";
  readonly content: MatrixEventContent;
}

/**
 * Writes a message for Matrix, always with `m.mentions`, and without the quotations that replies once had. A file must
 * have been uploaded (`source.from` is `matrix`); otherwise it becomes a line with its name and address.
 *
 * A text too long for an event is cut short: cut it before with `splitForMatrix`.
 */
export function matrixContentOf(content: Content, options: MatrixContentOptions = plain): MatrixEventDraft {
  const draft = draftOf(content, options);
  if (isSmall(content)) return draft;
  if (jsonBytes(draft.content) <= largestContent) return draft;
  for (let maxBytes = 24_000; maxBytes >= 100; maxBytes /= 2) {
    const shorter = draftOf(shortened(content, maxBytes), options);
    if (jsonBytes(shorter.content) <= largestContent) return shorter;
  }
  return draftOf(shortened(content, 8), options);
}

/**
 * Cuts a message that is too long for one event into several that are not. A file keeps the first part of its caption;
 * the others follow as texts. What fits, and what is empty, stays as it is.
 */
export function splitForMatrix(content: Content, options: MatrixContentOptions = plain): readonly Content[] {
  if (content.type === "location" || fits(content, options)) return [content];
  if (content.type === "text") return splitBody(content.body, (body) => ({ ...content, body }), options, 16_000);
  if (content.caption === undefined) return [content];
  const asText = (body: RichText): TextContent => ({ type: "text", style: "text", body });
  const [first, ...rest] = splitBody(content.caption, asText, options, 16_000);
  return first === undefined ? [content] : [{ ...content, caption: first.body }, ...rest];
}

/** Leaves room for what relates the event to others, for a file around the caption, and for what an edit repeats. */
const largestPart = largestContent - 8_192;

/** Without formatting, and so short that it need not be measured: no character takes more than six bytes in JSON. */
function isSmall(content: Content): boolean {
  if (content.type !== "text") return false;
  let length = 0;
  for (const block of content.body.blocks) {
    if (block.type !== "paragraph") return false;
    for (const inline of block.children) {
      if (inline.type !== "text") return false;
      length += inline.text.length;
    }
  }
  return length <= 4_096;
}

function fits(content: Content, { mention, everyone }: MatrixContentOptions): boolean {
  if (isSmall(content)) return true;
  return jsonBytes(draftOf(content, { mention, everyone }).content) <= largestPart;
}

function splitBody(
  body: RichText,
  wrap: (body: RichText) => TextContent,
  options: MatrixContentOptions,
  maxBytes: number,
): TextContent[] {
  return splitText(body, maxBytes).flatMap((part) => {
    const content = wrap(part);
    // The HTML of a text may be many times as long, so what a part takes shows only when it is written.
    return maxBytes < 128 || fits(content, options) ? [content] : splitBody(part, wrap, options, maxBytes / 2);
  });
}

function shortened(content: Content, maxBytes: number): Content {
  if (content.type === "text") return { ...content, body: truncate(content.body, maxBytes) };
  if (content.type === "media" && content.caption) return { ...content, caption: truncate(content.caption, maxBytes) };
  return content;
}

function draftOf(content: Content, options: MatrixContentOptions): MatrixEventDraft {
  if (options === plain && content.type === "text") return textDraft(content);
  const ready = content.type === "media" && !isUploaded(content) ? mediaAsText(content) : content;
  const translated = options.mention === undefined ? ready : translate(ready, options.mention);
  const isSticker = translated.type === "media" && translated.kind === "sticker" && options.edit === undefined;
  const message = isSticker ? stickerOf(translated) : messageOf(translated);
  const mentions = mentionsFor(translated, options);
  return {
    type: isSticker ? "m.sticker" : "m.room.message",
    content: options.edit === undefined ? related(message, mentions, options) : edited(message, mentions, options.edit),
  };
}

/** The usual case of `draftOf`, field by field: most messages are this. */
function textDraft({ style, body }: TextContent): MatrixEventDraft {
  const text = toMatrix(body);
  const mentions = mentionsFor({ type: "text", style, body }, plain);
  const msgtype = style === "text" ? "m.text" : style === "notice" ? "m.notice" : "m.emote";
  const content =
    text.formattedBody === undefined
      ? { msgtype, body: text.body, "m.mentions": mentions }
      : {
          msgtype,
          body: text.body,
          format: "org.matrix.custom.html",
          formatted_body: text.formattedBody,
          "m.mentions": mentions,
        };
  return { type: "m.room.message", content };
}

function isUploaded({ source }: MediaContent): boolean {
  return source.from === "matrix" && isContentUri(source.uri);
}

function translate(content: Content, mention: (mention: Mention) => Inline | undefined): Content {
  if (content.type === "text") return { ...content, body: mapMentions(content.body, mention) };
  if (content.type === "media" && content.caption)
    return { ...content, caption: mapMentions(content.caption, mention) };
  return content;
}

function messageOf(content: Content): MatrixEventContent {
  switch (content.type) {
    case "text":
      return {
        msgtype: { text: "m.text", notice: "m.notice", emote: "m.emote" }[content.style],
        ...textFields(toMatrix(content.body)),
      };
    case "media":
      return mediaMessageOf(content);
    case "location":
      return locationMessageOf(content);
  }
}

function textFields({ body, formattedBody }: MatrixText): MatrixEventContent {
  return formattedBody === undefined
    ? { body }
    : { body, format: "org.matrix.custom.html", formatted_body: formattedBody };
}

const msgtypes = {
  image: "m.image",
  video: "m.video",
  audio: "m.audio",
  voice: "m.audio",
  file: "m.file",
  sticker: "m.image",
} as const;

function mediaMessageOf(content: MediaContent): MatrixEventContent {
  const { kind, caption } = content;
  const name = fileNameOf(content.name, kind);
  const captionText = caption === undefined ? undefined : toMatrix(caption);
  const shown =
    captionText === undefined || captionText.body === "" || captionText.body === name
      ? { body: name }
      : textFields(captionText);
  return {
    msgtype: msgtypes[kind],
    ...shown,
    filename: name,
    ...fileFields(content),
    ...(kind === "voice" ? voiceFields(content) : {}),
  };
}

function stickerOf(content: MediaContent): MatrixEventContent {
  return { body: fileNameOf(content.name, content.kind), ...fileFields(content) };
}

function fileFields(content: MediaContent): MatrixEventContent {
  const { source, mimeType } = content;
  const info = defined({
    mimetype:
      mimeType !== undefined && /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}$/.test(mimeType) ? mimeType : undefined,
    size: whole(content.size),
    w: whole(content.width),
    h: whole(content.height),
    duration: whole(content.durationMs),
  });
  return { url: source.from === "matrix" ? source.uri : "", info };
}

/** Voice messages are told from other audio by these (MSC3245), which is what clients read. */
function voiceFields(content: MediaContent): MatrixEventContent {
  return {
    "org.matrix.msc3245.voice": {},
    "org.matrix.msc1767.audio": defined({ duration: whole(content.durationMs) }),
  };
}

function locationMessageOf(content: LocationContent): MatrixEventContent {
  return {
    msgtype: "m.location",
    body: cleanText(content.description ?? "").trim() || locationText(content),
    geo_uri: geoUri(content),
  };
}

function defined(fields: Readonly<Record<string, unknown>>): MatrixEventContent {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `m.mentions`: those and only those whom the text, or the reply, means to notify. */
function mentionsFor(content: Content, { replyTo, everyone }: MatrixContentOptions): MatrixEventContent {
  const text = content.type === "text" ? content.body : content.type === "media" ? content.caption : undefined;
  const targets = text === undefined ? [] : mentionsOf(text);
  const userIds = new Set(replyTo?.sender === undefined ? [] : [replyTo.sender]);
  for (const target of targets) {
    if (target.kind === "matrixUser" && isUserId(target.userId) && userIds.size < mostMentions)
      userIds.add(target.userId);
  }
  const room = everyone === true && targets.some(({ kind }) => kind === "everyone");
  return { ...(userIds.size > 0 ? { user_ids: [...userIds] } : {}), ...(room ? { room } : {}) };
}

function related(
  message: MatrixEventContent,
  mentions: MatrixEventContent,
  { replyTo, thread }: MatrixContentOptions,
): MatrixEventContent {
  const relation =
    thread !== undefined
      ? {
          rel_type: "m.thread",
          event_id: thread.root,
          is_falling_back: replyTo === undefined,
          "m.in_reply_to": { event_id: replyTo?.event ?? thread.latest ?? thread.root },
        }
      : replyTo !== undefined
        ? { "m.in_reply_to": { event_id: replyTo.event } }
        : undefined;
  return { ...message, "m.mentions": mentions, ...(relation === undefined ? {} : { "m.relates_to": relation }) };
}

/** How much of a corrected text is repeated for clients that know no edits, in bytes. */
const longestEditFallback = 1_000;

/** Nobody is notified a second time: the mentions stand in the new content alone. */
function edited(message: MatrixEventContent, mentions: MatrixEventContent, target: EventId): MatrixEventContent {
  return {
    ...editFallback(message),
    "m.mentions": {},
    "m.new_content": { ...message, "m.mentions": mentions },
    "m.relates_to": { rel_type: "m.replace", event_id: target },
  };
}

function editFallback({ format, formatted_body: html, ...message }: MatrixEventContent): MatrixEventContent {
  const body = typeof message.body === "string" ? message.body : "";
  if (utf8Length(body) > longestEditFallback || (typeof html === "string" && utf8Length(html) > longestEditFallback)) {
    return { ...message, body: `* ${truncate(body, longestEditFallback)}` };
  }
  return {
    ...message,
    body: `* ${body}`,
    ...(typeof html === "string" ? { format, formatted_body: `* ${html}` } : {}),
  };
}
