import {
  normalise,
  richTextOf,
  splitText,
  toPlainText,
  truncate,
  type Block,
  type Inline,
  type RichText,
} from "@trestle/rich-text";
import type { Limits } from "./handlers.js";
import type { Content, LocationContent, MediaContent, TextContent } from "./content.js";
import { formatDegrees } from "./degrees.js";
import type { ReplyTarget } from "./effects.js";
import { textContent } from "./text-content.js";

/**
 * What a network takes in place of what it can not do, in the order in which to send it: files and locations become
 * lines, a reply begins with the name of whom it answers, long text is cut. Never empty.
 */
export function fitContent(content: Content, limits: Limits = {}, replyTo?: ReplyTarget): readonly Content[] {
  const adapted = adaptKind(content, limits);
  const addressed = replyTo === undefined || limits.replies === true ? adapted : addressReply(adapted, replyTo);
  return limits.textBytes === undefined ? [addressed] : splitContent(addressed, limits.textBytes);
}

function adaptKind(content: Content, limits: Limits): Content {
  if (content.type === "media" && limits.media !== true) return mediaAsText(content);
  if (content.type === "location" && limits.location !== true) return locationAsText(content);
  return content;
}

/** A file as a line, `name (image, 12 kB): url`, with the caption below. Without a public address it is only named. */
export function mediaAsText(media: MediaContent): TextContent {
  const url = media.source.from === "remote" ? undefined : media.source.url;
  const line: Inline[] = [{ type: "text", text: describeMedia(media) }];
  if (url !== undefined)
    line.push({ type: "text", text: ": " }, { type: "link", href: url, children: [{ type: "text", text: url }] });
  return textContent({ blocks: [{ type: "paragraph", children: line }, ...(media.caption?.blocks ?? [])] });
}

const kindNames = {
  image: "image",
  video: "video",
  audio: "audio",
  voice: "voice message",
  file: "file",
  sticker: "sticker",
} as const;

/** A file in words: `name (voice message, 0:07, 12 kB)`. */
export function describeMedia({ name, kind, size, durationMs }: MediaContent): string {
  const facts: string[] = [kindNames[kind]];
  if (durationMs !== undefined && Number.isFinite(durationMs)) facts.push(formatDuration(durationMs));
  if (size !== undefined && Number.isFinite(size)) facts.push(formatSize(size));
  return `${name} (${facts.join(", ")})`;
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  return `${hours > 0 ? `${hours}:${twoDigits(minutes)}` : minutes}:${twoDigits(seconds % 60)}`;
}

/** Decimal units, two digits: `12 kB`, `1.5 MB`. */
function formatSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [Math.max(0, bytes), 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${value < 9.95 && unit > 0 ? Number(value.toFixed(1)) : Math.round(value)} ${units[unit] ?? ""}`;
}

/** A location as a line: `Big Ben: 51.5008, -0.1247`. */
export function locationAsText(location: LocationContent): TextContent {
  return textContent(locationText(location));
}

/** A location in words. */
export function locationText({ latitude, longitude, description }: LocationContent): string {
  const name =
    description === undefined || description.trim() === "" ? "Location" : toPlainText(richTextOf(description.trim()));
  return `${name}: ${formatDegrees(latitude)}, ${formatDegrees(longitude)}`;
}

/** An edit as a new message: `* corrected text`. Of a file it is the caption that was corrected: the file is not sent again. */
export function editFallback(content: Content): TextContent {
  if (content.type === "text") return { ...content, body: prefixed(content.body, "* ") };
  if (content.type === "location") return textContent(prefixed(locationAsText(content).body, "* "));
  return textContent(prefixed(content.caption ?? richTextOf(describeMedia(content)), "* "));
}

/** A reply as people write it where there are none: `alice: the answer`. Without a name it stays as it is. */
export function addressReply(content: Content, target: ReplyTarget): Content {
  const name = nameOf(target);
  if (name === undefined) return content;
  if (content.type === "text") return { ...content, body: prefixed(content.body, `${name}: `) };
  if (content.type === "media" && content.caption)
    return { ...content, caption: prefixed(content.caption, `${name}: `) };
  return content;
}

/** A reply with what it answers quoted before it: `> alice: the question`. For networks that show several lines. */
export function quoteReply(content: TextContent, target: ReplyTarget): TextContent {
  const name = nameOf(target);
  const excerpt = target.excerpt === undefined ? "" : toPlainText(richTextOf(target.excerpt), { marks: "none" }).trim();
  const line = [name, excerpt].filter((part) => part !== undefined && part !== "").join(": ");
  if (line === "") return content;
  const quote: Block = { type: "quote", blocks: richTextOf(truncate(line, 300)).blocks };
  return { ...content, body: normalise({ blocks: [quote, ...content.body.blocks] }) };
}

function nameOf({ authorName }: ReplyTarget): string | undefined {
  const name = authorName?.replace(/\s+/g, " ").trim();
  return name === undefined || name === "" ? undefined : truncate(name, 100);
}

function prefixed(body: RichText, prefix: string): RichText {
  const [first, ...others] = body.blocks;
  if (first?.type !== "paragraph")
    return normalise({ blocks: [...richTextOf(prefix.trimEnd()).blocks, ...body.blocks] });
  return normalise({
    blocks: [{ ...first, children: [{ type: "text", text: prefix }, ...first.children] }, ...others],
  });
}

/**
 * Cuts a text into messages of at most `textBytes` of plain text, at grapheme boundaries. A file keeps the first part of
 * its caption; the others follow as texts. Never empty.
 */
export function splitContent(content: Content, textBytes: number): readonly Content[] {
  if (content.type === "location") return [content];
  if (content.type === "text") {
    const parts = splitText(content.body, textBytes);
    return parts.length === 0 ? [content] : parts.map((body) => ({ ...content, body }));
  }
  if (content.caption === undefined) return [content];
  const [caption, ...rest] = splitText(content.caption, textBytes);
  return caption === undefined ? [content] : [{ ...content, caption }, ...rest.map((body) => textContent(body))];
}
