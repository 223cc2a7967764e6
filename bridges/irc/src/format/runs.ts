import { DEFAULT_COLOUR, colourOf, numberOf } from "./colours.js";

/** How a piece of a line looks. */
export interface Style {
  readonly bold: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly mono: boolean;
  /** `#rrggbb`; absent: as the reader has it. */
  readonly foreground?: string;
  readonly background?: string;
}

/** A piece of a line in one style; its text holds no control characters. */
export interface Run {
  readonly text: string;
  readonly style: Style;
}

export const PLAIN: Style = { bold: false, italic: false, underline: false, strike: false, mono: false };

export const TOGGLES = { bold: "\x02", italic: "\x1d", underline: "\x1f", strike: "\x1e", mono: "\x11" } as const;
export type Toggle = keyof typeof TOGGLES;
export const TOGGLE_NAMES: readonly Toggle[] = ["bold", "italic", "underline", "strike", "mono"];

const RESET = "\x0f";
const COLOUR = "\x03";
/** Changes nothing, and keeps digits of the text from being read as part of a colour. */
const SEPARATOR = "\x02\x02";

export function sameStyle(left: Style, right: Style): boolean {
  return TOGGLE_NAMES.every((name) => left[name] === right[name]) && sameColours(left, right);
}

function sameColours(left: Style, right: Style): boolean {
  return left.foreground === right.foreground && left.background === right.background;
}

/** Takes the control characters out of a text: none of them may come from what somebody typed. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters the rule is about
  return /[\0-\x1f]/.test(text) ? text.replace(/[\t\r\n]/g, " ").replace(/[\0-\x1f]/g, "") : text;
}

/** Joins neighbours of the same style, and drops empty ones. */
export function mergeRuns(runs: readonly Run[]): Run[] {
  const merged: Run[] = [];
  for (const run of runs) {
    const last = merged.at(-1);
    if (run.text === "") continue;
    if (last && sameStyle(last.style, run.style))
      merged[merged.length - 1] = { text: last.text + run.text, style: last.style };
    else merged.push(run);
  }
  return merged;
}

/** The codes that lead from one style to another before a text that begins with `next`. */
export function transition(from: Style, to: Style, next: string): string {
  if (sameStyle(from, to)) return "";
  if (sameStyle(to, PLAIN)) return RESET;
  const toggles = TOGGLE_NAMES.filter((name) => from[name] !== to[name])
    .map((name) => TOGGLES[name])
    .join("");
  if (sameColours(from, to)) return toggles;
  if (to.foreground === undefined && to.background === undefined) {
    // A bare colour code takes digits that follow for its own.
    if (/^\d/.test(next)) return RESET + transition(PLAIN, to, next);
    return toggles + COLOUR;
  }
  return toggles + colourCode(from, to, next);
}

function colourCode(from: Style, to: Style, next: string): string {
  const foreground = twoDigits(to.foreground);
  if (to.background === undefined && from.background === undefined) {
    return COLOUR + foreground + (/^,\d/.test(next) ? SEPARATOR : "");
  }
  return `${COLOUR}${foreground},${twoDigits(to.background)}`;
}

function twoDigits(colour: string | undefined): string {
  return String(colour === undefined ? DEFAULT_COLOUR : numberOf(colour)).padStart(2, "0");
}

/** Reads IRC formatting codes: bold, italic, underline, strike, monospace, reverse, colours by number and hex, reset. */
export function parseRuns(text: string): Run[] {
  const runs: Run[] = [];
  let state: ReaderState = { style: PLAIN, reverse: false };
  // eslint-disable-next-line no-control-regex -- the codes of IRC formatting
  const pattern = /\x03(?:(\d{1,2})(?:,(\d{1,2}))?)?|\x04(?:([0-9A-Fa-f]{6})(?:,([0-9A-Fa-f]{6}))?)?|[\0-\x1f]/g;
  let at = 0;
  const push = (piece: string) => runs.push({ text: piece, style: shownStyle(state) });
  for (const match of text.matchAll(pattern)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    const character = match[0].charAt(0);
    if (character === "\t") push(" ");
    else state = after(state, character, match);
  }
  push(text.slice(at));
  return mergeRuns(runs);
}

interface ReaderState {
  readonly style: Style;
  readonly reverse: boolean;
}

function after(state: ReaderState, character: string, match: RegExpExecArray): ReaderState {
  const { style, reverse } = state;
  const toggle = TOGGLE_NAMES.find((name) => TOGGLES[name] === character);
  if (toggle !== undefined) return { style: { ...style, [toggle]: !style[toggle] }, reverse };
  switch (character) {
    case RESET:
      return { style: PLAIN, reverse: false };
    case "\x16":
      return { style, reverse: !reverse };
    case COLOUR:
      return {
        style: coloured(
          style,
          match[1] === undefined
            ? undefined
            : [fromNumber(match[1]), match[2] === undefined ? "keep" : fromNumber(match[2])],
        ),
        reverse,
      };
    case "\x04":
      return {
        style: coloured(
          style,
          match[3] === undefined ? undefined : [fromHex(match[3]), match[4] === undefined ? "keep" : fromHex(match[4])],
        ),
        reverse,
      };
    default:
      return state;
  }
}

type Colours = readonly [foreground: string | undefined, background: string | undefined];

/** `undefined` takes the colours away; `keep` leaves the background as it is. */
function coloured(style: Style, colours: Colours | undefined): Style {
  const { foreground: _, background, ...rest } = style;
  if (colours === undefined) return rest;
  const under = colours[1] === "keep" ? background : colours[1];
  return {
    ...rest,
    ...(colours[0] === undefined ? {} : { foreground: colours[0] }),
    ...(under === undefined ? {} : { background: under }),
  };
}

function fromNumber(digits: string): string | undefined {
  return colourOf(Number(digits));
}

function fromHex(digits: string): string {
  return `#${digits.toLowerCase()}`;
}

/** Reverse has no place of its own in the neutral text: the colours are exchanged. */
function shownStyle({ style, reverse }: ReaderState): Style {
  if (!reverse) return style;
  return { ...style, foreground: style.background ?? "#ffffff", background: style.foreground ?? "#000000" };
}
