import type { Role } from "@trestle/core";
import type { Isupport } from "./isupport.js";

/** A rank that somebody can have in a channel. */
export interface Rank {
  /** Its letter in `MODE`. */
  readonly letter: string;
  /** What stands before a nick that has it. */
  readonly symbol: string;
  readonly role: Role;
}

/** What the letters mean that networks agree on, highest first. */
const known: readonly (readonly [letter: string, role: Role])[] = [
  ["q", "owner"],
  ["a", "admin"],
  ["o", "moderator"],
  ["h", "helper"],
  ["v", "speaker"],
];

/**
 * The ranks of a server (`PREFIX`), highest first. One of its own counts as the next lower one that is known: InspIRCd's
 * `(Yqaohv)!~&@%+` has one above the owner, others have one below the voice that means nothing here.
 */
export function ranksOf(isupport: Isupport): readonly Rank[] {
  const [, letters = "", symbols = ""] = /^\(([^)]*)\)(.*)$/.exec(isupport.get("PREFIX") ?? "(ov)@+") ?? [];
  return Array.from(letters, (letter, at) => {
    const lower = Array.from(letters).slice(at);
    const role = known.find(([each]) => each === lower.find((one) => known.some(([name]) => name === one)))?.[1];
    return { letter, symbol: Array.from(symbols)[at] ?? "", role: role ?? "none" };
  });
}

/** The letters of the symbols before a nick, highest first. */
export function lettersOf(symbols: string, ranks: readonly Rank[]): string {
  return ranks
    .filter(({ symbol }) => symbol !== "" && symbols.includes(symbol))
    .map(({ letter }) => letter)
    .join("");
}

/** The letter of the highest rank among others; empty where there is none. */
export function highestOf(letters: string, ranks: readonly Rank[]): string {
  return ranks.find(({ letter }) => letters.includes(letter))?.letter ?? "";
}

/** The highest of the ranks that somebody has. */
export function roleOf(letters: string, ranks: readonly Rank[]): Role {
  return ranks.find(({ letter }) => letters.includes(letter))?.role ?? "none";
}

/** The letters that are to be given and taken so that somebody who has `letters` has `role`, or the next lower that there is. */
export function towards(
  role: Role,
  letters: string,
  ranks: readonly Rank[],
): { readonly give: string; readonly take: string } {
  const order = known.map(([, each]) => each);
  const wanted =
    role === "none"
      ? undefined
      : order
          .slice(order.indexOf(role))
          .map((each) => ranks.findLast((rank) => rank.role === each))
          .find((rank) => rank !== undefined);
  const at = wanted ? ranks.indexOf(wanted) : ranks.length;
  const higher = ranks.slice(0, at).filter((rank) => rank.role !== "none");
  const take = higher.filter(({ letter }) => letters.includes(letter)).map(({ letter }) => letter);
  return { give: wanted && !letters.includes(wanted.letter) ? wanted.letter : "", take: take.join("") };
}
