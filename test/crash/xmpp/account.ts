import { compare, findMarks, tally, type Direction, type Finding, type Said, type Tally } from "../ledger.js";
import type { XmppWorld } from "./world.js";

type XmppDirection = Extract<Direction, `${string}XMPP${string}`>;

export interface Account {
  readonly findings: readonly Finding[];
  readonly tallies: Readonly<Record<XmppDirection, Tally>>;
  /** What the XMPP server showed to people and does not have in its archive: nobody could carry it after a restart. */
  readonly forgotten: readonly string[];
}

/** Holds what arrived everywhere against what was said, as far as the world has been read. */
export function settleAccount(world: XmppWorld, saidOnMatrix: ReadonlyMap<number, readonly Said[]>): Account {
  const findings: Finding[] = [];
  const forgotten: string[] = [];
  const said: Record<XmppDirection, number> = { "Matrix → XMPP": 0, "XMPP → Matrix": 0 };
  const people = new Set(world.matrixPeople.map(({ userId }) => userId));
  for (const { number, timeline, archive } of world.places) {
    const own = archive.messages.filter(({ nick }) => world.nicks.has(nick));
    const bridged = archive.messages.filter(({ nick }) => !world.nicks.has(nick)).map(({ body }) => body);
    const bodies = timeline.events
      .filter(({ type, sender }) => type === "m.room.message" && !people.has(sender))
      .map(({ content }) => (typeof content["body"] === "string" ? content["body"] : ""));
    const marks = (direction: XmppDirection, texts: readonly string[]): string[] =>
      texts.flatMap((text) => findMarks(direction, text));

    const onMatrix = saidOnMatrix.get(number) ?? [];
    const onXmpp = own.flatMap(({ body, at }) => findMarks("XMPP → Matrix", body).map((id) => ({ id, at })));
    said["Matrix → XMPP"] += onMatrix.length;
    said["XMPP → Matrix"] += onXmpp.length;
    findings.push(
      ...compare("Matrix → XMPP", number, onMatrix, marks("Matrix → XMPP", bridged)),
      ...compare("XMPP → Matrix", number, onXmpp, marks("XMPP → Matrix", bodies)),
      // What comes back to the side where it was said went in a circle.
      ...compare("Matrix → XMPP", number, [], marks("Matrix → XMPP", bodies)),
      ...compare("XMPP → Matrix", number, [], marks("XMPP → Matrix", bridged)),
    );
    const kept = new Set(archive.messages.map(({ body }) => body));
    for (const { body } of world.people.seen.get(archive.room) ?? []) if (!kept.has(body)) forgotten.push(body);
  }
  const of = (direction: XmppDirection): Tally =>
    tally(
      said[direction],
      findings.filter((finding) => finding.direction === direction),
    );
  return {
    findings,
    forgotten,
    tallies: { "Matrix → XMPP": of("Matrix → XMPP"), "XMPP → Matrix": of("XMPP → Matrix") },
  };
}
