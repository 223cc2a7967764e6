import { ns } from "../namespaces.js";
import type { Range } from "../text/code-points.js";
import {
  attributeOf,
  childOf,
  childrenOf,
  countAttributeOf,
  elementsOf,
  filledAttributeOf,
  localName,
  type XmlElement,
} from "../xml.js";

/**
 * The ranges of the body that stand in for something else in the message (XEP-0428); the whole body where they say
 * nothing narrower. What they stand in for must be there and be understood, or they are all there is.
 */
export function fallbackRanges(message: XmlElement, length: number, hasMedia: boolean): Range[] {
  const fallbacks = [
    ...childrenOf(message, "fallback", ns.fallback),
    ...childrenOf(message, "fallback", ns.oldFallback),
  ].filter((fallback) => isDispensable(message, attributeOf(fallback, "for") ?? "", hasMedia));
  return fallbacks.flatMap((fallback): Range[] => {
    const parts = elementsOf(fallback).filter((part) => ["body", "subject"].includes(localName(part)));
    if (parts.length === 0) return [{ start: 0, end: length }];
    return parts.flatMap((part): Range[] => (localName(part) === "body" ? rangeOf(part, length) : []));
  });
}

const ofMedia: ReadonlySet<string> = new Set([ns.fileSharing, ns.sims, ns.oob, ns.stickers, ns.references]);

function isDispensable(message: XmlElement, feature: string, hasMedia: boolean): boolean {
  if (ofMedia.has(feature)) return hasMedia;
  const reply = childOf(message, "reply", ns.reply);
  return feature === ns.reply && reply !== undefined && filledAttributeOf(reply, "id") !== undefined;
}

/** One bound that is malformed makes the range unknown: then nothing is cut. */
function rangeOf(part: XmlElement, length: number): Range[] {
  const [first, last] = [attributeOf(part, "start"), attributeOf(part, "end")];
  const start = first === undefined ? 0 : countAttributeOf(part, "start");
  const end = last === undefined ? length : countAttributeOf(part, "end");
  return start === undefined || end === undefined ? [] : [{ start, end: Math.min(end, length) }];
}
