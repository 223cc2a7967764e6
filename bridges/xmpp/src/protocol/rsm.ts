import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  childOf,
  countAttributeOf,
  countOf,
  element,
  ownChildOf,
  ownTextOf,
  textElement,
  textOf,
  type XmlElement,
} from "../content/xml.js";

/** Which part of a long list is wanted (XEP-0059 §2). */
export interface PageRequest {
  /** How many at most; 0 asks how many there are. */
  readonly max?: number;
  /** The id of the last one that is known: what follows is wanted. */
  readonly after?: string;
  /** What comes before this id is wanted; the empty string asks for the end of the list. */
  readonly before?: string;
  /** From this number on, counted from 0. */
  readonly index?: number;
}

/** Which part of a long list this is. */
export interface ResultSet {
  /** The ids of the first and of the last; absent where the part is empty. */
  readonly first?: string;
  readonly last?: string;
  /** The number of the first among all. */
  readonly firstIndex?: number;
  /** How many there are in all. */
  readonly count?: number;
}

/** Reads what a query says about the part that it wants. */
export function readPageRequest(query: XmlElement): PageRequest | undefined {
  const set = childOf(query, "set", ns.rsm);
  if (set === undefined) return undefined;
  const before = ownChildOf(set, "before");
  return given({
    max: countOf(ownTextOf(set, "max")),
    after: ownTextOf(set, "after"),
    before: before === undefined ? undefined : textOf(before).trim(),
    index: countOf(ownTextOf(set, "index")),
  });
}

/** Writes what a query wants. */
export function writePageRequest({ max, after, before, index }: PageRequest): XmlElement {
  return element(
    "set",
    { xmlns: ns.rsm },
    max === undefined ? undefined : textElement("max", String(max)),
    index === undefined ? undefined : textElement("index", String(index)),
    after === undefined ? undefined : textElement("after", after),
    before === undefined ? undefined : textElement("before", before),
  );
}

/** Reads which part an answer is. */
export function readResultSet(answer: XmlElement): ResultSet | undefined {
  const set = childOf(answer, "set", ns.rsm);
  if (set === undefined) return undefined;
  const first = ownChildOf(set, "first");
  return given({
    first: textOf(first).trim() || undefined,
    last: ownTextOf(set, "last"),
    firstIndex: first && countAttributeOf(first, "index"),
    count: countOf(ownTextOf(set, "count")),
  });
}

/** Writes which part an answer is. */
export function writeResultSet({ first, last, firstIndex, count }: ResultSet): XmlElement {
  return element(
    "set",
    { xmlns: ns.rsm },
    first === undefined ? undefined : element("first", { index: firstIndex }, first),
    last === undefined ? undefined : textElement("last", last),
    count === undefined ? undefined : textElement("count", String(count)),
  );
}
