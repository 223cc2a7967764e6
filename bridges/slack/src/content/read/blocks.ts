import type { Block, Inline } from "@trestle/rich-text";
import { listIn, recordIn, recordsIn, textIn, type JsonRecord } from "../json.js";
import { interactiveBlocks, interactiveInlines, inputBlocks } from "./elements.js";
import { emojiInlines } from "./emoji-text.js";
import { joinLines, textInlines } from "./inlines.js";
import { markdownBlocks } from "./markdown.js";
import { bold, imageOf, italic, joined, linked, paragraphOf, textBlocks, textObjectInlines } from "./parts.js";
import { inner, type Reader } from "./reader.js";
import { richTextBlocks } from "./rich-text-block.js";
import { tableBlocks } from "./table.js";
import { unknownBlocks } from "./unknown-block.js";

/** Reads the blocks of a message (Block Kit), every type of it; of an unknown one, whatever text it has. */
export function kitBlocks(blocks: readonly JsonRecord[], reader: Reader): Block[] {
  const within = inner(reader);
  return within === undefined ? [] : blocks.flatMap((block) => kitBlock(block, within));
}

const readers: Readonly<Record<string, (block: JsonRecord, reader: Reader) => Block[]>> = {
  rich_text: richTextBlocks,
  section: sectionBlocks,
  header: (block, reader) => headingOf(textObjectInlines(block.text, reader)),
  divider: () => [{ type: "rule" }],
  context: (block, reader) => paragraphOf(contextInlines(block, reader)),
  image: imageBlocks,
  markdown: (block, reader) => markdownBlocks(textIn(block, "text") ?? "", reader),
  table: tableBlocks,
  data_table: tableBlocks,
  video: videoBlocks,
  file: fileBlocks,
  actions: (block, reader) => interactiveBlocks(listIn(block, "elements"), reader),
  context_actions: (block, reader) => interactiveBlocks(listIn(block, "elements"), reader),
  input: inputBlocks,
  alert: alertBlocks,
  card: cardBlocks,
  carousel: (block, reader) => kitBlocks(recordsIn(block, "elements"), reader),
  container: containerBlocks,
  plan: planBlocks,
  task_card: taskBlocks,
  call: callBlocks,
  share_shortcut: shortcutBlocks,
};

function kitBlock(block: JsonRecord, reader: Reader): Block[] {
  const type = textIn(block, "type") ?? "";
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  return (read ?? unknownBlocks)(block, reader);
}

function headingOf(children: readonly Inline[]): Block[] {
  return children.length === 0 ? [] : [{ type: "heading", level: 3, children }];
}

/** A text, fields (one line each, for Matrix has no columns) and something beside it. */
function sectionBlocks(block: JsonRecord, reader: Reader): Block[] {
  const accessory = recordIn(block, "accessory");
  return [
    ...textBlocks(block.text, reader),
    ...listIn(block, "fields").flatMap((field) => textBlocks(field, reader)),
    ...(accessory === undefined ? [] : paragraphOf(interactiveInlines(accessory, reader))),
  ];
}

function contextInlines(block: JsonRecord, reader: Reader): Inline[] {
  return joined(
    recordsIn(block, "elements").map((element) =>
      textIn(element, "type") === "image" ? [imageOf(element, reader)] : textObjectInlines(element, reader),
    ),
    " ",
  );
}

function imageBlocks(block: JsonRecord, reader: Reader): Block[] {
  const title = textObjectInlines(block.title, reader);
  return paragraphOf(joinLines([bold(title), [imageOf(block, reader)]].filter((line) => line.length > 0)));
}

function videoBlocks(block: JsonRecord, reader: Reader): Block[] {
  const title = textObjectInlines(block.title, reader);
  const alt = textIn(block, "alt_text");
  const shown = title.length > 0 ? title : textInlines(alt ?? "video");
  const by = joined([
    textInlines(textIn(block, "author_name") ?? ""),
    textInlines(textIn(block, "provider_name") ?? ""),
  ]);
  const url = textIn(block, "title_url") ?? textIn(block, "video_url");
  const head = joined([bold(linked(shown, url, reader)), by]);
  return [...paragraphOf(head), ...textBlocks(block.description, reader)];
}

