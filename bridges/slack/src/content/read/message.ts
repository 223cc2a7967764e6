import { mentionsOf, normalise, toPlainText, type Block, type MentionTarget, type RichText } from "@trestle/rich-text";
import { textIn } from "../json.js";
import { recordingNames, type Lookups } from "../names.js";
import type { SlackMessage } from "../message.js";
import { attachmentBlocks, isPreview } from "./attachments.js";
import { kitBlocks } from "./blocks.js";
import { filePart, type FilePart } from "./media.js";
import { mrkdwnBlocks } from "./mrkdwn.js";
import { readerFor, type ReadOptions, type Reader } from "./reader.js";

/** What a message of Slack says. */
export interface ReadMessage {
  /** What is to be read, in its normal form; empty for a message of nothing but files. */
  readonly body: RichText;
  /** Whom and what it mentions, each once, `everyone` left out. */
  readonly mentions: readonly MentionTarget[];
  /** Whether it mentions everyone in the channel, and that is to notify the room. */
  readonly mentionsEveryone: boolean;
  /** Its files, in order. */
  readonly files: readonly FilePart[];
}

/**
 * Reads a message: its blocks where they have something to show, else its text; then attachments; then files. Any
 * message has a result, in linear time, and one that shows nothing else says that it is empty.
 */
export function readContent(message: SlackMessage, options: ReadOptions = {}): ReadMessage {
  const reader = readerFor(options);
  const files = message.files.map((file) => filePart(file));
  const body = bodyOf(message, reader, files.length > 0);
  const targets = mentionsOf(body);
  const mentions = new Map(
    targets.filter(({ kind }) => kind !== "everyone").map((target) => [JSON.stringify(target), target]),
  );
  return {
    body,
    mentions: [...mentions.values()],
    mentionsEveryone: targets.some(({ kind }) => kind === "everyone"),
    files,
  };
}

/** What must be looked up before `readContent` can name everything in a message. */
export function lookupsOf(message: SlackMessage, options: Omit<ReadOptions, "names"> = {}): Lookups {
  const { names, lookups } = recordingNames();
  readContent(message, { ...options, names });
  return lookups;
}

function bodyOf(message: SlackMessage, reader: Reader, hasFiles: boolean): RichText {
  const said = saidBlocks(message, reader);
  const shown = message.attachments.filter((attachment) => reader.previews || !isPreview(attachment));
  const body = normalise({ blocks: [...said, ...shown.flatMap((one) => attachmentBlocks(one, reader))] });
  if (showsSomething(body)) return body;
  if (hasFiles) return nothing;
  const previews = normalise({ blocks: message.attachments.flatMap((one) => attachmentBlocks(one, reader)) });
  return showsSomething(previews) ? previews : emptyMessage;
}

function showsSomething(body: RichText): boolean {
  return toPlainText(body).trim() !== "";
}

const nothing: RichText = normalise({ blocks: [] });

/** What Slack shows for such a message is not told in a way that can be read. */
const emptyMessage: RichText = normalise({
  blocks: [{ type: "paragraph", children: [{ type: "italic", children: [{ type: "text", text: "empty message" }] }] }],
});

/** The blocks are what people see, and the text stands for them where they can not be shown. */
function saidBlocks(message: SlackMessage, reader: Reader): Block[] {
  const blocks = kitBlocks(message.blocks, reader);
  // Lines across are something to see only where they are all there is.
  const others = message.blocks.some((block) => textIn(block, "type") !== "divider");
  const isRead = showsSomething({ blocks: others ? blocks.filter(({ type }) => type !== "rule") : blocks });
  return isRead ? blocks : [...mrkdwnBlocks(message.text, reader, message.mrkdwn), ...blocks];
}
