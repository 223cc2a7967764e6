import { compare, type Finding } from "../ledger.js";
import { directionFrom, type Side } from "./book.js";
import type { PlaceSight } from "./place-sight.js";
import type { Mark } from "./words.js";

/** Texts and edits of a side: each once, in the order in which they were said there. */
export function textsOn(side: Side, sight: PlaceSight): readonly Finding[] {
  const { book, matrix, bridgedTexts } = sight;
  const direction = directionFrom(side);
  const unitsOn = (texts: readonly { readonly mark: Mark }[]): string[] =>
    texts.flatMap(({ mark }) => (mark.side === side ? [mark.unit] : []));
  const heard = unitsOn(side === "matrix" ? bridgedTexts : matrix.arrivals);
  const { unseen, more } =
    side === "matrix" ? takenBackInTime(sight, new Set(heard)) : prunedTexts(sight, new Set(heard));
  const said = sight.saidOn(side).filter(({ id }) => !unseen.has(id));
  const base = { direction, place: book.place, at: undefined, what: "duplicated" } as const;
  return [
    ...compare(direction, book.place, said, heard),
    ...more.map((nick) => ({ ...base, id: `a text of ${nick}`, detail: "was taken back, and is there once more" })),
    // What comes back to the side where it was said went in a circle.
    ...compare(direction, book.place, [], unitsOn(side === "matrix" ? matrix.arrivals : bridgedTexts)),
  ];
}

interface Unseen {
  /** Which texts nobody can see any more. */
  readonly unseen: ReadonlySet<string>;
  /** Whose texts are there that nobody has said. */
  readonly more: readonly string[];
}

/** What was taken back on Matrix again before it could be carried need not arrive. */
function takenBackInTime(sight: PlaceSight, arrived: ReadonlySet<string>): Unseen {
  const gone = sight.takenBackOn("matrix");
  const units = sight.saidOn("matrix").map(({ id }) => id);
  const unseen = units.filter((id) => !arrived.has(id) && gone.has(id.slice(0, id.indexOf("."))));
  return { unseen: new Set(unseen), more: [] };
}

/** The room on Matrix shows of what was taken back only that it was there: as often, for each person, as it should. */
function prunedTexts(sight: PlaceSight, arrived: ReadonlySet<string>): Unseen {
  const gone = sight.takenBackOn("xmpp");
  const more = sight.matrix.pruned.filter(({ what }) => what === "text").map(({ nick }) => nick);
  const found = sight.ownTexts.flatMap(({ mark, nick }) => {
    if (mark.version > 0 || arrived.has(mark.unit) || !gone.has(mark.id)) return [];
    const index = more.indexOf(nick);
    if (index === -1) return [];
    more.splice(index, 1);
    return [mark.unit];
  });
  return { unseen: new Set(found), more };
}

/** What of a side's texts edits and answers what, and who said it. */
export function relationsOn(side: Side, sight: PlaceSight): readonly Finding[] {
  return side === "matrix" ? relationsOnXmpp(sight) : relationsOnMatrix(sight);
}

/** Of what was said on Matrix, in the room on XMPP. */
function relationsOnXmpp(sight: PlaceSight): readonly Finding[] {
  const { book, bridgedTexts } = sight;
  const findings: Finding[] = [];
  const said = new Map(book.utterances.map((each) => [each.id, each]));
  for (const { mark, replaces, answers, nick } of bridgedTexts) {
    const utterance = said.get(mark.id);
    if (!utterance || utterance.side !== "matrix") continue;
    const find = (detail: string): void => {
      const base = { direction: "Matrix → XMPP", place: book.place, at: utterance.at } as const;
      findings.push({ ...base, what: "unknown", id: mark.unit, detail });
    };
    if (!nick.startsWith(localpart(utterance.who))) find(`was said by ${utterance.who}, and is ${nick}'s`);
    const edited = replaces === undefined ? undefined : bridgedTexts.find(({ ownId }) => ownId === replaces);
    if (mark.version > 0 && edited?.mark.unit !== `${mark.id}.0`)
      find(`is an edit of ${edited?.mark.unit ?? replaces ?? "nothing"}`);
    if (mark.version === 0 && replaces !== undefined) find("became an edit");
    const answered = answers === undefined ? undefined : (sight.messageOfStanza(answers) ?? answers);
    if (mark.version === 0 && answered !== utterance.answers?.id)
      find(`answers ${answered ?? "nothing"} instead of ${utterance.answers?.id ?? "nothing"}`);
  }
  return findings;
}

