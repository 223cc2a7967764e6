import { aspectOf, aspects, commonFormat, plainFormat, sameFormat, type Aspect, type Format } from "./format.js";
import type { Code, Emoji, Inline, InlineImage, LineBreak, Mention, Text } from "./tree.js";

/** What a line consists of once every wrapper is taken off. */
export type Leaf = Text | LineBreak | Code | Mention | Emoji | InlineImage;

export interface Run {
  readonly leaf: Leaf;
  readonly format: Format;
}

/** Brings the runs of one block into their normal form: see `normalise`. */
export function settleRuns(runs: readonly Run[]): Run[] {
  const trimmed = trimBreaks(runs);
  if (trimmed.length === 1 && trimmed[0]?.leaf.type !== "text") return trimmed;
  return mergeText(settleSpaces(formatBreaks(trimmed)));
}

function trimBreaks(runs: readonly Run[]): Run[] {
  let start = 0;
  let end = runs.length;
  while (start < end && runs[start]?.leaf.type === "break") start++;
  while (end > start && runs[end - 1]?.leaf.type === "break") end--;
  return runs.slice(start, end);
}

/** A break looks like what is on both of its sides, so that where a wrapper was closed around it does not matter. */
function formatBreaks(runs: readonly Run[]): Run[] {
  const settled: Run[] = [];
  let before = plainFormat;
  for (let index = 0; index < runs.length;) {
    const run = runs[index];
    if (run === undefined) break;
    if (run.leaf.type !== "break") {
      settled.push(run);
      before = run.format;
      index++;
      continue;
    }
    let end = index;
    while (runs[end]?.leaf.type === "break") end++;
    const format = commonFormat(before, runs[end]?.format ?? plainFormat);
    for (; index < end; index++) settled.push({ leaf: { type: "break" }, format });
  }
  return settled;
}

function mergeText(runs: readonly Run[]): Run[] {
  const merged: Run[] = [];
  for (const run of runs) {
    const last = merged.at(-1);
    if (run.leaf.type === "text" && last?.leaf.type === "text" && sameFormat(last.format, run.format)) {
      merged[merged.length - 1] = { leaf: { type: "text", text: last.leaf.text + run.leaf.text }, format: last.format };
    } else {
      merged.push(run);
    }
  }
  return merged;
}

/**
 * A no-break space beside another space or at the edge of a line is how HTML carries a space that it would collapse:
 * it becomes that space. One between two words stays what it is.
 */
function settleSpaces(runs: readonly Run[]): readonly Run[] {
  if (!runs.some(({ leaf }) => leaf.type === "text" && leaf.text.includes("\u00a0"))) return runs;
  return runs.map((run, index) => {
    if (run.leaf.type !== "text" || !run.leaf.text.includes("\u00a0")) return run;
    const { text } = run.leaf;
    const before = edgeOf(runs[index - 1], "end");
    const after = edgeOf(runs[index + 1], "start");
    let settled = "";
    for (let at = 0; at < text.length; at++) {
      const character = text.charAt(at);
      const beside = isBlank(at === 0 ? before : text.charAt(at - 1)) || isBlank(text.charAt(at + 1) || after);
      settled += character === "\u00a0" && beside ? " " : character;
    }
    return { leaf: { type: "text", text: settled }, format: run.format };
  });
}

function edgeOf(run: Run | undefined, side: "start" | "end"): string {
  if (run === undefined || run.leaf.type === "break") return " ";
  if (run.leaf.type !== "text") return "x";
  return side === "start" ? run.leaf.text.charAt(0) : run.leaf.text.charAt(run.leaf.text.length - 1);
}

function isBlank(character: string): boolean {
  return character === " " || character === "\u00a0" || character === "\t";
}

/**
 * The tree of settled runs. Of the wrappers that begin at a leaf, the one that reaches farthest is the outermost, so
 * that the same look always gives the same tree.
 */
export function inlinesOf(runs: readonly Run[]): readonly Inline[] {
  const reaches: Reach[] = [];
  for (const aspect of aspects) {
    if (runs.some(({ format }) => format !== plainFormat && aspectOf(format, aspect) !== undefined)) {
      reaches.push({ aspect, ends: endsOf(runs, aspect) });
    }
  }
  return reaches.length === 0 ? runs.map(({ leaf }) => leaf) : wrap(runs, reaches, 0, runs.length, 0);
}

interface Reach {
  readonly aspect: Aspect;
  /** For each run: the index behind the last run that shares the wrapper; 0 where there is none. */
  readonly ends: readonly number[];
}

function endsOf(runs: readonly Run[], aspect: Aspect): readonly number[] {
  const ends: number[] = [];
  for (const [index, { format }] of runs.entries()) {
    const value = aspectOf(format, aspect);
    ends.push(value === undefined ? 0 : index + 1);
  }
  for (let index = runs.length - 2; index >= 0; index--) {
    const [run, next] = [runs[index], runs[index + 1]];
    if (run === undefined || next === undefined || ends[index] === 0 || ends[index + 1] === 0) continue;
    if (aspectOf(run.format, aspect) === aspectOf(next.format, aspect)) ends[index] = ends[index + 1] ?? 0;
  }
  return ends;
}

/** `open` has a bit for each aspect that a wrapper around these runs has already: it goes as deep as there are aspects. */
function wrap(runs: readonly Run[], reaches: readonly Reach[], from: number, to: number, open: number): Inline[] {
  const inlines: Inline[] = [];
  for (let index = from; index < to;) {
    const run = runs[index];
    if (run === undefined) break;
    let outer: Reach | undefined;
    let outerBit = 0;
    let end = index;
    for (let bit = 0; bit < reaches.length && run.format !== plainFormat; bit++) {
      const reach = reaches[bit];
      const reached = Math.min(reach?.ends[index] ?? 0, to);
      if ((open & (1 << bit)) !== 0 || reached <= end) continue;
      outer = reach;
      outerBit = 1 << bit;
      end = reached;
    }
    if (outer === undefined) {
      inlines.push(run.leaf);
      index++;
    } else {
      inlines.push(wrapper(outer.aspect, run.format, wrap(runs, reaches, index, end, open | outerBit)));
      index = end;
    }
  }
  return inlines;
}

function wrapper(aspect: Aspect, format: Format, children: readonly Inline[]): Inline {
  switch (aspect) {
    case "link":
      return { type: "link", href: format.link ?? "", children };
    case "spoiler":
      return { type: "spoiler", ...(format.spoiler ? { reason: format.spoiler } : {}), children };
    case "colour":
      return {
        type: "colour",
        ...(format.foreground === undefined ? {} : { foreground: format.foreground }),
        ...(format.background === undefined ? {} : { background: format.background }),
        children,
      };
    default:
      return { type: aspect, children };
  }
}
