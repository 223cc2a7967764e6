import { normalise, type Inline, type RichText } from "@trestle/rich-text";
import { ns } from "../namespaces.js";
import { childOf, childrenOf, countAttributeOf, type XmlElement } from "../xml.js";
import { MarkedText, type MentionRange } from "./marked-mentions.js";
import { marks, type Range } from "./code-points.js";

const styles = { strong: "bold", emphasis: "italic", deleted: "strike", code: "code" } as const;
type Style = keyof typeof styles;
const styleNames = Object.keys(styles) as readonly Style[];

/** More spans than anybody writes by hand. */
const maxSpans = 500;

/**
 * Reads a body with Message Markup (XEP-0394): its spans style the text; blocks and lists stay as they are written.
 * Nothing is a mark of XEP-0393 then, also where the markup is empty.
 */
export function readMarkup(body: string, markup: XmlElement, mentions: readonly MentionRange[]): RichText {
  const length = Array.from(body).length;
  const looks = Array.from({ length }, () => 0);
  for (const span of childrenOf(markup, "span", ns.markup).slice(0, maxSpans)) {
    const { start, end } = rangeOf(span, length);
    const look = styleNames.reduce((bits, name, bit) => (childOf(span, name, ns.markup) ? bits | (1 << bit) : bits), 0);
    for (let at = start; at < end; at++) looks[at] = (looks[at] ?? 0) | look;
  }
  const marked = new MarkedText(body, mentions);
  return normalise({ blocks: [{ type: "paragraph", children: styledRuns(marked, looks, mentions) }] });
}

function rangeOf(span: XmlElement, length: number): Range {
  const [start, end] = [countAttributeOf(span, "start") ?? 0, countAttributeOf(span, "end") ?? 0];
  return { start: Math.min(start, length), end: Math.min(end, length) };
}

/** Neighbours that look alike as one; a mention looks as its first letter does. */
function styledRuns(marked: MarkedText, looks: readonly number[], mentions: readonly MentionRange[]): Inline[] {
  const lengths = new Map(mentions.map(({ start, end }) => [start, end - start]));
  const inlines: Inline[] = [];
  let run = "";
  let [look, at] = [0, 0];
  const end = (): void => {
    if (run !== "") inlines.push(styled(marked, run, look));
    run = "";
  };
  for (const character of marked.text) {
    const here = looks[at] ?? 0;
    if (here !== look || character === "\n") end();
    look = here;
    if (character === "\n") inlines.push({ type: "break" });
    else run += character;
    at += character === marks.mention ? (lengths.get(at) ?? 1) : 1;
  }
  end();
  return inlines;
}

function styled(marked: MarkedText, run: string, look: number): Inline {
  const has = (name: Style): boolean => (look & (1 << styleNames.indexOf(name))) !== 0;
  const leaves: Inline[] = has("code") ? [{ type: "code", text: marked.verbatim(run) }] : marked.inlines(run);
  let inline: Inline = { type: "colour", children: leaves };
  for (const name of ["deleted", "emphasis", "strong"] as const)
    if (has(name)) inline = { type: styles[name], children: [inline] };
  return inline;
}
