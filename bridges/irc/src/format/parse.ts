import type { Inline, RichText } from "@trestle/rich-text";
import { parseRuns, type Run, type Style, type Toggle } from "./runs.js";

/** The order in which styles are nested, from the outside; monospace is always innermost. */
const NESTING: readonly Exclude<Toggle, "mono">[] = ["bold", "italic", "underline", "strike"];

// eslint-disable-next-line no-control-regex -- every code of formatting is one
const CONTROL = /[\0-\x1f]/;

/** The text of an IRC message, without CTCP, as neutral text; no blocks where it shows nothing. Formatting ends with its line. */
export function parseFormatted(text: string): RichText {
  // Hardly any line is formatted.
  if (!CONTROL.test(text))
    return { blocks: text.trim() === "" ? [] : [{ type: "paragraph", children: [{ type: "text", text }] }] };
  const lines = text.split("\n").map((line) => parseRuns(line));
  if (lines.flat().every((run) => run.text.trim() === "")) return { blocks: [] };
  const children = lines.flatMap((runs, index): Inline[] => [
    ...(index > 0 ? [{ type: "break" as const }] : []),
    ...inlinesOf(runs),
  ]);
  return { blocks: [{ type: "paragraph", children }] };
}

/** The one tree for a row of runs: colours outside, then bold, italic, underline, strike, and code inside. */
export function inlinesOf(runs: readonly Run[]): Inline[] {
  return grouped(runs, ({ style }) => `${style.foreground ?? ""}/${style.background ?? ""}`).flatMap((group) => {
    const children = nested(group, 0);
    const style = group[0]?.style;
    return style ? withColours(style, children) : children;
  });
}

function withColours({ foreground, background }: Style, children: readonly Inline[]): Inline[] {
  if (foreground === undefined && background === undefined) return [...children];
  // Text in the colour of its ground is how IRC hides a spoiler.
  if (foreground === background) return [{ type: "spoiler", children }];
  return [
    {
      type: "colour",
      ...(foreground === undefined ? {} : { foreground }),
      ...(background === undefined ? {} : { background }),
      children,
    },
  ];
}

function nested(runs: readonly Run[], depth: number): Inline[] {
  const name = NESTING[depth];
  if (name === undefined) {
    return grouped(runs, ({ style }) => String(style.mono)).map((group) => {
      const text = group.map((run) => run.text).join("");
      return group[0]?.style.mono === true ? { type: "code", text } : { type: "text", text };
    });
  }
  return grouped(runs, ({ style }) => String(style[name])).flatMap((group): Inline[] => {
    const children = nested(group, depth + 1);
    return group[0]?.style[name] === true ? [{ type: name, children }] : children;
  });
}

/** Neighbours of the same key together. */
function grouped(runs: readonly Run[], key: (run: Run) => string): Run[][] {
  const groups: Run[][] = [];
  let last: string | undefined;
  for (const run of runs) {
    const own = key(run);
    if (own === last) groups.at(-1)?.push(run);
    else groups.push([run]);
    last = own;
  }
  return groups;
}