/** Of what was said on XMPP, in the room on Matrix. */
function relationsOnMatrix(sight: PlaceSight): readonly Finding[] {
  const { book, matrix, ownTexts } = sight;
  const findings: Finding[] = [];
  const said = new Map(ownTexts.map((each) => [each.mark.unit, each]));
  const gone = sight.takenBackOn("xmpp");
  for (const { mark, replaces, answers, nick } of matrix.arrivals) {
    const text = said.get(mark.unit);
    if (!text) continue;
    const find = (detail: string): void => {
      const base = { direction: "XMPP → Matrix", place: book.place, at: text.at } as const;
      findings.push({ ...base, what: "unknown", id: mark.unit, detail });
    };
    if (nick !== text.nick) find(`was said by ${text.nick}, and is ${nick}'s`);
    const edited = replaces === undefined ? undefined : sight.messageOfEvent(replaces);
    // The text of what was taken back is seen by nobody who looks later.
    if (
      mark.version > 0 &&
      edited !== mark.id &&
      !(gone.has(mark.id) && edited === undefined && replaces !== undefined)
    )
      find(`is an edit of ${edited ?? replaces ?? "nothing"}`);
    if (mark.version === 0 && replaces !== undefined) find("became an edit");
    if (mark.version > 0) continue;
    const answered = answers === undefined ? undefined : (sight.messageOfEvent(answers) ?? answers);
    const should = text.answers === undefined ? undefined : sight.messageOfStanza(text.answers);
    if (answered !== should) find(`answers ${answered ?? "nothing"} instead of ${should ?? "nothing"}`);
  }
  return findings;
}

/** What people on XMPP took back is redacted once, and nothing else is. */
export function retractionsOnMatrix(sight: PlaceSight): readonly Finding[] {
  const { book, matrix } = sight;
  const gone = sight.takenBackOn("xmpp");
  return matrix.arrivals.flatMap(({ mark, replaces, handle }): Finding[] => {
    if (replaces !== undefined) return [];
    const times = matrix.redactions.get(handle) ?? 0;
    const base = { direction: "XMPP → Matrix", place: book.place, at: undefined, id: `${mark.id}.x` } as const;
    if (gone.has(mark.id) && times === 0) return [{ ...base, what: "lost", detail: "was taken back, and is there" }];
    if (!gone.has(mark.id) && times > 0) return [{ ...base, what: "unknown", detail: "is gone, by nobody's will" }];
    return times > 1 ? [{ ...base, what: "duplicated", detail: `was redacted ${times} times` }] : [];
  });
}

/** What people on Matrix took back is retracted once where it had arrived, and nothing else is. */
export function retractionsOnXmpp(sight: PlaceSight): readonly Finding[] {
  const { book, bridged, bridgedTexts } = sight;
  const gone = sight.takenBackOn("matrix");
  const findings: Finding[] = [];
  const times = new Map<string, number>();
  const base = { direction: "Matrix → XMPP", place: book.place, at: undefined } as const;
  for (const { retracts } of bridged) {
    if (retracts === undefined) continue;
    const target = sight.messageOfStanza(retracts) ?? retracts;
    times.set(target, (times.get(target) ?? 0) + 1);
    const id = `${target}.x`;
    if (!gone.has(target)) findings.push({ ...base, what: "unknown", id, detail: "is gone, by nobody's will" });
    else if (times.get(target) === 2) findings.push({ ...base, what: "duplicated", id, detail: "was retracted again" });
  }
  for (const { mark, replaces } of bridgedTexts)
    if (replaces === undefined && gone.has(mark.id) && !times.has(mark.id))
      findings.push({ ...base, what: "lost", id: `${mark.id}.x`, detail: "was taken back, and is there" });
  return findings;
}

/** `person1` of `@person1:crash.test`: what the bridge calls them, as far as nobody else is called so. */
export function localpart(userId: string): string {
  return userId.slice(1, userId.indexOf(":"));
}