/** A remote file: what it is called is told by the message's `files`, where it is told at all. */
function fileBlocks(block: JsonRecord, reader: Reader): Block[] {
  const file = recordIn(block, "file");
  const name = file === undefined ? undefined : (textIn(file, "title") ?? textIn(file, "name"));
  if (file === undefined || name === undefined) return [];
  return paragraphOf(linked(textInlines(name), textIn(file, "permalink") ?? textIn(file, "url_private"), reader));
}

const levels: Readonly<Record<string, string>> = { info: "ℹ️ ", warning: "⚠️ ", error: "❌ ", success: "✅ " };

function alertBlocks(block: JsonRecord, reader: Reader): Block[] {
  const level = textIn(block, "level") ?? "";
  const sign = Object.hasOwn(levels, level) ? (levels[level] ?? "") : "";
  const blocks = textBlocks(block.text, reader);
  const [first, ...rest] = blocks;
  if (sign === "" || first?.type !== "paragraph") return blocks;
  return [{ type: "paragraph", children: [{ type: "text", text: sign }, ...first.children] }, ...rest];
}

function cardBlocks(block: JsonRecord, reader: Reader): Block[] {
  const hero = recordIn(block, "hero_image");
  const head = joinLines(
    [bold(textObjectInlines(block.title, reader)), textObjectInlines(block.subtitle, reader)].filter(
      (line) => line.length > 0,
    ),
  );
  const inside = [
    ...(hero === undefined ? [] : paragraphOf([imageOf(hero, reader)])),
    ...paragraphOf(head),
    ...textBlocks(block.body, reader),
    ...textBlocks(block.subtext, reader),
    ...interactiveBlocks(listIn(block, "actions"), reader),
  ];
  return inside.length === 0 ? [] : [{ type: "quote", blocks: inside }];
}

function containerBlocks(block: JsonRecord, reader: Reader): Block[] {
  const rich = recordIn(block, "rich_text_title");
  const title = rich === undefined ? [] : richTextBlocks(rich, reader);
  return [
    ...(title.length > 0 ? title : headingOf(textObjectInlines(block.title, reader))),
    ...textBlocks(block.subtitle, reader),
    ...kitBlocks(recordsIn(block, "child_blocks"), reader),
  ];
}

function planBlocks(block: JsonRecord, reader: Reader): Block[] {
  return [
    ...headingOf(textObjectInlines(block.title, reader)),
    ...recordsIn(block, "tasks").flatMap((task) => taskBlocks(task, reader)),
  ];
}

const statuses: Readonly<Record<string, string>> = {
  pending: "⏳ ",
  in_progress: "🔄 ",
  complete: "✅ ",
  error: "❌ ",
};

function taskBlocks(task: JsonRecord, reader: Reader): Block[] {
  const status = textIn(task, "status") ?? "";
  const sign = Object.hasOwn(statuses, status) ? (statuses[status] ?? "") : "";
  const title = bold(textObjectInlines(task.title, reader));
  const rich = (field: string): Block[] => {
    const value = recordIn(task, field);
    return value === undefined ? [] : richTextBlocks(value, reader);
  };
  const sources = recordsIn(task, "sources").map((source) => {
    const url = textIn(source, "url") ?? "";
    return linked(textInlines(textIn(source, "text") ?? url), url, reader);
  });
  const head = title.length === 0 ? [] : [...textInlines(sign), ...title];
  return [...paragraphOf(head), ...rich("details"), ...rich("output"), ...paragraphOf(joined(sources))];
}

/** A call of some other service, e.g. a meeting. */
function callBlocks(block: JsonRecord, reader: Reader): Block[] {
  const call = recordIn(block, "call");
  const details = (call === undefined ? undefined : recordIn(call, "v1")) ?? call ?? block;
  const name = textIn(details, "name") ?? textIn(details, "title") ?? "Call";
  const url = textIn(details, "join_url") ?? textIn(details, "desktop_app_join_url");
  return paragraphOf([{ type: "text", text: "📞 " }, ...linked(textInlines(name), url, reader)]);
}

function shortcutBlocks(block: JsonRecord, reader: Reader): Block[] {
  const url = textIn(block, "share_url") ?? textIn(block, "url");
  const title = textObjectInlines(block.title, reader);
  const head = linked(title.length > 0 || url === undefined ? title : textInlines(url), url, reader);
  const description = textObjectInlines(block.description, reader);
  return paragraphOf(
    joined([bold(head), italic(description), emojiInlines(textIn(block, "button_label") ?? "", reader)]),
  );
}
