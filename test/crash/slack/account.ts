import { compare, tally, type Finding, type Tally } from "../ledger.js";
import { directionFrom, type Book, type Side, type SlackDirection, type Utterance } from "./book.js";
import type { Arrival, MatrixSight, SlackSight } from "./sight.js";

export interface Account {
  readonly findings: readonly Finding[];
  readonly tallies: Readonly<Record<SlackDirection, Tally>>;
}

/** What each side shows of one place. */
export interface PlaceSight {
  readonly book: Book;
  readonly matrix: MatrixSight;
  readonly slack: SlackSight;
}

/** Holds what arrived everywhere against what was said and done. */
export function settleAccount(places: readonly PlaceSight[]): Account {
  const findings = places.flatMap((place) => [
    ...messagesOf(place, "matrix"),
    ...messagesOf(place, "slack"),
    ...reactionsOnMatrix(place),
    ...reactionsOnSlack(place),
    ...circledIn(place),
  ]);
  const of = (direction: SlackDirection): Tally => {
    const said = places.reduce((sum, { book }) => sum + countOf(book, direction), 0);
    return tally(
      said,
      findings.filter((finding) => finding.direction === direction),
    );
  };
  return { findings, tallies: { "Matrix → Slack": of("Matrix → Slack"), "Slack → Matrix": of("Slack → Matrix") } };
}

/** Everything that had to be carried: messages, edits, deletions, reactions and their ends. */
function countOf(book: Book, direction: SlackDirection): number {
  const messages = book.utterances
    .filter(({ side }) => directionFrom(side) === direction)
    .reduce((sum, { version, deleted }) => sum + 1 + version + (deleted ? 1 : 0), 0);
  return book.reactions
    .filter(({ side }) => directionFrom(side) === direction)
    .reduce((sum, { taken }) => sum + (taken ? 2 : 1), messages);
}

interface Details {
  readonly direction: SlackDirection;
  readonly place: number;
  readonly at: number;
}

function detailsOf({ side, place, at }: Utterance): Details {
  return { direction: directionFrom(side), place, at };
}

/** The first copy of each message of a side, edits left out. */
function copiesOf({ matrix, slack }: PlaceSight, side: Side): readonly Arrival[] {
  return (side === "matrix" ? slack : matrix).arrivals.filter(({ replaces }) => replaces === undefined);
}

/** Which message has a name on the side where it arrived: its own, or that of its copy. */
function namesOn(place: PlaceSight, side: Side): ReadonlyMap<string, string> {
  const other: Side = side === "matrix" ? "slack" : "matrix";
  return new Map([
    ...place.book.of(side).map(({ handle, id }) => [handle, id] as const),
    ...copiesOf(place, other).map(({ handle, id }) => [handle, id] as const),
  ]);
}

/** Messages of a side, each conversation (the channel, a thread) by itself; and what became of each. */
function messagesOf(sight: PlaceSight, side: Side): readonly Finding[] {
  const { book, matrix } = sight;
  const said = book.of(side);
  const copies = copiesOf(sight, side);
  const names = namesOn(sight, side === "matrix" ? "slack" : "matrix");
  const arrived = new Set(copies.map(({ id }) => id));
  const findings: Finding[] = [];
  // What was deleted again before it could be carried need not arrive.
  const expected = said.filter(({ id, deleted }) => !deleted || arrived.has(id));
  const saidIn = groupBy(expected, ({ root }) => root?.id ?? "");
  const heardIn = groupBy(copies, ({ thread }) =>
    thread === undefined ? "" : (names.get(thread) ?? "an unknown thread"),
  );
  for (const conversation of new Set([...saidIn.keys(), ...heardIn.keys()])) {
    const heard = (heardIn.get(conversation) ?? []).map(({ id }) => id);
    findings.push(...compare(directionFrom(side), book.place, saidIn.get(conversation) ?? [], heard));
  }
  const copiesById = groupBy(copies, ({ id }) => id);
  for (const utterance of said) {
    const own = copiesById.get(utterance.id) ?? [];
    if (own.length === 0) continue;
    if (side === "matrix") findings.push(...stateOnSlack(utterance, own));
    else findings.push(...historyOnMatrix(utterance, own, matrix));
  }
  return findings;
}

/** In Slack a message shows only what it has become. */
function stateOnSlack(utterance: Utterance, copies: readonly Arrival[]): readonly Finding[] {
  const { id, version, deleted } = utterance;
  const details = detailsOf(utterance);
  if (deleted) return [{ ...details, what: "lost", id: `${id}.x`, detail: "was deleted, and is still there" }];
  return copies
    .filter((copy) => copy.version !== version)
    .map((copy) => ({
      ...details,
      what: "lost",
      id: `${id}.${version}`,
      detail: `still shows version ${copy.version}`,
    }));
}

