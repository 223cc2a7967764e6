import { parseMatrixHtml, parsePlainText, type RichText } from "@trestle/rich-text";
import { stringIn, type JsonRecord } from "./guards.js";

export interface TextOptions {
  /** The event is a reply: what repeats the message replied to is left out. */
  readonly isReply: boolean;
  /** The event mentions everyone. */
  readonly everyone: boolean;
}

/** The text of an event: its HTML where it has any that shows something, else its body. */
export function textOf(content: JsonRecord, { isReply, everyone }: TextOptions): RichText {
  const html = content.format === "org.matrix.custom.html" ? stringIn(content, "formatted_body") : undefined;
  if (html !== undefined) {
    const tree = parseMatrixHtml(html, { everyone });
    if (tree.blocks.length > 0) return tree;
  }
  const body = stringIn(content, "body") ?? "";
  return parsePlainText(isReply ? withoutReplyFallback(body) : body, { everyone });
}

/**
 * A body without the quotation that clients put before a reply until specification v1.13: lines that begin with `> `,
 * the first of them with its author, then an empty line. A quotation that a person typed has no author and stays.
 */
export function withoutReplyFallback(body: string): string {
  if (!/^> (?:\* )?<@[^>\n]+>/.test(body)) return body;
  const lines = body.split("\n");
  let first = 0;
  while (lines[first]?.startsWith(">") === true) first++;
  if (lines[first] === "") first++;
  return lines.slice(first).join("\n");
}
