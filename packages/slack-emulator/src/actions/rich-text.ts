import { compact, type Json, type JsonObject } from "../json.js";

type Style = Readonly<Record<string, true>>;

const inline =
  /<@(?<user>[UW][A-Z0-9]+)(?:\|[^>]*)?>|<#(?<channel>[CG][A-Z0-9]+)(?:\|[^>]*)?>|<!(?<broadcast>here|channel|everyone)(?:\|[^>]*)?>|<!subteam\^(?<group>S[A-Z0-9]+)(?:\|[^>]*)?>|<(?<url>(?:https?|mailto|tel):[^|>]+)(?:\|(?<label>[^>]*))?>|:(?<emoji>[a-z+-][a-z0-9_+'-]*)(?:::skin-tone-(?<tone>[2-6]))?:|`(?<code>[^`\n]+)`|(?<![\w*])\*(?<bold>\S(?:[^*\n]*\S)?)\*(?![\w*])|(?<!\w)_(?<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)|(?<![\w~])~(?<strike>\S(?:[^~\n]*\S)?)~(?![\w~])/g;

/** The rich text block Slack's composer makes of text that was typed: what apps find in `blocks`. */
export function richTextOf(text: string): JsonObject {
  const elements: Json[] = [];
  for (const [at, part] of text.split("```").entries()) {
    if (at % 2 === 1)
      elements.push({
        type: "rich_text_preformatted",
        elements: [{ type: "text", text: unescape(part.replace(/^\n|\n$/g, "")) }],
        border: 0,
      });
    else pushLines(elements, part);
  }
  return { type: "rich_text", elements };
}

function pushLines(elements: Json[], text: string): void {
  let lines: string[] = [];
  let quoted = false;
  const flush = () => {
    const content = lines.join("\n");
    if (content !== "")
      elements.push({ type: quoted ? "rich_text_quote" : "rich_text_section", elements: inlineElements(content, {}) });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^&gt; ?(.*)$/.exec(line);
    if ((quote !== null) !== quoted) {
      flush();
      quoted = quote !== null;
    }
    lines.push(quote?.[1] ?? line);
  }
  flush();
}

function unescape(text: string): string {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function styled(style: Style): JsonObject | undefined {
  return Object.keys(style).length === 0 ? undefined : { ...style };
}

function inlineElements(text: string, style: Style): Json[] {
  const elements: Json[] = [];
  let end = 0;
  for (const match of text.matchAll(inline)) {
    if (match.index > end) elements.push(plain(text.slice(end, match.index), style));
    elements.push(...element(match.groups ?? {}, style));
    end = match.index + match[0].length;
  }
  if (end < text.length) elements.push(plain(text.slice(end), style));
  return elements;
}

function plain(text: string, style: Style): JsonObject {
  return compact({ type: "text", text: unescape(text), style: styled(style) });
}

function element(found: Readonly<Record<string, string | undefined>>, style: Style): Json[] {
  const { user, channel, broadcast, group, url, label, emoji, tone, code, bold, italic, strike } = found;
  const styles = styled(style);
  if (user !== undefined) return [compact({ type: "user", user_id: user, style: styles })];
  if (channel !== undefined) return [compact({ type: "channel", channel_id: channel, style: styles })];
  if (broadcast !== undefined) return [compact({ type: "broadcast", range: broadcast, style: styles })];
  if (group !== undefined) return [compact({ type: "usergroup", usergroup_id: group, style: styles })];
  if (url !== undefined)
    return [
      compact({
        type: "link",
        url: unescape(url),
        text: label === undefined ? undefined : unescape(label),
        style: styles,
      }),
    ];
  if (emoji !== undefined)
    return [
      compact({ type: "emoji", name: emoji, skin_tone: tone === undefined ? undefined : Number(tone), style: styles }),
    ];
  if (code !== undefined) return [plain(code, { ...style, code: true })];
  if (bold !== undefined) return inlineElements(bold, { ...style, bold: true });
  if (italic !== undefined) return inlineElements(italic, { ...style, italic: true });
  return inlineElements(strike ?? "", { ...style, strike: true });
}