/** In Matrix every edit is an event. Edits that were overtaken while nobody listened may be left out, but not the last. */
function historyOnMatrix(
  utterance: Utterance,
  copies: readonly Arrival[],
  { arrivals, redactions }: MatrixSight,
): readonly Finding[] {
  const { id, version, deleted } = utterance;
  const details = detailsOf(utterance);
  const findings: Finding[] = [];
  const add = (what: Finding["what"], unit: string, detail: string): void => {
    findings.push({ ...details, what, id: `${id}.${unit}`, detail });
  };
  const handles = new Set(copies.map(({ handle }) => handle));
  const edits = arrivals.filter(({ id: of, replaces }) => of === id && replaces !== undefined);
  for (const { replaces, version: number } of edits)
    if (!handles.has(replaces ?? "")) add("unknown", String(number), "changes a message that it is not an edit of");
  // A message that was edited before it was carried shows the edit from the beginning, and that it is one.
  let newest = copies[0]?.version ?? 0;
  let last = -1;
  for (const edit of edits) {
    if (edit.version === last || edit.version === 0) add("duplicated", String(edit.version), "an edit arrived again");
    else if (edit.version < newest) add("reordered", String(edit.version), `arrived after edit ${newest}`);
    else newest = edit.version;
    last = edit.version;
  }
  if (newest !== version && !deleted) add("lost", String(version), `still shows version ${newest}`);
  const ends = copies.map(({ handle }) => redactions.get(handle) ?? 0);
  if (deleted && ends.includes(0)) add("lost", "x", "was deleted, and is still there");
  if (!deleted && ends.some((count) => count > 0)) add("unknown", "x", "was deleted, though nobody did that");
  if (ends.some((count) => count > 1)) add("duplicated", "x", "was deleted twice");
  return findings;
}

/** Reactions of people in Slack: each is an event of theirs, once, that is taken back when they take it back. */
function reactionsOnMatrix({ book, matrix }: PlaceSight): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { id, side, target, who, emoji, taken, at } of book.reactions) {
    if (side !== "slack") continue;
    const targets = new Set(
      target.side === "matrix"
        ? [target.handle]
        : matrix.arrivals
            .filter((each) => each.id === target.id && each.replaces === undefined)
            .map((each) => each.handle),
    );
    const own = matrix.reactions.filter(
      (each) =>
        targets.has(each.target) &&
        each.key.startsWith(emoji.character) &&
        each.sender.includes(`-${who.toLowerCase()}:`),
    );
    const standing = own.filter(({ handle }) => !matrix.redactions.has(handle)).length;
    const details = { direction: "Slack → Matrix", place: book.place, at } as const;
    if (own.length > 1) findings.push({ ...details, what: "duplicated", id, detail: `is there ${own.length} times` });
    if (!taken && standing === 0) findings.push({ ...details, what: "lost", id, detail: `of ${who} to ${target.id}` });
    if (taken && standing > 0)
      findings.push({ ...details, what: "lost", id: `${id}.x`, detail: "was taken back, and is still there" });
  }
  return findings;
}

/** Reactions of people on Matrix: all are the bot's, which has each emoji once as long as one of them has it. */
function reactionsOnSlack({ book, slack }: PlaceSight): readonly Finding[] {
  const findings: Finding[] = [];
  const wanted = groupBy(
    book.reactions.filter(({ side }) => side === "matrix"),
    ({ target, emoji }) => `${target.id} ${emoji.name}`,
  );
  for (const reactions of wanted.values()) {
    const [first] = reactions;
    if (!first) continue;
    const { target, emoji, at } = first;
    const copies =
      target.side === "slack"
        ? [target.handle]
        : slack.arrivals.filter(({ id }) => id === target.id).map((each) => each.handle);
    const isThere = copies.some((ts) => slack.reactions.get(ts)?.includes(emoji.name) === true);
    const should = reactions.some(({ taken }) => !taken);
    const details = { direction: "Matrix → Slack", place: book.place, at } as const;
    const ids = reactions.map(({ id }) => id).join(" ");
    if (should && !isThere)
      findings.push({ ...details, what: "lost", id: ids, detail: `${emoji.name} of ${target.id}` });
    if (!should && isThere)
      findings.push({ ...details, what: "lost", id: `${ids}.x`, detail: "was taken back, and is still there" });
  }
  return findings;
}

/** What comes back to the side where it was said went in a circle. */
function circledIn({ book, matrix, slack }: PlaceSight): readonly Finding[] {
  const of = (direction: SlackDirection, ids: readonly string[]): Finding[] =>
    ids.map((id) => ({
      what: "unknown",
      direction,
      id,
      place: book.place,
      at: undefined,
      detail: "came back to where it was said",
    }));
  return [...of("Matrix → Slack", matrix.circled), ...of("Slack → Matrix", slack.circled)];
}

function groupBy<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return groups;
}
