import { createHash } from "node:crypto";
import type { UserId } from "@trestle/core";
import { CodePoints } from "./code-points.js";
import { leftToRight, rightToLeft, usableInResources } from "./stringprep.generated.js";

const usable = new CodePoints(usableInResources);
const fromRight = new CodePoints(rightToLeft);
const fromLeft = new CodePoints(leftToRight);

/** Of UTF-8, before a suffix: far below the 1023 bytes of a resource, and more than a list of people can show. */
const LONGEST_NICK = 200;

/**
 * What can be shown of a name as the nick in a room: servers drop stanzas from a resource with code points that Unicode
 * 3.2 did not have (most emoji), rewrite compatibility characters, and refuse a mixture of directions. What this returns they leave as it is.
 * `undefined` where nothing remains.
 */
export function nickFrom(name: string): string | undefined {
  let nick = name.toWellFormed();
  // What is left out may bring characters together that then compose: again, until nothing changes.
  for (let round = 0; round < 5; round++) {
    const next = shortened(
      Array.from(nick.normalize("NFKC"))
        .map((character) => (/\s/u.test(character) ? " " : character))
        .filter((character) => usable.has(character))
        .join("")
        .replace(/ +/g, " ")
        .trim(),
    );
    if (next === nick) return nick !== "" && hasOneDirection(nick) ? nick : undefined;
    nick = next;
  }
  return undefined;
}

/**
 * The nicks to try for a Matrix user, one after the other, where those before are taken: the name, the name with
 * `[m]`, `[m2]` and so on. Every one is a resource that servers leave as it is.
 */
export function nickCandidate(name: string, user: UserId, attempt: number): string {
  const shown = nickFrom(name);
  if (attempt === 0 && shown !== undefined) return shown;
  const suffix = attempt <= 1 ? "[m]" : `[m${attempt}]`;
  // What is written from the right cannot end with a letter written from the left.
  const base = shown !== undefined && hasOneDirection(`${shown}${suffix}`) ? shown : plainName(user);
  return attempt === 0 ? base : `${base}${suffix}`;
}

/** A name in ASCII. */
function plainName(user: UserId): string {
  const localpart = user.slice(1).split(":", 1)[0] ?? "";
  const plain = localpart.replace(/[^A-Za-z0-9._=+-]/g, "");
  if (plain !== "") return plain.slice(0, LONGEST_NICK);
  return `matrix-${createHash("sha256").update(user).digest("hex").slice(0, 8)}`;
}

/** RFC 3454 §6: with a character written from the right there may be none from the left, and it stands at both ends. */
function hasOneDirection(text: string): boolean {
  const characters = Array.from(text);
  if (!characters.some((character) => fromRight.has(character))) return true;
  const ends = [characters[0] ?? "", characters.at(-1) ?? ""];
  return ends.every((end) => fromRight.has(end)) && !characters.some((character) => fromLeft.has(character));
}

function shortened(text: string): string {
  if (Buffer.byteLength(text) <= LONGEST_NICK) return text;
  let kept = "";
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > LONGEST_NICK) break;
    kept += segment;
  }
  return kept.trim();
}
