export type Direction =
  "Matrix → IRC" | "IRC → Matrix" | "Matrix → Slack" | "Slack → Matrix" | "Matrix → XMPP" | "XMPP → Matrix";

/** Where it was said, in a mark. */
const sides: Readonly<Record<Direction, string>> = {
  "Matrix → IRC": "m",
  "IRC → Matrix": "i",
  "Matrix → Slack": "m",
  "Slack → Matrix": "s",
  "Matrix → XMPP": "m",
  "XMPP → Matrix": "x",
};

/**
 * One thing that must arrive once, in its place: `m3-17.1` is line 1 of message 17 in place 3, said on Matrix; where
 * messages can be edited, it is the first edit of it.
 */
export interface Said {
  readonly id: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

export interface Finding {
  readonly what: "lost" | "duplicated" | "reordered" | "unknown";
  readonly direction: Direction;
  readonly id: string;
  readonly place: number;
  /** When it was said, in milliseconds since 1970; `undefined` of what nobody said. */
  readonly at: number | undefined;
  readonly detail: string;
}

export interface Tally {
  readonly said: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
}

const unitPattern = /\[[misx]\d+-\d+\.\d+\]/g;

/** The mark that a line carries through the bridge. */
export function markOf(direction: Direction, place: number, message: number, line: number): string {
  return `[${sides[direction]}${place}-${message}.${line}]`;
}

/** The marks in a text, without their brackets. */
export function findMarks(direction: Direction, text: string): string[] {
  const side = sides[direction];
  return [...text.matchAll(unitPattern)].map(([mark]) => mark.slice(1, -1)).filter((id) => id.startsWith(side));
}

/**
 * Holds what arrived in one place against what was said there.
 *
 * @param said in the order in which the place of origin saw it
 * @param heard the marks in the order of their arrival on the other side
 */
export function compare(
  direction: Direction,
  place: number,
  said: readonly Said[],
  heard: readonly string[],
): Finding[] {
  const position = new Map(said.map(({ id }, index) => [id, index]));
  const arrived = new Map<string, number>();
  const findings: Finding[] = [];
  let furthest = -1;
  let furthestId = "";
  const find = (what: Finding["what"], id: string, detail: string): void => {
    findings.push({ what, direction, id, place, at: said[position.get(id) ?? -1]?.at, detail });
  };
  for (const [index, id] of heard.entries()) {
    const at = position.get(id);
    const before = arrived.get(id);
    if (at === undefined) find("unknown", id, "arrived but was never said here");
    else if (before !== undefined) find("duplicated", id, `arrived as number ${before} and again as number ${index}`);
    else {
      arrived.set(id, index);
      if (at < furthest) find("reordered", id, `arrived after ${furthestId}`);
      else [furthest, furthestId] = [at, id];
    }
  }
  for (const { id } of said) if (!arrived.has(id)) find("lost", id, "never arrived");
  return findings;
}

export function tally(said: number, findings: readonly Finding[]): Tally {
  const count = (...whats: readonly Finding["what"][]): number =>
    findings.filter(({ what }) => whats.includes(what)).length;
  return { said, lost: count("lost"), duplicated: count("duplicated", "unknown"), reordered: count("reordered") };
}
