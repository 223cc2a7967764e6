import { tally, type Finding, type Tally } from "../ledger.js";
import { directionFrom, type Side, type XmppDirection } from "./book.js";
import { lookAtRoom } from "./matrix-sight.js";
import { PlaceSight } from "./place-sight.js";
import { reactionsOnMatrix, reactionsOnXmpp } from "./reaction-account.js";
import { relationsOn, retractionsOnMatrix, retractionsOnXmpp, textsOn } from "./text-account.js";
import type { XmppWorld } from "./world.js";

export interface Account {
  readonly findings: readonly Finding[];
  readonly tallies: Readonly<Record<XmppDirection, Tally>>;
  /** What the XMPP server showed to people and does not have in its archive: nobody could carry it after a restart. */
  readonly forgotten: readonly string[];
}

/** Holds what arrived everywhere against what was said and done, as far as the world has been read. */
export function settleAccount(world: XmppWorld): Account {
  const sights = world.places.map(
    ({ book, timeline, archive, speakers, shownAs, spokesman }) =>
      new PlaceSight(book, lookAtRoom(timeline.events, book.sent), archive.messages, {
        ...{ nicks: new Set(speakers.nicks), shownAs },
        ...(spokesman !== undefined && { spokesman }),
      }),
  );
  const findings = sights.flatMap((sight) => [
    ...textsOn("matrix", sight),
    ...textsOn("xmpp", sight),
    ...relationsOn("matrix", sight),
    ...relationsOn("xmpp", sight),
    ...retractionsOnMatrix(sight),
    ...retractionsOnXmpp(sight),
    ...reactionsOnMatrix(sight),
    ...reactionsOnXmpp(sight),
  ]);
  const of = (side: Side): Tally => {
    const direction = directionFrom(side);
    return tally(
      sights.reduce((sum, sight) => sum + sight.countOf(side), 0),
      findings.filter((finding) => finding.direction === direction),
    );
  };
  return {
    findings,
    forgotten: world.places.flatMap(({ archive, channel }) => {
      const kept = new Set(archive.messages.map(({ id }) => id));
      const shown = world.people.shownIn(channel);
      return shown.flatMap(({ id = "", ownId, nick, body }) =>
        kept.has(id) ? [] : [`${nick} ${ownId} ${body ?? ""}`],
      );
    }),
    tallies: { "Matrix → XMPP": of("matrix"), "XMPP → Matrix": of("xmpp") },
  };
}
