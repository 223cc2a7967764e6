import { toMatrixHtml, toPlainText, type RichText } from "@trestle/rich-text";
import { parseXml, type XmlElement } from "../../dist/content/xml.js";
import { readMessage } from "../../dist/content/read/message.js";
import type { MessageStanza, MessageWhat } from "../../dist/content/read/message-types.js";
import type { ReadContext } from "../../dist/content/read/ids.js";

/** An element that is known to be well-formed. */
export function xml(text: string): XmlElement {
  const element = parseXml(text);
  if (element === undefined) throw new Error(`not well-formed: ${text}`);
  return element;
}

/** Reads a message of these attributes and children. */
export function message(attributes: string, children: string, context: ReadContext = {}): MessageStanza {
  return readMessage(xml(`<message ${attributes}>${children}</message>`), context);
}

export type What<Kind extends MessageWhat["kind"]> = Extract<MessageWhat, { readonly kind: Kind }>;

/** What a message means, which must be of this kind. */
export function whatOf<Kind extends MessageWhat["kind"]>(kind: Kind, { what }: MessageStanza): What<Kind> {
  if (what.kind !== kind) throw new Error(`a message is ${JSON.stringify(what)}, not ${kind}`);
  return what as What<Kind>;
}

/** The text of a message as HTML, with its style where it has one. */
export function htmlOf(read: MessageStanza): string {
  const [content] = whatOf("text", read).contents;
  if (content?.type !== "text") throw new Error(`no text: ${JSON.stringify(content)}`);
  return content.style === "text" ? toMatrixHtml(content.body) : `${content.style}: ${toMatrixHtml(content.body)}`;
}

/** The HTML of a chat message with these children. */
export function html(children: string): string {
  return htmlOf(message("type='chat' from='ann@example.org/x' to='us'", children));
}

/** The text of a tree, without any marks. */
export function plain(tree: RichText): string {
  return toPlainText(tree, { marks: "none" });
}
