/** The ranks a member of a channel may have, from the highest: owner, admin, operator, half-operator, voice. */
export const RANKS = [
  { mode: "q", prefix: "~" },
  { mode: "a", prefix: "&" },
  { mode: "o", prefix: "@" },
  { mode: "h", prefix: "%" },
  { mode: "v", prefix: "+" },
] as const;

export type RankMode = (typeof RANKS)[number]["mode"];
/** Which ranks a server has. */
export type RankSet = "ov" | "ohv" | "qaohv";

const ORDER = "vhoaq";

/** 0 for nobody, 1 for voice, up to 5 for owner. */
export function rankValue(standing: ReadonlySet<RankMode> | undefined): number {
  return Math.max(0, ...[...(standing ?? [])].map((mode) => ORDER.indexOf(mode) + 1));
}

export const OPERATOR = 3;
export const HALF_OPERATOR = 2;
export const VOICE = 1;

/** What one must be to give or take a rank. */
export function neededFor(mode: RankMode): number {
  if (mode === "v") return HALF_OPERATOR;
  return mode === "h" || mode === "o" ? OPERATOR : ORDER.indexOf("q") + 1;
}

export const prefixToken = (ranks: RankSet): string =>
  `(${ranks})${ranksOf(ranks)
    .map(({ prefix }) => prefix)
    .join("")}`;

export const ranksOf = (ranks: RankSet): (typeof RANKS)[number][] => RANKS.filter(({ mode }) => ranks.includes(mode));
