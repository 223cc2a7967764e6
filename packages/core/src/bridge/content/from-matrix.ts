import { normalise, richTextOf, type RichText } from "@trestle/rich-text";
import type { Content, LocationContent, TextContent } from "../../connector/content.js";
import type { EventId } from "../../connector/ids.js";
import { coordinatesOf } from "./geo.js";
import { isRecord, recordIn, stringIn, type JsonRecord } from "./guards.js";
import { mediaKindOf, mediaOf } from "./media-content.js";
import { mentionsIn, type Mentions } from "./mentions.js";
import { textOf, type TextOptions } from "./message-text.js";
import { pollPartOf, pollText } from "./poll.js";
import {
  relationOf,
  type NoRelation,
  type ReferenceRelation,
  type ReplyRelation,
  type ThreadRelation,
} from "./relation.js";

/** What a Matrix event says. */
export type MatrixMessage =
  | {
      readonly kind: "message";
      readonly content: Content;
      readonly mentions: Mentions;
      readonly relation: NoRelation | ReplyRelation | ThreadRelation | ReferenceRelation;
    }
  | { readonly kind: "edit"; readonly target: EventId; readonly content: Content; readonly mentions: Mentions }
  | { readonly kind: "reaction"; readonly target: EventId; readonly key: string }
  /** Nothing can be made of it; `reason` is for a person. */
  | { readonly kind: "unusable"; readonly reason: string };

/**
 * Reads the content of a room event: messages of every kind, stickers, polls, edits and reactions. Whatever a hostile
 * or a new client puts into it, it is read as far as it makes sense: a message of an unknown kind is its body.
 */
export function contentOf(type: string, content: unknown): MatrixMessage {
  if (!isRecord(content)) return unusable("its content is not an object");
  const relation = relationOf(content);
  if (type === "m.reaction") {
    return relation.kind === "reaction" ? relation : unusable("a reaction that does not say to what, or with what");
  }
  if (relation.kind === "reaction") return unusable("a reaction as a message");
  if (relation.kind === "edit") return editOf(type, relation.target, content);
  const isReply = relation.kind === "reply" || relation.kind === "thread";
  const mentions = mentionsIn(content);
  const read = bodyOf(type, content, { isReply, everyone: mentions.everyone });
  return typeof read === "string" ? unusable(read) : { kind: "message", content: read, mentions, relation };
}

function unusable(reason: string): MatrixMessage {
  return { kind: "unusable", reason };
}

/** Relations within the new content do not count: an edit can not move a message. */
function editOf(type: string, target: EventId, content: JsonRecord): MatrixMessage {
  const edited = isRecord(content["m.new_content"]) ? content["m.new_content"] : withoutEditMark(content);
  const mentions = mentionsIn(edited);
  const read = bodyOf(type, edited, { isReply: true, everyone: mentions.everyone });
  return typeof read === "string" ? unusable(read) : { kind: "edit", target, content: read, mentions };
}

/** What is left of an edit without new content is meant for clients that know no edits: `* corrected text`. */
function withoutEditMark(content: JsonRecord): JsonRecord {
  const unmarked = (text: string | undefined): string | undefined => text?.replace(/^\s{0,8}\*\s?/, "");
  return {
    ...content,
    body: unmarked(stringIn(content, "body")),
    formatted_body: unmarked(stringIn(content, "formatted_body")),
  };
}

/** The content, or why there is none. */
function bodyOf(type: string, content: JsonRecord, options: TextOptions): Content | string {
  const poll = pollPartOf(type);
  if (poll !== undefined) {
    const text = pollText(poll, content);
    return text === undefined
      ? "a poll without a question"
      : textContent(text, poll === "response" ? "emote" : "notice");
  }
  if (type === "m.sticker") return mediaOf("sticker", content, options) ?? bodyAsText(content, options);
  if (type === "m.room.encrypted") return "it is encrypted";
  if (type !== "m.room.message") return `an event of type ${type.slice(0, 100)} is no message`;
  return messageOf(content, options);
}

function messageOf(content: JsonRecord, options: TextOptions): Content | string {
  const msgtype = stringIn(content, "msgtype");
  if (msgtype === undefined && content.body === undefined) return "it is empty, for instance because it was redacted";
  const kind = mediaKindOf(msgtype ?? "", content);
  if (kind !== undefined) return mediaOf(kind, content, options) ?? unreachableFile(content, options);
  switch (msgtype) {
    case "m.emote":
      return bodyAsText(content, options, "emote");
    case "m.notice":
    case "m.server_notice":
    case "m.key.verification.request":
      return bodyAsText(content, options, "notice");
    case "m.location":
      return locationOf(content) ?? bodyAsText(content, options);
    default:
      return bodyAsText(content, options);
  }
}

function bodyAsText(content: JsonRecord, options: TextOptions, style: TextContent["style"] = "text"): Content | string {
  const text = textOf(content, options);
  return text.blocks.length === 0 ? "it has no text" : textContent(text, style);
}

function textContent(body: RichText, style: TextContent["style"]): TextContent {
  return { type: "text", style, body };
}

function unreachableFile(content: JsonRecord, options: TextOptions): Content | string {
  if (!isRecord(content.file)) return bodyAsText(content, options);
  const name = stringIn(content, "filename") ?? stringIn(content, "body") ?? "";
  return textContent(normalise(richTextOf(`${name} (an encrypted file, which can not be passed on)`.trim())), "text");
}

function locationOf(content: JsonRecord): LocationContent | undefined {
  const extensible = recordIn(content, "org.matrix.msc3488.location");
  const coordinates = coordinatesOf(stringIn(content, "geo_uri") ?? stringIn(extensible, "uri") ?? "");
  if (coordinates === undefined) return undefined;
  const described = textOf(
    { body: stringIn(extensible, "description") ?? content.body },
    { isReply: false, everyone: false },
  );
  const [line] = described.blocks;
  const description =
    line?.type === "paragraph"
      ? line.children
          .map((inline) => (inline.type === "text" ? inline.text : " "))
          .join("")
          .trim()
      : "";
  return { type: "location", ...coordinates, ...(description === "" ? {} : { description }) };
}
