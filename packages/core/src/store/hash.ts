import type { NewEntry } from "./segment.js";

/**
 * A 53-bit hash of a text (two 32-bit lanes of multiply and xor), for indexes that are verified or where one collision in
 * 10^10 texts does no harm. The seed is a database's own secret, so that nobody outside can make two texts collide.
 */
export function hash53(text: string, seed: number): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** What the journal recognises an entry by. */
export function journalHash(
  { bridge, direction, lane, source }: Pick<NewEntry, "bridge" | "direction" | "lane" | "source">,
  seed: number,
): number {
  return hash53(`${bridge} ${direction} ${lane}\u0000${source}`, seed);
}
