import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import { readTime, writeTime } from "../content/read/time.js";
import { attributeOf, element, filledAttributeOf, namespaceOf, ownChildOf, type XmlElement } from "../content/xml.js";
import { formIn, valueIn, writeForm, type FormField } from "./forms.js";
import {
  readPageRequest,
  readResultSet,
  writePageRequest,
  writeResultSet,
  type PageRequest,
  type ResultSet,
} from "./rsm.js";

/** What is wanted of an archive (XEP-0313 §4). */
export interface ArchiveQuery {
  /** Comes back with each result. */
  readonly queryId?: string;
  /** From whom or to whom. */
  readonly with?: string;
  /** In milliseconds since 1970, included. */
  readonly start?: number;
  readonly end?: number;
  /** Ids in the archive (`mam:2#extended`). */
  readonly afterId?: string;
  readonly beforeId?: string;
  readonly ids?: readonly string[];
  readonly page?: PageRequest;
  /** The last of the part comes first. */
  readonly flipped?: boolean;
  /** Names of fields that this archive may not know: refuse the query rather than ignore them. */
  readonly unknown?: readonly string[];
}

/** The end of the results. */
export interface ArchiveEnd {
  readonly queryId?: string;
  /** Nothing follows in the direction in which it was paged. */
  readonly complete: boolean;
  /** `false`: the archive may still change what it gave. */
  readonly stable: boolean;
  readonly page?: ResultSet;
}

const known: ReadonlySet<string> = new Set(["with", "start", "end", "after-id", "before-id", "ids"]);

/** Reads a `<query/>`. `undefined` where it has a time that is none, which the archive must refuse. */
export function readArchiveQuery(query: XmlElement): ArchiveQuery | undefined {
  const form = formIn(query);
  const value = (name: string): string | undefined => form && valueIn(form, name);
  const [start, end] = ["start", "end"].map((name) => readTime(value(name) ?? ""));
  if ((value("start") !== undefined && start === undefined) || (value("end") !== undefined && end === undefined))
    return undefined;
  const unknown = (form?.fields ?? []).flatMap(({ name }) => (name === undefined || known.has(name) ? [] : name));
  return given({
    queryId: filledAttributeOf(query, "queryid"),
    with: value("with"),
    start,
    end,
    afterId: value("after-id"),
    beforeId: value("before-id"),
    ids: form?.fields.find(({ name }) => name === "ids")?.values,
    page: readPageRequest(query),
    flipped: ownChildOf(query, "flip-page") === undefined ? undefined : true,
    unknown: unknown.length === 0 ? undefined : unknown,
  });
}

/** Writes a `<query/>`. */
export function writeArchiveQuery(query: ArchiveQuery): XmlElement {
  const field = (name: string, value: string | undefined): FormField[] =>
    value === undefined ? [] : [{ name, values: [value] }];
  const fields: FormField[] = [
    ...field("with", query.with),
    ...field("start", query.start === undefined ? undefined : writeTime(query.start)),
    ...field("end", query.end === undefined ? undefined : writeTime(query.end)),
    ...field("after-id", query.afterId),
    ...field("before-id", query.beforeId),
    ...(query.ids === undefined ? [] : [{ name: "ids", values: query.ids }]),
  ];
  return element(
    "query",
    { xmlns: ns.mam, queryid: query.queryId },
    fields.length === 0 ? undefined : writeForm({ type: "submit", formType: ns.mam, fields }),
    query.page && writePageRequest(query.page),
    query.flipped === true ? element("flip-page") : undefined,
  );
}

/** Reads a `<fin/>`. */
export function readArchiveEnd(fin: XmlElement): ArchiveEnd {
  const complete = attributeOf(fin, "complete");
  const stable = attributeOf(fin, "stable");
  return given({
    queryId: filledAttributeOf(fin, "queryid"),
    complete: complete === "true" || complete === "1",
    stable: stable !== "false" && stable !== "0",
    page: readResultSet(fin),
  });
}

/** Writes a `<fin/>`. */
export function writeArchiveEnd({ queryId, complete, stable, page }: ArchiveEnd): XmlElement {
  return element(
    "fin",
    { xmlns: ns.mam, queryid: queryId, complete: complete ? true : undefined, stable: stable ? undefined : false },
    page === undefined ? element("set", { xmlns: ns.rsm }) : writeResultSet(page),
  );
}

/** One message out of an archive, to be put into a `<message/>` to who asked. */
export function archiveResult(result: {
  readonly queryId?: string;
  readonly id: string;
  /** When it was said, in milliseconds since 1970. */
  readonly at: number;
  readonly message: XmlElement;
}): XmlElement {
  const forwarded = element(
    "forwarded",
    { xmlns: ns.forward },
    element("delay", { xmlns: ns.delay, stamp: writeTime(result.at) }),
    inClientNamespace(result.message),
  );
  return element("result", { xmlns: ns.mam, queryid: result.queryId, id: result.id }, forwarded);
}

/** The stanza as a client has it: what came in by a component's stream is in the namespace of that stream. */
function inClientNamespace(message: XmlElement): XmlElement {
  const namespace = namespaceOf(message);
  const children = message.children.map((child) => {
    if (typeof child === "string" || namespaceOf(child) !== namespace) return child;
    const { xmlns: _, ...attributes } = child.attrs;
    return element(child.name, attributes, ...child.children);
  });
  return element(message.name, { ...message.attrs, xmlns: ns.client }, ...children);
}

/** Writes the answer to a question for the ends of an archive (XEP-0313 §5.4), or the question. */
export function archiveMetadata(ends?: {
  readonly first: { readonly id: string; readonly at: number };
  readonly last: { readonly id: string; readonly at: number };
}): XmlElement {
  if (ends === undefined) return element("metadata", { xmlns: ns.mam });
  const { first, last } = ends;
  return element(
    "metadata",
    { xmlns: ns.mam },
    element("start", { id: first.id, timestamp: writeTime(first.at) }),
    element("end", { id: last.id, timestamp: writeTime(last.at) }),
  );
}
