import { cleanLabel } from "./text.js";

/** How one leaf of a line looks. Nested elements come down to this, so that their order and depth do not matter. */
export interface Format {
  readonly bold: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly foreground: string | undefined;
  readonly background: string | undefined;
  readonly link: string | undefined;
  /** The reason, empty where there is none. */
  readonly spoiler: string | undefined;
}

export const plainFormat: Format = {
  bold: false,
  italic: false,
  underline: false,
  strike: false,
  foreground: undefined,
  background: undefined,
  link: undefined,
  spoiler: undefined,
};

/** What can wrap a leaf, the outermost first where two wrap the same stretch of text. */
export const aspects = ["link", "spoiler", "colour", "bold", "italic", "underline", "strike"] as const;
export type Aspect = (typeof aspects)[number];

/** Two leaves share a wrapper of this aspect where the values are the same; `undefined`: there is no such wrapper. */
export function aspectOf(format: Format, aspect: Aspect): string | undefined {
  switch (aspect) {
    case "link":
      return format.link;
    case "spoiler":
      return format.spoiler;
    case "colour":
      return format.foreground === undefined && format.background === undefined
        ? undefined
        : `${format.foreground ?? ""}/${format.background ?? ""}`;
    case "bold":
    case "italic":
    case "underline":
    case "strike":
      return format[aspect] ? aspect : undefined;
  }
}

export function sameFormat(a: Format, b: Format): boolean {
  return (
    a === b ||
    (a.bold === b.bold &&
      a.italic === b.italic &&
      a.underline === b.underline &&
      a.strike === b.strike &&
      a.foreground === b.foreground &&
      a.background === b.background &&
      a.link === b.link &&
      a.spoiler === b.spoiler)
  );
}

/** What both have: the format of a line break between them. */
export function commonFormat(a: Format, b: Format): Format {
  if (sameFormat(a, b)) return a;
  const sameColour = a.foreground === b.foreground && a.background === b.background;
  return {
    bold: a.bold && b.bold,
    italic: a.italic && b.italic,
    underline: a.underline && b.underline,
    strike: a.strike && b.strike,
    foreground: sameColour ? a.foreground : undefined,
    background: sameColour ? a.background : undefined,
    link: a.link === b.link ? a.link : undefined,
    spoiler: a.spoiler === b.spoiler ? a.spoiler : undefined,
  };
}

/** A spoiler in a spoiler is hidden already. */
export function withSpoiler(format: Format, reason: string | undefined): Format {
  return format.spoiler === undefined ? { ...format, spoiler: cleanLabel(reason ?? "") } : format;
}

/** A colour that is none leaves the one around it. */
export function withColour(format: Format, foreground: string | undefined, background: string | undefined): Format {
  return {
    ...format,
    foreground: (foreground === undefined ? undefined : cleanColour(foreground)) ?? format.foreground,
    background: (background === undefined ? undefined : cleanColour(background)) ?? format.background,
  };
}

const names: Readonly<Record<string, string>> = {
  aqua: "#00ffff",
  black: "#000000",
  blue: "#0000ff",
  brown: "#a52a2a",
  cyan: "#00ffff",
  fuchsia: "#ff00ff",
  gray: "#808080",
  green: "#008000",
  grey: "#808080",
  lime: "#00ff00",
  magenta: "#ff00ff",
  maroon: "#800000",
  navy: "#000080",
  olive: "#808000",
  orange: "#ffa500",
  pink: "#ffc0cb",
  purple: "#800080",
  red: "#ff0000",
  silver: "#c0c0c0",
  teal: "#008080",
  white: "#ffffff",
  yellow: "#ffff00",
};

/** A colour as `#rrggbb`, from `#rrggbb`, `#rgb` or one of HTML's basic names; `undefined` where it is none. */
export function cleanColour(colour: string): string | undefined {
  const value = colour.trim().toLowerCase();
  if (/^#[0-9a-f]{6}$/.test(value)) return value;
  if (/^#[0-9a-f]{3}$/.test(value)) return value.replace(/[0-9a-f]/g, "$&$&");
  return Object.hasOwn(names, value) ? names[value] : undefined;
}
