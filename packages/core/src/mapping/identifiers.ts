import type { ContentUri, EventId, RoomAlias, RoomId, UserId } from "../connector/ids.js";

/** The longest identifier in UTF-8 bytes, sigil and server name included (specification, appendix "Identifier grammar"). */
export const longestIdentifier = 255;

/** No NUL, no other control character, no lone surrogate. */
const unprintable = /[\p{Cc}\p{Surrogate}]/u;
/** A DNS name, an IPv4 or a bracketed IPv6 address, each with or without a port. */
const serverName = /^(?:[A-Za-z0-9][A-Za-z0-9.-]{0,229}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

function isIdentifier(value: unknown, sigil: string): value is string {
  return (
    typeof value === "string" &&
    value.length > 1 &&
    value.startsWith(sigil) &&
    value.length <= longestIdentifier &&
    Buffer.byteLength(value) <= longestIdentifier &&
    !unprintable.test(value)
  );
}

function hasServerName(id: string): boolean {
  const colon = id.indexOf(":");
  return colon > 0 && isServerName(id.slice(colon + 1));
}

export function isServerName(value: unknown): value is string {
  return typeof value === "string" && serverName.test(value);
}

/** Any user id a room may hold: those of old have localparts of nearly any character. */
export function isUserId(value: unknown): value is UserId {
  return isIdentifier(value, "@") && hasServerName(value);
}

/** A user id as new users may have it: a localpart of `a-z0-9._=/+-`. */
export function isNewUserId(value: unknown): value is UserId {
  return isUserId(value) && /^@[a-z0-9._=/+-]+:/.test(value);
}

/** Opaque: since room version 12 (`!31hneApxJ_…`) it holds no server name. */
export function isRoomId(value: unknown): value is RoomId {
  return isIdentifier(value, "!");
}

export function isRoomAlias(value: unknown): value is RoomAlias {
  return isIdentifier(value, "#") && hasServerName(value);
}

/** Opaque: only those of room versions 1 and 2 hold a server name. */
export function isEventId(value: unknown): value is EventId {
  return isIdentifier(value, "$");
}

/** A content URI, `mxc://server/mediaId`. */
export function isContentUri(value: unknown): value is ContentUri {
  if (typeof value !== "string" || value.length > longestIdentifier) return false;
  const parts = /^mxc:\/\/([^/]+)\/[A-Za-z0-9_-]+$/.exec(value);
  return isServerName(parts?.[1]);
}

/** The name of a user's homeserver, port included. */
export function serverNameOf(user: UserId): string {
  return user.slice(user.indexOf(":") + 1);
}
