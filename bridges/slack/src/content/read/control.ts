import type { Inline } from "@trestle/rich-text";
import { decodeEntities } from "../message.js";
import { formatDate } from "./date.js";
import { emojiInlines } from "./emoji-text.js";
import { broadcastInline, channelInline, linkInlines, textInlines, userInline, usergroupInlines } from "./inlines.js";
import type { Broadcast, Reader } from "./reader.js";

/**
 * What stands between `<` and `>` in mrkdwn: a mention, a date or a link. `undefined` where it is none of them: then it
 * is text that somebody forgot to escape.
 */
export function controlInlines(inside: string, reader: Reader): Inline[] | undefined {
  const bar = inside.indexOf("|");
  const head = bar === -1 ? inside : inside.slice(0, bar);
  const label = bar === -1 ? "" : decodeEntities(inside.slice(bar + 1));
  const id = head.slice(1);
  const name = label === "" ? undefined : label;
  switch (head.charAt(0)) {
    case "@":
      return isId(id) ? [userInline(id, name, reader)] : undefined;
    case "#":
      return isId(id) ? [channelInline(id, name, reader)] : undefined;
    case "!":
      return commandInlines(id, name, reader);
    default:
      return urlInlines(decodeEntities(head), label, reader);
  }
}

function isId(id: string): boolean {
  return /^[A-Z][A-Z0-9]{1,40}$/.test(id);
}

function commandInlines(command: string, label: string | undefined, reader: Reader): Inline[] | undefined {
  const [name = "", argument = ""] = command.split("^", 2);
  switch (name) {
    case "here":
    case "channel":
    case "everyone":
      return [broadcastInline(name satisfies Broadcast, reader)];
    case "group":
      return [broadcastInline("channel", reader)];
    case "subteam":
      return isId(argument) ? usergroupInlines(argument, label, reader) : undefined;
    case "date":
      return dateInlines(command, label, reader);
    default:
      if (!/^[a-z][a-z0-9_-]*$/i.test(name)) return undefined;
      return textInlines(label ?? `<!${command}>`);
  }
}

/** `date^1700000000^{date_short} at {time}^https://example.com/`, with the label as what to show instead. */
function dateInlines(command: string, label: string | undefined, reader: Reader): Inline[] {
  const [, seconds = "", template = "", ...link] = command.split("^");
  const number = /^-?\d{1,13}$/.test(seconds) ? Number(seconds) : Number.NaN;
  const text = formatDate(number, decodeEntities(template), reader.timeZone) ?? label ?? `<!${command}>`;
  const url = decodeEntities(link.join("^"));
  return url === "" ? textInlines(text) : linkInlines(url, textInlines(text), reader);
}

function urlInlines(url: string, label: string, reader: Reader): Inline[] | undefined {
  if (!/^[a-z][a-z0-9+.-]*:[^\s]/i.test(url)) return undefined;
  return linkInlines(url, label === "" ? [] : emojiInlines(label, reader), reader);
}
