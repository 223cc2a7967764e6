import type { Inline, MentionTarget, RichText } from "@trestle/rich-text";

/** So many people are mentioned by a line at most; the others stay text. */
const MOST = 10;
const SHORTEST = 2;
/** RFC 2812 §2.3.1: what a nick may hold, and what is beyond ASCII. */
const NICK = "[A-Za-z0-9_\\-\\[\\]\\\\`^{}|\\u0080-\\uffff]+";
const ADDRESSED = new RegExp(`^(\\s*)(${NICK})(?=[:,](?:\\s|$))`);
const POINTED_AT = new RegExp(`(?<![\\w@/.])@(${NICK})`, "g");
const WORD = new RegExp(`(?<![\\w@/.#])(${NICK})(?![\\w@/])`, "g");

interface Found {
  readonly start: number;
  readonly end: number;
  readonly target: MentionTarget;
}

/**
 * Makes mentions of the nicks that a line is meant for: `nick: …` at its start, `@nick` anywhere, and elsewhere only
 * what can be nothing but a nick, with a digit or a sign in it, so that no innocent word becomes a person. What is shown
 * stays as it was typed. Code and links are left alone.
 */
export function withNickMentions(body: RichText, personOf: (nick: string) => MentionTarget | undefined): RichText {
  let left = MOST;
  const take = (nick: string): MentionTarget | undefined => {
    const target = left > 0 && nick.length >= SHORTEST ? personOf(nick) : undefined;
    if (target) left--;
    return target;
  };
  return {
    blocks: body.blocks.map((block) =>
      block.type === "paragraph" ? { ...block, children: inInlines(block.children, take, true) } : block,
    ),
  };
}

type Take = (nick: string) => MentionTarget | undefined;

function inInlines(inlines: readonly Inline[], take: Take, isStart: boolean): Inline[] {
  return inlines.flatMap((inline, index): Inline[] => {
    const atStart = isStart && index === 0;
    switch (inline.type) {
      case "text":
        return inText(inline.text, take, atStart);
      case "bold":
      case "italic":
      case "underline":
      case "strike":
      case "colour":
        return [{ ...inline, children: inInlines(inline.children, take, atStart) }];
      default:
        return [inline];
    }
  });
}

function inText(text: string, take: Take, atStart: boolean): Inline[] {
  const found = nicksIn(text, take, atStart);
  if (found.length === 0) return [{ type: "text", text }];
  const inlines: Inline[] = [];
  let at = 0;
  for (const { start, end, target } of found) {
    if (start > at) inlines.push({ type: "text", text: text.slice(at, start) });
    inlines.push({ type: "mention", target, text: text.slice(start, end) });
    at = end;
  }
  if (at < text.length) inlines.push({ type: "text", text: text.slice(at) });
  return inlines;
}

function nicksIn(text: string, take: Take, atStart: boolean): Found[] {
  const found = new Map<number, Found>();
  const note = (start: number, nick: string, sign = 0): void => {
    const taken = found.has(start) ? undefined : take(nick);
    if (taken) found.set(start, { start, end: start + sign + nick.length, target: taken });
  };
  const addressed = atStart ? ADDRESSED.exec(text) : null;
  if (addressed?.[2] !== undefined) note(addressed[1]?.length ?? 0, addressed[2]);
  for (const match of text.matchAll(POINTED_AT)) if (match[1] !== undefined) note(match.index, match[1], 1);
  for (const match of text.matchAll(WORD))
    if (match[1] !== undefined && isUnmistakable(match[1])) note(match.index, match[1]);
  let end = 0;
  return [...found.values()]
    .sort((a, b) => a.start - b.start)
    .filter((each) => each.start >= end && (end = each.end) > 0);
}

/** No word of a language looks like this: letters, and a digit or a sign of those that only nicks have. */
function isUnmistakable(nick: string): boolean {
  return nick.length >= 4 && /[A-Za-z\u0080-\uffff]/.test(nick) && /[0-9_[\]\\`^{}|]/.test(nick);
}
