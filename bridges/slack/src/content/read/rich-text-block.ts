import type { Block, Inline } from "@trestle/rich-text";
import { listIn, numberIn, numericIn, recordIn, recordsIn, textIn, isRecord, type JsonRecord } from "../json.js";
import { formatDate } from "./date.js";
import {
  broadcastInline,
  channelInline,
  emojiInline,
  linkInlines,
  plainOf,
  teamInline,
  textInlines,
  userInline,
  usergroupInlines,
} from "./inlines.js";
import { QuoteNest } from "./quote-nest.js";
import { ListReader } from "./rich-text-list.js";
import type { Broadcast, Reader } from "./reader.js";

/** Reads the elements of a `rich_text` block. Its texts are not escaped. */
export function richTextBlocks(block: JsonRecord, reader: Reader): Block[] {
  const nest = new QuoteNest();
  let lists: ListReader | undefined;
  let before: { readonly type: string | undefined; readonly levels: number } | undefined;
  const endLists = (): void => {
    if (lists !== undefined) nest.add(lists.blocks, lists.levels, lists.levels);
    lists = undefined;
  };
  for (const element of recordsIn(block, "elements")) {
    const type = textIn(element, "type");
    const levels = Math.min(Math.max(numberIn(element, "border") ?? 0, 0), 1) + (type === "rich_text_quote" ? 1 : 0);
    if (lists !== undefined && (type !== "rich_text_list" || lists.levels !== levels)) endLists();
    if (type === "rich_text_list") {
      lists ??= new ListReader(levels);
      lists.add(element, (item) => itemBlocks(item, reader));
    } else {
      // Two quotes in a row are two; a list or code with a border belongs to the quote beside it.
      const isSecond = type === "rich_text_quote" && before?.type === type && before.levels === levels;
      nest.add(elementBlocks(element, type, reader), levels, isSecond ? levels - 1 : levels);
    }
    before = { type, levels };
  }
  endLists();
  return nest.blocks;
}

/** What stands in an item of a list: usually one section. */
function itemBlocks(item: JsonRecord, reader: Reader): Block[] {
  return elementBlocks(item, textIn(item, "type"), reader);
}

function elementBlocks(element: JsonRecord, type: string | undefined, reader: Reader): Block[] {
  if (type !== "rich_text_preformatted") return [{ type: "paragraph", children: elementsInlines(element, reader) }];
  const language = textIn(element, "language");
  const text = plainOf(elementsInlines(element, reader));
  return [{ type: "codeBlock", text, ...(language === undefined ? {} : { language }) }];
}

/** The inlines of a section, a quote or code. */
export function elementsInlines(section: JsonRecord, reader: Reader): Inline[] {
  return listIn(section, "elements").flatMap((element) => (isRecord(element) ? elementInlines(element, reader) : []));
}

function elementInlines(element: JsonRecord, reader: Reader): Inline[] {
  const style = recordIn(element, "style");
  const inlines = bareInlines(element, reader);
  if (style === undefined) return inlines;
  if (style.code === true && inlines.every(({ type }) => type === "text" || type === "break" || type === "link")) {
    return styled(inlines.flatMap(asCode), style);
  }
  return styled(inlines, style);
}

/** Code keeps its line breaks and the link around it. */
function asCode(inline: Inline): Inline {
  if (inline.type === "text") return { type: "code", text: inline.text };
  return inline.type === "link" ? { ...inline, children: inline.children.map(asCode) } : inline;
}

function styled(inlines: readonly Inline[], style: JsonRecord): Inline[] {
  let wrapped = [...inlines];
  if (style.underline === true) wrapped = [{ type: "underline", children: wrapped }];
  if (style.strike === true) wrapped = [{ type: "strike", children: wrapped }];
  if (style.italic === true) wrapped = [{ type: "italic", children: wrapped }];
  if (style.bold === true) wrapped = [{ type: "bold", children: wrapped }];
  return wrapped;
}

function bareInlines(element: JsonRecord, reader: Reader): Inline[] {
  const id = (field: string): string => textIn(element, field) ?? "";
  switch (textIn(element, "type")) {
    case "text":
      return textInlines(id("text"));
    case "link":
      return linkElement(element, reader);
    case "user":
      return id("user_id") === "" ? [] : [userInline(id("user_id"), undefined, reader)];
    case "channel":
      return id("channel_id") === "" ? [] : [channelInline(id("channel_id"), undefined, reader)];
    case "usergroup":
      return id("usergroup_id") === "" ? [] : usergroupInlines(id("usergroup_id"), undefined, reader);
    case "team":
      return id("team_id") === "" ? [] : [teamInline(id("team_id"), reader)];
    case "broadcast":
      return broadcastElement(id("range"), reader);
    case "emoji":
      return emojiElement(element, reader);
    case "color":
      return textInlines(id("value"));
    case "date":
      return dateElement(element, reader);
    case "message":
      return messageElement(element, reader);
    default:
      // An element made after this was written: most have a text, a link or a name.
      return textIn(element, "url") === undefined
        ? textInlines(textIn(element, "text") ?? textIn(element, "fallback") ?? id("name"))
        : linkElement(element, reader);
  }
}

function linkElement(element: JsonRecord, reader: Reader): Inline[] {
  const url = textIn(element, "url") ?? "";
  return linkInlines(url, textInlines(textIn(element, "text") ?? ""), reader);
}

function broadcastElement(range: string, reader: Reader): Inline[] {
  if (range === "") return [];
  const known: Broadcast | undefined =
    range === "here" || range === "channel" || range === "everyone" ? range : undefined;
  return known === undefined ? textInlines(`@${range}`) : [broadcastInline(known, reader)];
}

function emojiElement(element: JsonRecord, reader: Reader): Inline[] {
  const name = textIn(element, "name") ?? "";
  const unicode = textIn(element, "unicode");
  const emoji = emojiInline({ name, unicode, tone: numberIn(element, "skin_tone") }, reader);
  if (emoji !== undefined) return [emoji];
  return name === "" ? [] : textInlines(`:${name}:`);
}

function dateElement(element: JsonRecord, reader: Reader): Inline[] {
  const timestamp = numericIn(element, "timestamp") ?? Number.NaN;
  const text =
    formatDate(timestamp, textIn(element, "format") ?? "", reader.timeZone) ??
    textIn(element, "fallback") ??
    formatDate(timestamp, "{date_num} {time}", reader.timeZone) ??
    "";
  const url = textIn(element, "url");
  return url === undefined ? textInlines(text) : linkInlines(url, textInlines(text), reader);
}

/** A mention of a message, which Slack's own types leave out. */
function messageElement(element: JsonRecord, reader: Reader): Inline[] {
  const [channel, ts] = [textIn(element, "channel_id"), textIn(element, "message_ts") ?? textIn(element, "ts")];
  const url =
    textIn(element, "url") ??
    (channel === undefined || ts === undefined
      ? undefined
      : `https://app.slack.com/archives/${channel}/p${ts.replace(".", "")}`);
  if (url === undefined) return textInlines(textIn(element, "text") ?? "");
  return linkInlines(url, textInlines(textIn(element, "text") ?? textIn(element, "fallback") ?? ""), reader);
}
