import type { Block, Inline } from "@trestle/rich-text";
import { flagIn, numericIn, recordIn, recordsIn, textIn, textsIn, type JsonRecord } from "../json.js";
import { decodeEntities } from "../message.js";
import { kitBlocks } from "./blocks.js";
import { formatDate } from "./date.js";
import { interactiveBlocks } from "./elements.js";
import { channelInline, imageInline, linkInlines, textInlines } from "./inlines.js";
import { mrkdwnBlocks, mrkdwnInlines } from "./mrkdwn.js";
import { bold, italic, joined, linked, paragraphOf } from "./parts.js";
import { inner, type Reader } from "./reader.js";

/** Whether an attachment is only Slack's preview of a link, which Matrix clients make by themselves. */
export function isPreview(attachment: JsonRecord): boolean {
  if (isShared(attachment)) return false;
  return textIn(attachment, "from_url") !== undefined || flagIn(attachment, "is_app_unfurl");
}

/** A message of Slack that is shown within another one: forwarded, or linked to. */
function isShared(attachment: JsonRecord): boolean {
  return ["is_msg_unfurl", "is_share", "is_reply_unfurl", "is_thread_root_unfurl"].some((flag) =>
    flagIn(attachment, flag),
  );
}

/** Reads a legacy attachment: what stands above it, and the rest as a quote. */
export function attachmentBlocks(attachment: JsonRecord, outer: Reader): Block[] {
  const reader = inner(outer);
  if (reader === undefined) return [];
  const pretext = textIn(attachment, "pretext");
  const inside = isShared(attachment) ? sharedBlocks(attachment, reader) : legacyBlocks(attachment, reader);
  return [
    ...(pretext === undefined ? [] : mrkdwnBlocks(pretext, reader)),
    ...(inside.length === 0 ? [] : [{ type: "quote", blocks: inside } as const]),
  ];
}

function legacyBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const head = [...authorBlocks(attachment, reader), ...titleBlocks(attachment, reader)];
  const body = bodyBlocks(attachment, reader);
  const blocks = [
    ...head,
    ...body,
    ...fieldBlocks(attachment, reader),
    ...pictureBlocks(attachment, reader),
    ...interactiveBlocks(recordsIn(attachment, "actions").map(withTextObject), reader),
    ...footerBlocks(attachment, reader),
  ];
  if (blocks.length > 0) return blocks;
  return mrkdwnBlocks(textIn(attachment, "fallback") ?? "", reader);
}

/** The text of a legacy button is a bare string. */
function withTextObject(action: JsonRecord): JsonRecord {
  const text = textIn(action, "text");
  return text === undefined ? action : { ...action, text: { type: "plain_text", text: decodeEntities(text) } };
}

/** What somebody else said: who, the text, what came with it, and where it was. */
function sharedBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const files = recordsIn(attachment, "files").map((file) => {
    const name = textIn(file, "title") ?? textIn(file, "name") ?? "file";
    return linked(textInlines(name), textIn(file, "permalink"), reader);
  });
  const blocks = [
    ...authorBlocks(attachment, reader),
    ...sharedBody(attachment, reader),
    ...paragraphOf(joined(files)),
    ...pictureBlocks(attachment, reader),
    ...recordsIn(attachment, "attachments").flatMap((within) => attachmentBlocks(within, reader)),
  ];
  const shown = blocks.length > 0 ? blocks : mrkdwnBlocks(textIn(attachment, "fallback") ?? "", reader);
  return [...shown, ...sharedFooter(attachment, reader)];
}

function sharedBody(attachment: JsonRecord, reader: Reader): Block[] {
  const blocks = recordsIn(attachment, "message_blocks").flatMap((part) => {
    const message = recordIn(part, "message");
    return message === undefined ? [] : kitBlocks(recordsIn(message, "blocks"), reader);
  });
  return blocks.length > 0 ? blocks : bodyBlocks(attachment, reader);
}

function sharedFooter(attachment: JsonRecord, reader: Reader): Block[] {
  const url = textIn(attachment, "from_url");
  const channel = textIn(attachment, "channel_id");
  const where = channel === undefined ? [] : [channelInline(channel, textIn(attachment, "channel_name"), reader)];
  const when = dateOf(attachment, reader);
  const link = url === undefined ? [] : linkInlines(url, textInlines(when ?? "message"), reader);
  return paragraphOf(joined([where, link.length > 0 ? link : textInlines(when ?? "")]));
}

function bodyBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const blocks = kitBlocks(recordsIn(attachment, "blocks"), reader);
  if (blocks.length > 0) return blocks;
  const text = textIn(attachment, "text") ?? "";
  return isMrkdwn(attachment, "text") ? mrkdwnBlocks(text, reader) : mrkdwnBlocks(text, reader, false);
}

/** Slack formats texts of which nothing is said; where `mrkdwn_in` is given, only those that it names. */
function isMrkdwn(attachment: JsonRecord, field: string): boolean {
  const named = textsIn(attachment, "mrkdwn_in");
  return named.length === 0 || named.includes(field);
}

function authorBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const name = plain(attachment, "author_name");
  const sub = plain(attachment, "author_subname");
  const service = name.length === 0 ? plain(attachment, "service_name") : [];
  const author = linked(name.length === 0 ? service : name, textIn(attachment, "author_link"), reader);
  return paragraphOf(joined([bold(author), sub]));
}

function titleBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const title = mrkdwnInlines(textIn(attachment, "title") ?? "", reader);
  return paragraphOf(bold(linked(title, textIn(attachment, "title_link"), reader)));
}

function fieldBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const formatted = isMrkdwn(attachment, "fields");
  return recordsIn(attachment, "fields").flatMap((field): Block[] => {
    const title = plain(field, "title");
    const [first, ...rest] = mrkdwnBlocks(textIn(field, "value") ?? "", reader, formatted);
    const head = bold(title);
    if (first?.type !== "paragraph") return [...paragraphOf(head), ...(first === undefined ? [] : [first]), ...rest];
    return [...paragraphOf(joined([head, first.children], ": ")), ...rest];
  });
}

function pictureBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const url = textIn(attachment, "image_url") ?? textIn(attachment, "thumb_url");
  const alt = textIn(attachment, "image_alt_text") ?? textIn(attachment, "title") ?? "";
  return url === undefined ? [] : paragraphOf([imageInline(url, decodeEntities(alt), reader)]);
}

function footerBlocks(attachment: JsonRecord, reader: Reader): Block[] {
  const footer = mrkdwnInlines(textIn(attachment, "footer") ?? "", reader);
  return paragraphOf(italic(joined([footer, textInlines(dateOf(attachment, reader) ?? "")])));
}

function dateOf(attachment: JsonRecord, { timeZone }: Reader): string | undefined {
  const ts = numericIn(attachment, "ts");
  return ts === undefined ? undefined : formatDate(ts, "{date_short}, {time}", timeZone);
}

/** A field without formatting. */
function plain(record: JsonRecord, field: string): Inline[] {
  return textInlines(decodeEntities(textIn(record, field) ?? ""));
}
