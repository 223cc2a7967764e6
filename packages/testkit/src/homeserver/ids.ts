import { randomFillSync } from "node:crypto";

const POOL_BYTES = 32 * 256;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let used = POOL_BYTES;

/** `count` (at most 32) random bytes from a pool, as URL-safe base64: one system call serves hundreds of ids. */
export function randomId(count = 32): string {
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString("base64url", used, used + count);
  used += count;
  return text;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `length` random ASCII letters, as in room ids, device ids and media ids. */
export function randomLetters(length: number): string {
  const bytes = Buffer.from(randomId(32), "latin1");
  let text = "";
  for (let index = 0; index < length; index++)
    text += LETTERS.charAt((bytes[index % bytes.length] ?? 0) % LETTERS.length);
  return text;
}

/** Everything between the sigil and the first colon of a user id or alias. */
export function localpartOf(id: string): string {
  const colon = id.indexOf(":");
  return colon < 0 ? id.slice(1) : id.slice(1, colon);
}

/** Everything after the first colon of a user id or alias; empty where there is none. */
export function domainOf(id: string): string {
  const colon = id.indexOf(":");
  return colon < 0 ? "" : id.slice(colon + 1);
}

/** The limit of every identifier in Matrix, in bytes of UTF-8, sigil and domain included. */
export const MAX_ID_BYTES = 255;
