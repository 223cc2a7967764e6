import type { Finding } from "../ledger.js";
import type { PlaceSight, ReactionStep } from "./place-sight.js";
import { localpart } from "./text-account.js";

/** How often one key was given to one message by one person, and whether it stands. */
interface Given {
  readonly what: string;
  readonly nick: string;
  readonly at: number;
  times: number;
  stands: boolean;
}

/** Reactions of people on XMPP: what a set adds is an event of theirs, once; what it leaves out is redacted. */
export function reactionsOnMatrix(sight: PlaceSight): readonly Finding[] {
  const { book, matrix } = sight;
  const given = givenIn(sight.stepsIn(sight.own));
  const findings: Finding[] = [];
  const base = { direction: "XMPP → Matrix", place: book.place } as const;
  const shown = new Map<string, { readonly handles: string[] }>();
  for (const { nick, target, key, handle } of matrix.reactions) {
    const what = nameOf(nick, sight.messageOfEvent(target) ?? target, key);
    const own = shown.get(what) ?? { handles: [] };
    shown.set(what, own);
    own.handles.push(handle);
    if ((matrix.redactions.get(handle) ?? 0) > 1)
      findings.push({ ...base, what: "duplicated", id: what, at: undefined, detail: "was taken back twice" });
  }
  const pruned = matrix.pruned.filter(({ what }) => what === "reaction").map(({ nick }) => nick);
  for (const { what, nick, at, times, stands } of given.values()) {
    const { handles } = shown.get(what) ?? { handles: [] };
    const standing = handles.filter((handle) => !matrix.redactions.has(handle)).length;
    const details = { ...base, id: what, at };
    let seen = handles.length;
    // Of what was taken back before anybody looked only whose it was is left.
    for (let at = pruned.indexOf(nick); seen < times && at !== -1; at = pruned.indexOf(nick), seen++)
      pruned.splice(at, 1);
    if (seen !== times)
      findings.push({ ...details, what: seen > times ? "duplicated" : "lost", detail: `${seen} times, not ${times}` });
    if (seen <= times && standing > (stands ? 1 : 0))
      findings.push({ ...details, what: "lost", detail: "was taken back, and is still there" });
    if (stands && standing === 0 && seen >= times)
      findings.push({ ...details, what: "unknown", detail: "was taken back by nobody" });
  }
  for (const nick of pruned)
    findings.push({ ...base, what: "duplicated", id: `one of ${nick}`, at: undefined, detail: "was there once more" });
  for (const what of shown.keys())
    if (!given.has(what)) findings.push({ ...base, what: "unknown", id: what, at: undefined, detail: "by nobody" });
  return findings;
}

/**
 * Reactions of people on Matrix: each of their sets differs from the one before, and the last one is what they want. Who
 * reacts for all does so with what any of them want, and once more with that where another wants the same.
 */
export function reactionsOnXmpp(sight: PlaceSight): readonly Finding[] {
  const { book, spokesman } = sight;
  const findings: Finding[] = [];
  const base = { direction: "Matrix → XMPP", place: book.place, at: undefined } as const;
  const people = [
    ...new Set([...book.utterances, ...book.reactions].flatMap(({ side, who }) => (side === "matrix" ? [who] : []))),
  ];
  const last = new Map<string, readonly string[]>();
  for (const { nick, target, keys } of sight.stepsIn(sight.bridged)) {
    const who = spokesman ?? people.find((each) => nick.startsWith(localpart(each))) ?? nick;
    const id = `${who} ${target}`;
    if (spokesman === undefined && same(last.get(id) ?? [], keys))
      findings.push({ ...base, what: "duplicated", id, detail: `[${keys.join("")}] came again` });
    last.set(id, keys);
  }
  const wanted = new Map<string, string[]>();
  for (const { side, who, target, key, taken } of book.reactions) {
    if (side !== "matrix") continue;
    const id = `${spokesman ?? who} ${target.id}`;
    const keys = wanted.get(id) ?? [];
    wanted.set(id, keys);
    if (!taken && !keys.includes(key)) keys.push(key);
  }
  for (const id of new Set([...last.keys(), ...wanted.keys()])) {
    const [is, should] = [last.get(id) ?? [], wanted.get(id)];
    if (!should) findings.push({ ...base, what: "unknown", id, detail: `[${is.join("")}] by nobody` });
    else if (!same(is, should))
      findings.push({ ...base, what: "lost", id, detail: `[${is.join("")}] instead of [${should.join("")}]` });
  }
  return findings;
}

function givenIn(steps: readonly ReactionStep[]): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  const sets = new Map<string, readonly string[]>();
  for (const { nick, target, keys, at } of steps) {
    const id = `${nick} ${target}`;
    const before = sets.get(id) ?? [];
    sets.set(id, keys);
    for (const key of new Set([...before, ...keys])) {
      const what = nameOf(nick, target, key);
      const own = given.get(what) ?? { what, nick, at, times: 0, stands: false };
      given.set(what, own);
      own.stands = keys.includes(key);
      if (own.stands && !before.includes(key)) own.times += 1;
    }
  }
  return given;
}

function nameOf(nick: string, message: string, key: string): string {
  return `${message} ${key} of ${nick}`;
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each) => others.includes(each));
}
