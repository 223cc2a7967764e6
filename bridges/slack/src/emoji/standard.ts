import { emojiTable } from "./table.generated.js";

interface StandardEmoji {
  readonly name: string;
  /** The emoji, with variation selectors where it has any. */
  readonly text: string;
  /** Whether one skin tone may follow the first code point. */
  readonly toned: boolean;
  /** The code points of two people, with `T` and `U` for their skin tones. */
  readonly pair: readonly string[] | undefined;
}

interface Table {
  readonly byName: ReadonlyMap<string, StandardEmoji>;
  /** By code points without variation selectors, with `T` for each skin tone. */
  readonly byShape: ReadonlyMap<string, StandardEmoji>;
}

let loaded: Table | undefined;

function table(): Table {
  return (loaded ??= readTable());
}

function readTable(): Table {
  const byName = new Map<string, StandardEmoji>();
  const byShape = new Map<string, StandardEmoji>();
  for (const entry of emojiTable.flatMap((line) => line.split(";"))) {
    const [hex = "", ...rest] = entry.split(" ");
    const names = rest.filter((part) => part !== "*" && !part.includes("-U"));
    const pair = rest.find((part) => part.includes("-U"))?.split("-");
    const points = hex.split("-");
    const emoji = { name: names[0] ?? "", text: textOf(points), toned: rest.includes("*"), pair };
    for (const name of names) byName.set(name, emoji);
    const plain = points.filter((point) => point !== "FE0F");
    byShape.set(plain.join("-"), emoji);
    if (emoji.toned) byShape.set([plain[0], "T", ...plain.slice(1)].join("-"), emoji);
    if (pair !== undefined) byShape.set(shapeOf(pair), emoji);
  }
  return { byName, byShape };
}

function textOf(points: readonly string[]): string {
  return String.fromCodePoint(...points.map((point) => Number.parseInt(point, 16)));
}

function shapeOf(points: readonly string[]): string {
  return points
    .filter((point) => point !== "FE0F")
    .map((point) => (point === "U" ? "T" : point))
    .join("-");
}

/** Every name of Slack's standard emoji, without colons. */
export function standardNames(): readonly string[] {
  return [...table().byName.keys()];
}

/**
 * The emoji of one of Slack's standard names, without colons and with or without a skin tone: `+1`,
 * `wave::skin-tone-4`, `handshake::skin-tone-2-5`. It has its variation selectors (U+FE0F), as the Matrix specification
 * asks of reactions. `undefined` for other names; a tone that the emoji cannot have is left out.
 */
export function emojiOfName(name: string): string | undefined {
  const [base = "", tone] = name.split("::", 2);
  const emoji = table().byName.get(base);
  if (emoji === undefined || tone === undefined) return emoji?.text;
  const [, first, second] = /^skin-tone-([2-6])(?:-([2-6]))?$/.exec(tone) ?? [];
  return first === undefined ? emoji.text : toned(emoji, Number(first), Number(second ?? first));
}

function toned({ text, toned: single, pair }: StandardEmoji, first: number, second: number): string {
  if (pair !== undefined && (first !== second || !single)) {
    return textOf(pair.map((point) => (point === "T" ? toneHex(first) : point === "U" ? toneHex(second) : point)));
  }
  if (!single) return text;
  const head = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return head + textOf([toneHex(first)]) + text.slice(head.length).replace(/^\ufe0f/, "");
}

/** The code point of a skin tone by Slack's number, 2 (light) to 6 (dark). */
function toneHex(tone: number): string {
  return (0x1f3fb + tone - 2).toString(16);
}

/**
 * Slack's name for an emoji, with or without variation selectors and skin tones, as `reactions.add` takes it: `+1`,
 * `wave::skin-tone-4`. `undefined` where the text is not exactly one emoji that Slack knows.
 */
export function nameOfEmoji(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const shape: string[] = [];
  const tones: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point === 0xfe0f) continue;
    const isTone = point >= 0x1f3fb && point <= 0x1f3ff && shape.length > 0;
    if (isTone) tones.push(point - 0x1f3fb + 2);
    shape.push(isTone ? "T" : point.toString(16).toUpperCase().padStart(4, "0"));
  }
  const emoji = table().byShape.get(shape.join("-"));
  if (emoji === undefined || tones.length === 0) return emoji?.name;
  const [first, second = first] = tones;
  return `${emoji.name}::skin-tone-${first ?? 2}${second === first ? "" : `-${second ?? 2}`}`;
}

/** Slack's `unicode` of a rich text emoji element: code points in hexadecimal, without those of its variation. */
export function emojiOfHex(hex: string): string | undefined {
  if (!/^[0-9a-f]{2,6}(?:-[0-9a-f]{2,6}){0,15}$/i.test(hex)) return undefined;
  const points = hex.split("-").map((point) => Number.parseInt(point, 16));
  if (points.some((point) => point > 0x10ffff)) return undefined;
  const text = String.fromCodePoint(...points);
  const name = nameOfEmoji(text);
  if (name !== undefined) return emojiOfName(name);
  const isEmoji = /^[\p{Emoji}\p{Emoji_Component}]+$/u.test(text) && /[\p{Extended_Pictographic}\p{RI}]/u.test(text);
  return isEmoji ? text : undefined;
}

/** The code points of an emoji as Slack writes them in `unicode`. */
export function hexOfEmoji(text: string): string {
  return Array.from(text, (character) => (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")).join("-");
}
