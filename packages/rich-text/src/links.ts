import { cleanText } from "./text.js";
import type { MentionTarget } from "./tree.js";

const schemes = /^(https?|ftp|mailto|magnet|xmpp|ircs?|matrix):/i;

/**
 * A URL as a `Link` may hold it: an absolute URL of an allowed scheme, without white space and control characters.
 * `undefined` where it is none, such as `javascript:…` or a relative URL.
 */
export function cleanHref(href: string): string | undefined {
  const cleaned = cleanText(href)
    .replace(/[\t\n]+/g, "")
    .trim()
    .replace(/[\s\u00a0]/g, encodeURIComponent);
  const scheme = schemes.exec(cleaned)?.[0];
  if (scheme === undefined || scheme.length === cleaned.length) return undefined;
  return scheme.toLowerCase() + cleaned.slice(scheme.length);
}

/** The URL of a picture as an `Emoji` or an `InlineImage` may hold it: `mxc:` or `https:`. */
export function cleanImageUrl(url: string): string | undefined {
  return isContentUri(url) || /^https:\/\/[^\s\p{Cc}\p{Surrogate}]+$/u.test(url) ? url : undefined;
}

/** Whether this is a content URI, `mxc://server/mediaId`. */
export function isContentUri(url: string): boolean {
  return (
    url.length <= 512 &&
    /^mxc:\/\/(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/[A-Za-z0-9_-]+$/.test(url)
  );
}

const user = /^@[^:\s\p{Cc}\p{Surrogate}]*:[^\s\p{Cc}\p{Surrogate}/?#]+$/u;
const alias = /^#[^:\s\p{Cc}\p{Surrogate}]*:[^\s\p{Cc}\p{Surrogate}/?]+$/u;
const room = /^![^\s\p{Cc}\p{Surrogate}]+$/u;
const event = /^\$[^\s\p{Cc}\p{Surrogate}]+$/u;

function isId(grammar: RegExp, id: string): boolean {
  return id.length <= 255 && Buffer.byteLength(id) <= 255 && grammar.test(id);
}

/**
 * What a `https://matrix.to/#/…` link or a `matrix:` URI (specification, appendix "URIs") points to; `undefined` where
 * it is no such link.
 */
export function mentionTargetOf(href: string): MentionTarget | undefined {
  const path = /^https?:\/\/(?:www\.)?matrix\.to\/#\/([^?]*)/i.exec(href)?.[1];
  if (path !== undefined) {
    const [entity, eventId] = path.split("/", 2);
    return target(decode(entity), eventId === undefined || eventId === "" ? undefined : decode(eventId));
  }
  const uri = /^matrix:(?:\/\/[^/]*\/)?([^?#]*)/i.exec(href)?.[1];
  return uri === undefined ? undefined : uriTarget(uri.split("/"));
}

const sigils: Readonly<Record<string, string>> = { u: "@", user: "@", r: "#", room: "#", roomid: "!" };

function uriTarget([kind = "", id = "", sub, eventId]: readonly string[]): MentionTarget | undefined {
  const sigil = Object.hasOwn(sigils, kind) ? sigils[kind] : undefined;
  const decoded = decode(id);
  if (sigil === undefined || decoded === undefined || decoded === "") return undefined;
  const isEvent = (sub === "e" || sub === "event") && eventId !== undefined && eventId !== "";
  const decodedEvent = isEvent ? decode(eventId) : undefined;
  return target(sigil + decoded, decodedEvent === undefined ? undefined : `$${decodedEvent}`);
}

function target(entity: string | undefined, eventId: string | undefined): MentionTarget | undefined {
  if (entity === undefined) return undefined;
  if (isId(user, entity)) return { kind: "matrixUser", userId: entity };
  if (!isId(alias, entity) && !isId(room, entity)) return undefined;
  if (eventId === undefined) return { kind: "matrixRoom", roomIdOrAlias: entity };
  return isId(event, eventId) ? { kind: "matrixRoom", roomIdOrAlias: entity, eventId } : undefined;
}

function decode(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 2_048) return undefined;
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded UTF-8, so not a link to anything on Matrix.
    return undefined;
  }
}

/** The `https://matrix.to` link of a mention, or `undefined` where Matrix has none for it or the id is malformed. */
export function matrixLinkOf(to: MentionTarget): string | undefined {
  const [entity, eventId] =
    to.kind === "matrixUser" ? [to.userId] : to.kind === "matrixRoom" ? [to.roomIdOrAlias, to.eventId] : [];
  const checked = target(entity, eventId);
  if (checked?.kind !== to.kind || entity === undefined) return undefined;
  return `https://matrix.to/#/${encode(entity)}${eventId === undefined ? "" : `/${encode(eventId)}`}`;
}

/** Percent-encodes what must be; sigils and the colon stay readable, as other clients write them. */
function encode(id: string): string {
  return encodeURIComponent(id).replace(/%3A/g, ":").replace(/%40/g, "@").replace(/%24/g, "$");
}
