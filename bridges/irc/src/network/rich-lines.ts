import type { Content, MessageEffect } from "@trestle/core";
import { type RichText, richTextOf } from "@trestle/rich-text";
import { renderLines } from "../format/render.js";
import { splitLine } from "../format/split.js";
import { cutToBytes } from "../wire/sanitise.js";
import type { Place } from "./ids.js";
import type { IrcNetwork } from "./irc-network.js";
import { relayPrefix, type WirePart } from "./wire-part.js";

/** A name that the relay shows is not longer than this, in bytes. */
const RELAY_NAME_BYTES = 64;

/** Cuts a message into lines that fit on the wire, as whoever will speak has room. */
export function richLines(
  network: IrcNetwork,
  place: Place,
  message: Pick<MessageEffect, "content" | "author">,
): WirePart[] {
  const { style, body } = textOf(message.content);
  const target = place.kind === "channel" ? place.channel : place.nick;
  const byPuppet = place.kind === "query" || network.speaksByPuppets;
  const room = byPuppet
    ? network.puppetBudget(message.author, target, style)
    : network.botBudget(target, style) - Buffer.byteLength(relayPrefix(style, relayName(message.author.name)));
  return renderLines(body, { mention: (mention) => network.mentionText(mention) })
    .flatMap((line) => splitLine(line, room))
    .map((text) => ({ style, text }));
}

/** The name as the relay shows it: one word less is better than a line less. */
export function relayName(name: string): string {
  return cutToBytes(name, RELAY_NAME_BYTES);
}

function textOf(content: Content): { readonly style: WirePart["style"]; readonly body: RichText } {
  switch (content.type) {
    case "text":
      return content;
    case "media": {
      const url =
        content.source.from === "url"
          ? content.source.url
          : content.source.from === "matrix"
            ? content.source.url
            : undefined;
      return {
        style: "text",
        body: richTextOf(url === undefined ? `sent a file: ${content.name}` : `${content.name}: ${url}`),
      };
    }
    case "location":
      return {
        style: "text",
        body: richTextOf(`${content.description ?? "location"}: ${content.latitude}, ${content.longitude}`),
      };
  }
}
