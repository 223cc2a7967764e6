import { isEmpty, normalise, splitText, toPlainText, utf8Length, type Block, type RichText } from "@trestle/rich-text";
import { blocksOf, type TextBlock } from "./blocks.js";
import { fallbackText } from "./fallback.js";
import { slackLimits, type WriteLimits, type WriteOptions } from "./options.js";

/**
 * One message for `chat.postMessage` or `chat.update`: the blocks, and the text for where they are not shown. It is
 * posted without `link_names` and without `parse`, which would make mentions of what is only text.
 */
export interface SlackText {
  readonly text: string;
  readonly blocks: readonly TextBlock[];
}

/** Below this many bytes a text is not cut any further. */
const smallestPart = 64;

/**
 * Writes a text for Slack, as several messages where it is too long for one. An edit is written the same way: its parts
 * replace those of the message, in order. Nothing gives no message.
 */
export function writeText(body: RichText, options: WriteOptions = {}): SlackText[] {
  const limits = { ...slackLimits, ...options.limits };
  const tree = options.style === "emote" ? emoteOf(body) : normalise(body);
  return isEmpty(tree) ? [] : partsOf(tree, limits.text, options, limits);
}

function partsOf(tree: RichText, maxBytes: number, options: WriteOptions, limits: WriteLimits): SlackText[] {
  return splitText(tree, maxBytes, { marks: "none" }).flatMap((part) => {
    const written = { text: fallbackText(part, options), blocks: blocksOf(part, { options, limits }) };
    const fits = written.text.length <= limits.text && written.blocks.length <= limits.blocks;
    if (fits || maxBytes <= smallestPart) return written.blocks.length === 0 ? [] : [written];
    // Escapes and blocks take room that the plain text does not: only then is a part cut again.
    const length = Math.min(maxBytes, utf8Length(toPlainText(part, { marks: "none" })));
    return partsOf(part, Math.max(smallestPart, Math.floor(length / 2)), options, limits);
  });
}

/** An action, with everything that is a line in italics, as Slack shows its own `/me`. */
function emoteOf(body: RichText): RichText {
  const blocks = normalise(body).blocks.map((block): Block =>
    block.type === "paragraph" ? { ...block, children: [{ type: "italic", children: block.children }] } : block,
  );
  return normalise({ blocks });
}
