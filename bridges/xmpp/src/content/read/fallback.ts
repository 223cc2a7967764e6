import { ns } from "../namespaces.js";
import type { Range } from "../text/code-points.js";
import { attributeOf, childrenOf, countAttributeOf, elementsOf, localName, type XmlElement } from "../xml.js";

/** What is understood here, so that nobody need see what is there for clients that do not (XEP-0428). */
const understood: ReadonlySet<string> = new Set([
  ns.reply,
  ns.fileSharing,
  ns.sims,
  ns.oob,
  ns.stickers,
  ns.references,
]);

/** The ranges of the body that stand in for what is understood; the whole body where they say nothing narrower. */
export function fallbackRanges(message: XmlElement, length: number): Range[] {
  const fallbacks = [
    ...childrenOf(message, "fallback", ns.fallback),
    ...childrenOf(message, "fallback", ns.oldFallback),
  ].filter((fallback) => understood.has(attributeOf(fallback, "for") ?? ""));
  return fallbacks.flatMap((fallback): Range[] => {
    const parts = elementsOf(fallback).filter((part) => ["body", "subject"].includes(localName(part)));
    if (parts.length === 0) return [{ start: 0, end: length }];
    return parts.flatMap((part): Range[] => (localName(part) === "body" ? rangeOf(part, length) : []));
  });
}

/** One bound that is malformed makes the range unknown: then nothing is cut. */
function rangeOf(part: XmlElement, length: number): Range[] {
  const [first, last] = [attributeOf(part, "start"), attributeOf(part, "end")];
  const start = first === undefined ? 0 : countAttributeOf(part, "start");
  const end = last === undefined ? length : countAttributeOf(part, "end");
  return start === undefined || end === undefined ? [] : [{ start, end: Math.min(end, length) }];
}
