import { SlackError } from "./error.js";

/** A part of a list and the cursor of the next one; an empty cursor ends it. */
export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string;
}

/** One page of a list. The cursor is opaque to clients: which key comes next. A key that is gone is no error. */
export function page<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  cursor: string | undefined,
  limit: number,
): Page<T> {
  let start = 0;
  if (cursor !== undefined) {
    const wanted = decode(cursor);
    const at = all.findIndex((item) => keyOf(item) === wanted.key);
    start = at >= 0 ? at : wanted.index;
  }
  const items = all.slice(start, start + limit);
  const next = all[start + limit];
  return { items, nextCursor: next === undefined ? "" : encode(keyOf(next), start + limit) };
}

function encode(key: string, index: number): string {
  return Buffer.from(`next:${index}:${key}`).toString("base64");
}

function decode(cursor: string): { key: string; index: number } {
  const match = /^next:(\d+):(.*)$/.exec(Buffer.from(cursor, "base64").toString("utf8"));
  if (match === null) throw new SlackError("invalid_cursor");
  return { index: Number(match[1]), key: match[2] ?? "" };
}

/** The limit to use: what was asked for, within what the method allows. */
export function limitOf(asked: number | undefined, usual: number, most: number): number {
  if (asked === undefined || asked === 0) return usual;
  if (asked < 0) throw new SlackError("invalid_limit");
  return Math.min(asked, most);
}
