/// <reference lib="es2024.string" />
const unencodable = "%00";

/** Why a path with an unencodable part is not sent. */
export const unsendable =
  'an identifier in the request is empty, "." or "..", holds a NUL or is not valid Unicode, so no homeserver can know it';

/**
 * Percent-encodes an identifier as one part of a path. What cannot be one becomes a part that `isSendable` refuses, so
 * that an impossible identifier ends as a value in `MatrixHttp.request` and not as an exception on the way there.
 */
export function pathPart(id: string): string {
  if (id === "" || id === "." || id === ".." || !id.isWellFormed()) return unencodable;
  return encodeURIComponent(id);
}

export function isSendable(path: string): boolean {
  return !path.includes(unencodable);
}
