import { bareJidOf } from "../address/index.js";
import { element, ns, parseXml, type XmlElement } from "../content/index.js";
import {
  archiveMetadata,
  archiveResult,
  writeArchiveEnd,
  writeForm,
  type ArchiveQuery,
  type PageRequest,
} from "../protocol/index.js";
import type { Archived, Part } from "./archive.js";
import { refusal, type Refusal } from "./errors.js";
import type { RoomState } from "./room-state.js";

/** A part of an archive as it is sent: the messages, and the end of them for the answer. */
export interface ArchivePage {
  readonly results: readonly XmlElement[];
  readonly end: XmlElement;
}

const usualPage = 50;
const mostIds = 100;

/** Answers what is asked of a room's archive (XEP-0313 §4, with `mam:2#extended`). */
export function archivePage(room: RoomState, query: ArchiveQuery): ArchivePage | Refusal {
  const { archive, tuning } = room.parts;
  const { page = {}, queryId, unknown } = query;
  if (unknown) return refusal("cancel", "feature-not-implemented", `The archive knows no ${unknown.join(", ")}.`);
  const within = boundsOf(room, query);
  if ("condition" in within) return within;
  const max = Math.min(page.max ?? usualPage, tuning.maxPage);
  const count = archive.count(room.jid, within);
  const paged = placesOf(room, page);
  if ("condition" in paged) return paged;
  const fromEnd = page.before !== undefined;
  const found = archive.read(room.jid, { ...narrowed(within, paged), fromEnd, limit: max + 1 });
  const isComplete = found.length <= max;
  const shown = fromEnd ? found.slice(-max || found.length) : found.slice(0, max);
  const given = max === 0 ? [] : shown;
  const [first, last] = [given[0], given.at(-1)];
  const results = given.map((archived) => resultOf(room, archived, queryId));
  const firstIndex = first && archive.count(room.jid, narrowed(within, { before: first.seq }));
  const end = writeArchiveEnd({
    ...(queryId !== undefined && { queryId }),
    complete: isComplete,
    stable: true,
    page: {
      count,
      ...(first && last && { first: first.id, last: last.id }),
      ...(firstIndex !== undefined && { firstIndex }),
    },
  });
  return { results: query.flipped === true ? results.reverse() : results, end };
}

/** The fields that a query may have (XEP-0313 §4.1.5). */
export function archiveForm(): XmlElement {
  const field = (name: string, type: "jid-single" | "text-single" | "list-multi") => ({ name, type, values: [] });
  const fields = [
    field("with", "jid-single"),
    field("start", "text-single"),
    field("end", "text-single"),
    field("before-id", "text-single"),
    field("after-id", "text-single"),
    field("ids", "list-multi"),
  ];
  return element("query", { xmlns: ns.mam }, writeForm({ type: "form", formType: ns.mam, fields }));
}

/** The first and the last of the archive (XEP-0313 §5.4). */
export function archiveEnds(room: RoomState): XmlElement {
  const { archive } = room.parts;
  const [first] = archive.read(room.jid, { limit: 1 });
  const [last] = archive.read(room.jid, { limit: 1, fromEnd: true });
  return archiveMetadata(first && last && { first, last });
}

type Bounds = Omit<Part, "limit" | "fromEnd">;

/** What the form asks for. */
function boundsOf(room: RoomState, { with: who, start, end, afterId, beforeId, ids }: ArchiveQuery): Bounds | Refusal {
  const { archive } = room.parts;
  if (ids && ids.length > mostIds) return refusal("modify", "bad-request", `Ask for ${mostIds} messages at most.`);
  if (ids?.some((id) => archive.find(room.jid, id) === undefined)) return unknownPlace;
  const places = placesOf(room, {
    ...(afterId !== undefined && { after: afterId }),
    ...(beforeId !== undefined && { before: beforeId }),
  });
  if ("condition" in places) return places;
  const author = who === undefined ? undefined : (room.named(who)?.key ?? bareJidOf(who) ?? who);
  return {
    ...places,
    ...(author !== undefined && { author }),
    ...(start !== undefined && { from: start }),
    ...(end !== undefined && { until: end }),
    ...(ids && { ids }),
  };
}

const unknownPlace = refusal("cancel", "item-not-found", "The archive does not have this message any more.");

function placesOf(room: RoomState, { after, before }: PageRequest): Pick<Part, "after" | "before"> | Refusal {
  const { archive } = room.parts;
  const seqOf = (id: string | undefined): number | undefined | null =>
    id === undefined || id === "" ? undefined : (archive.find(room.jid, id)?.seq ?? null);
  const [from, until] = [seqOf(after), seqOf(before)];
  if (from === null || until === null) return unknownPlace;
  return { ...(from !== undefined && { after: from }), ...(until !== undefined && { before: until }) };
}

/** Both of two bounds. */
function narrowed(within: Bounds, { after, before }: Pick<Part, "after" | "before">): Bounds {
  const [from, until] = [
    [within.after, after].filter((place) => place !== undefined),
    [within.before, before].filter((place) => place !== undefined),
  ];
  return {
    ...within,
    ...(from.length > 0 && { after: Math.max(...from) }),
    ...(until.length > 0 && { before: Math.min(...until) }),
  };
}

function resultOf(room: RoomState, { id, at, xml }: Archived, queryId: string | undefined): XmlElement {
  const message = parseXml(xml) ?? element("message", { type: "groupchat" });
  const result = archiveResult({ ...(queryId !== undefined && { queryId }), id, at, message });
  return element("message", { from: room.jid }, result);
}
