import { cleanHref, type Inline } from "@trestle/rich-text";
import { emojiOfHex, emojiOfName } from "../../emoji/index.js";
import type { Named } from "../names.js";
import { slackLinkOf } from "./permalink.js";
import type { Broadcast, Reader } from "./reader.js";

/** Text as it stands, its newlines as line breaks. */
export function textInlines(text: string): Inline[] {
  const inlines: Inline[] = [];
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (index > 0) inlines.push({ type: "break" });
    if (line !== "") inlines.push({ type: "text", text: line });
  }
  return inlines;
}

/** Lines one below the other. */
export function joinLines(lines: readonly (readonly Inline[])[]): Inline[] {
  return lines.flatMap((line, index) => (index === 0 ? line : [{ type: "break" } as const, ...line]));
}

/** A user by id; the label that stood in the text is shown where nothing is known. */
export function userInline(id: string, label: string | undefined, { names }: Reader): Inline {
  return mention(names.user(id), "@", label ?? id);
}

/** A channel by id. */
export function channelInline(id: string, label: string | undefined, { names }: Reader): Inline {
  return mention(names.channel(id), "#", label ?? id);
}

function mention(named: Named | undefined, sigil: string, label: string): Inline {
  const name = named === undefined || named.name === "" ? label : named.name;
  const bare = name.startsWith(sigil) ? name.slice(1) : name;
  if (named?.target === undefined) return { type: "text", text: sigil + bare };
  return { type: "mention", target: named.target, text: sigil === "#" ? sigil + bare : bare };
}

/** A user group by id: its name, and behind it those of its members who are to be mentioned. */
export function usergroupInlines(id: string, label: string | undefined, { names }: Reader): Inline[] {
  const group = names.usergroup(id);
  const name = group === undefined || group.name === "" ? (label ?? id) : group.name;
  const shown: Inline = { type: "text", text: name.startsWith("@") ? name : `@${name}` };
  const members = (group?.members ?? []).flatMap((member, index): Inline[] => [
    { type: "text", text: index === 0 ? " (" : ", " },
    mention(member, "@", member.name),
  ]);
  return members.length === 0 ? [shown] : [shown, ...members, { type: "text", text: ")" }];
}

/** `@here`, `@channel` or `@everyone`. */
export function broadcastInline(range: Broadcast, { notifyFor }: Reader): Inline {
  return notifyFor.has(range)
    ? { type: "mention", target: { kind: "everyone" }, text: "@room" }
    : { type: "text", text: `@${range}` };
}

/** A workspace by id. */
export function teamInline(id: string, { names }: Reader): Inline {
  return { type: "text", text: `@${names.team(id) ?? id}` };
}

/** What names an emoji: `unicode` and `tone` only where a rich text element tells them. */
export interface EmojiReference {
  /** Without colons, with or without `::skin-tone-N`. */
  readonly name: string;
  readonly unicode?: string | undefined;
  /** 2 (light) to 6 (dark). */
  readonly tone?: number | undefined;
}

/** An emoji by name; `undefined` where no such emoji is known, neither to Slack nor to the workspace. */
export function emojiInline(emoji: EmojiReference, reader: Reader): Inline | undefined {
  const { name, tone, unicode } = emoji;
  const base = name.split("::", 1)[0] ?? "";
  const full = tone === undefined || name.includes("::") ? name : `${name}::skin-tone-${tone}`;
  const standard = emojiOfName(full) ?? (unicode === undefined ? undefined : emojiOfHex(unicode));
  if (standard !== undefined) return { type: "text", text: standard };
  const custom = reader.names.emoji(base);
  if (custom === undefined) return undefined;
  if ("alias" in custom) {
    const aliased = emojiOfName(custom.alias);
    return aliased === undefined ? { type: "emoji", name: base } : { type: "text", text: aliased };
  }
  return { type: "emoji", name: base, ...(custom.image === undefined ? {} : { url: custom.image }) };
}

/** A link with its text (the URL itself where it has none). What Matrix may not link to is text. */
export function linkInlines(url: string, label: readonly Inline[], reader: Reader): Inline[] {
  const shown: readonly Inline[] = label.length === 0 ? [{ type: "text", text: url.replace(/^mailto:/, "") }] : label;
  const pointed = slackTarget(url, shown, reader);
  if (pointed !== undefined) return [pointed];
  const href = cleanHref(url);
  if (href !== undefined) return [{ type: "link", href, children: shown }];
  const text = plainOf(shown);
  const bare = url.replace(/^[a-z]+:/i, "");
  return text === url || text === bare || url === "" ? [...shown] : [...shown, { type: "text", text: ` (${url})` }];
}

/** A link into Slack becomes one into Matrix where the caller knows the message or the channel. */
function slackTarget(url: string, shown: readonly Inline[], { names }: Reader): Inline | undefined {
  const link = slackLinkOf(url);
  if (link === undefined) return undefined;
  const target = "ts" in link ? names.message(link) : names.channel(link.channel)?.target;
  return target === undefined ? undefined : { type: "mention", target, text: plainOf(shown) || url };
}

/** A picture among the text. */
export function imageInline(url: string | undefined, alt: string, { names }: Reader): Inline {
  const label = alt === "" ? "image" : alt;
  if (url === undefined) return { type: "text", text: label };
  const uri = names.image(url);
  if (uri !== undefined) return { type: "image", src: uri, alt: label };
  const href = cleanHref(url);
  const text: Inline = { type: "text", text: label };
  return href === undefined ? text : { type: "link", href, children: [text] };
}

/** The letters of some inlines, without what is around them. */
export function plainOf(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) =>
      inline.type === "break"
        ? "\n"
        : inline.type === "emoji"
          ? `:${inline.name}:`
          : inline.type === "image"
            ? inline.alt
            : "children" in inline
              ? plainOf(inline.children)
              : inline.text,
    )
    .join("");
}
