import type { Block, Inline } from "@trestle/rich-text";
import { isRecord, listIn, recordIn, recordsIn, textIn, textsIn, type JsonRecord } from "../json.js";
import { channelInline, textInlines, userInline } from "./inlines.js";
import { bold, imageOf, italic, joined, linked, paragraphOf, textObjectInlines } from "./parts.js";
import type { Reader } from "./reader.js";

/** Buttons, menus and fields in one line: what they say, and where they link to. They can not be used from Matrix. */
export function interactiveBlocks(elements: readonly unknown[], reader: Reader): Block[] {
  return paragraphOf(joined(elements.filter(isRecord).map((element) => interactiveInlines(element, reader))));
}

/** What one interactive element says; nothing for an empty field. */
export function interactiveInlines(element: JsonRecord, reader: Reader): Inline[] {
  const label = textObjectInlines(element.text, reader);
  switch (textIn(element, "type")) {
    case "image":
      return [imageOf(element, reader)];
    case "button":
      return button(label, textIn(element, "url"), reader);
    case "workflow_button":
      return button(label, workflowUrl(element), reader);
    case "feedback_buttons":
      return joined(
        ["positive_button", "negative_button"].map((name) => {
          const one = recordIn(element, name);
          return one === undefined ? [] : button(textObjectInlines(one.text, reader), undefined, reader);
        }),
      );
    case "icon_button":
      return button(label, undefined, reader);
    default:
      return chosen(element, reader);
  }
}

function button(label: readonly Inline[], url: string | undefined, reader: Reader): Inline[] {
  if (label.length === 0) return url === undefined ? [] : linked([{ type: "text", text: url }], url, reader);
  return url === undefined
    ? [{ type: "text", text: "[" }, ...label, { type: "text", text: "]" }]
    : linked(label, url, reader);
}

function workflowUrl(element: JsonRecord): string | undefined {
  const workflow = recordIn(element, "workflow");
  const trigger = workflow === undefined ? undefined : recordIn(workflow, "trigger");
  return trigger === undefined ? undefined : textIn(trigger, "url");
}

/** What is chosen in a menu or typed in a field, or else what it asks for. */
function chosen(element: JsonRecord, reader: Reader): Inline[] {
  const options = [element.initial_option, ...listIn(element, "initial_options")].filter(isRecord);
  const offered = recordsIn(element, "options");
  const isList = ["checkboxes", "radio_buttons", "overflow"].includes(textIn(element, "type") ?? "");
  const texts = (options.length > 0 || !isList ? options : offered).map((option) =>
    linked(textObjectInlines(option.text, reader), textIn(option, "url"), reader),
  );
  const people = [textIn(element, "initial_user"), ...textsIn(element, "initial_users")];
  const channels = [
    textIn(element, "initial_channel"),
    textIn(element, "initial_conversation"),
    ...textsIn(element, "initial_channels"),
    ...textsIn(element, "initial_conversations"),
  ];
  const values = ["initial_value", "initial_date", "initial_time"].map((field) => textIn(element, field));
  const shown = joined(
    [
      ...texts,
      ...people.flatMap((id) => (id === undefined ? [] : [[userInline(id, undefined, reader)]])),
      ...channels.flatMap((id) => (id === undefined ? [] : [[channelInline(id, undefined, reader)]])),
      ...values.map((value) => textInlines(value ?? "")),
    ],
    ", ",
  );
  if (shown.length > 0) return shown;
  const asked = textObjectInlines(element.placeholder, reader);
  return asked.length === 0 ? textObjectInlines(element.text, reader) : asked;
}

/** A label with an input below it. */
export function inputBlocks(block: JsonRecord, reader: Reader): Block[] {
  const element = recordIn(block, "element");
  const label = bold(textObjectInlines(block.label, reader));
  const value = element === undefined ? [] : interactiveInlines(element, reader);
  return paragraphOf(joined([joined([label, value], ": "), italic(textObjectInlines(block.hint, reader))], " "));
}
