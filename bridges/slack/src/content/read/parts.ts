import type { Block, Inline } from "@trestle/rich-text";
import { isRecord, recordIn, textIn, type JsonRecord } from "../json.js";
import { emojiInlines } from "./emoji-text.js";
import { imageInline, linkInlines, textInlines } from "./inlines.js";
import { mrkdwnBlocks, mrkdwnInlines } from "./mrkdwn.js";
import type { Reader } from "./reader.js";

/** A text object (`plain_text`, `mrkdwn`, `raw_text`, …) or a bare string, as blocks. */
export function textBlocks(value: unknown, reader: Reader): Block[] {
  if (isRecord(value) && textIn(value, "type") === "mrkdwn") return mrkdwnBlocks(textIn(value, "text") ?? "", reader);
  return paragraphOf(textObjectInlines(value, reader));
}

/** The same for one place in a line. */
export function textObjectInlines(value: unknown, reader: Reader): Inline[] {
  if (typeof value === "string") return emojiInlines(value, reader);
  if (!isRecord(value)) return [];
  const text = textIn(value, "text") ?? "";
  switch (textIn(value, "type")) {
    case "mrkdwn":
      return mrkdwnInlines(text, reader);
    case "plain_text":
      return value.emoji === false ? textInlines(text) : emojiInlines(text, reader);
    default:
      return textInlines(text);
  }
}

/** A paragraph, or nothing. */
export function paragraphOf(children: readonly Inline[]): Block[] {
  return children.length === 0 ? [] : [{ type: "paragraph", children }];
}

/** Parts of a line with ` · ` between them; those that are empty are left out. */
export function joined(parts: readonly (readonly Inline[])[], separator = " · "): Inline[] {
  return parts
    .filter((part) => part.length > 0)
    .flatMap((part, index): readonly Inline[] => (index === 0 ? part : [{ type: "text", text: separator }, ...part]));
}

export function bold(children: readonly Inline[]): Inline[] {
  return children.length === 0 ? [] : [{ type: "bold", children }];
}

export function italic(children: readonly Inline[]): Inline[] {
  return children.length === 0 ? [] : [{ type: "italic", children }];
}

/** A link where there is a URL, else the text alone. */
export function linked(children: readonly Inline[], url: string | undefined, reader: Reader): Inline[] {
  return url === undefined || children.length === 0 ? [...children] : linkInlines(url, children, reader);
}

/** An image block or element: its picture is at a public URL, or a file of Slack. */
export function imageOf(image: JsonRecord, reader: Reader): Inline {
  const file = recordIn(image, "slack_file");
  const url = textIn(image, "image_url") ?? (file === undefined ? undefined : textIn(file, "url"));
  return imageInline(url, textIn(image, "alt_text") ?? textIn(image, "fallback") ?? "", reader);
}
