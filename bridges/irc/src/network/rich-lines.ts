import type { Content, MessageEffect } from "@trestle/core";
import type { RichText } from "@trestle/rich-text";
import { renderLines } from "../format/render.js";
import { splitText } from "../format/split.js";
import type { Place } from "./ids.js";
import type { IrcNetwork } from "./irc-network.js";
import type { WirePart } from "./wire-part.js";

/** Cuts a message into lines that fit on the wire. */
export function richLines(_network: IrcNetwork, _place: Place, message: Pick<MessageEffect, "content" | "author">): WirePart[] {
  const { style, body } = textOf(message.content);
  return renderLines(body).flatMap((line) => splitText(line, 350)).map((text) => ({ style, text }));
}

function textOf(content: Content): { style: WirePart["style"]; body: RichText } {
  if (content.type === "text") return content;
  const text = content.type === "media" ? content.name : `${content.latitude},${content.longitude}`;
  return { style: "text", body: { blocks: [{ type: "paragraph", children: [{ type: "text", text }] }] } };
}
