import { describe, expect, it } from "@jest/globals";
import { Book } from "../dist/crash/xmpp/book.js";
import { lookAtRoom } from "../dist/crash/xmpp/matrix-sight.js";
import { PlaceSight } from "../dist/crash/xmpp/place-sight.js";
import { reactionsOnMatrix, reactionsOnXmpp } from "../dist/crash/xmpp/reaction-account.js";
import { relationsOn, retractionsOnMatrix, textsOn } from "../dist/crash/xmpp/text-account.js";

const said = { id: "s1", ownId: "c1", nick: "anna", body: "[x0-1.0] beam", at: 1 };
const none = { body: undefined, replaces: undefined, answers: undefined, retracts: undefined, reacts: undefined };
const archive = [
  { ...none, ...said },
  { ...none, id: "s2", ownId: "c2", nick: "anna", body: "[x0-1.1] truss", replaces: "c1", at: 2 },
  { ...none, id: "s3", ownId: "c3", nick: "ben", reacts: { target: "s1", keys: ["🎉"] }, at: 3 },
  { ...none, id: "s4", ownId: "c4", nick: "ben", body: "[x0-2.0] arch", answers: "s1", at: 4 },
  { ...none, id: "s5", ownId: "c5", nick: "ben", body: "[x0-3.0] pier", at: 5 },
  { ...none, id: "s6", ownId: "c6", nick: "ben", retracts: "s5", at: 6 },
];

const event = (event_id: string, type: string, nick: string, content: Record<string, unknown>) => ({
  event_id,
  type,
  sender: `@${nick}:test`,
  content,
});
const edit = event("$2", "m.room.message", "anna", {
  "m.new_content": { body: "[x0-1.1] truss" },
  "m.relates_to": { rel_type: "m.replace", event_id: "$1" },
});
const first = event("$1", "m.room.message", "anna", { body: "[x0-1.0] beam" });
const reaction = event("$3", "m.reaction", "ben", { "m.relates_to": { event_id: "$1", key: "🎉" } });
const answer = event("$4", "m.room.message", "ben", {
  body: "[x0-2.0] arch",
  "m.relates_to": { "m.in_reply_to": { event_id: "$1" } },
});
const last = event("$5", "m.room.message", "ben", { body: "[x0-3.0] pier" });
const redaction = { ...event("$6", "m.room.redaction", "ben", {}), redacts: "$5" };
const members = ["anna", "ben"].map((nick) =>
  event(`$${nick}`, "m.room.member", nick, { membership: "join", displayname: nick }),
);

function findingsIn(...events: readonly ReturnType<typeof event>[]): readonly string[] {
  const seen = lookAtRoom([...members, ...events], new Set());
  const sight = new PlaceSight(new Book(0), seen, archive, { nicks: new Set(["anna", "ben"]) });
  return [
    ...textsOn("xmpp", sight),
    ...relationsOn("xmpp", sight),
    ...retractionsOnMatrix(sight),
    ...reactionsOnMatrix(sight),
  ].map(({ what, id }) => `${what} ${id}`);
}

describe("the judge of the XMPP crash suite", () => {
  it("finds nothing where all that was said and done arrived", () => {
    expect(findingsIn(first, edit, reaction, answer, last, redaction)).toEqual([]);
    // What was taken back before anybody looked.
    expect(findingsIn(first, edit, reaction, answer, { ...last, content: {} }, redaction)).toEqual([]);
  });

  it("sees what is lost, repeated, out of order or about something else", () => {
    expect(findingsIn(first, reaction, answer, last, redaction)).toEqual(["lost x0-1.1"]);
    expect(findingsIn(first, edit, reaction, answer, last)).toEqual(["lost x0-3.x"]);
    expect(findingsIn(first, edit, answer, last, redaction)).toEqual(["lost x0-1 🎉 of ben"]);
    const again = { ...reaction, event_id: "$7" };
    expect(findingsIn(first, edit, reaction, again, answer, last, redaction)).toEqual(["duplicated x0-1 🎉 of ben"]);
    expect(findingsIn(first, answer, edit, reaction, last, redaction)).toEqual(["reordered x0-1.1"]);
    const stray = { ...answer, content: { body: "[x0-2.0] arch" } };
    expect(findingsIn(first, edit, reaction, stray, last, redaction)).toEqual(["unknown x0-2.0"]);
  });

  it("knows who speaks where one says for all what is said on Matrix", () => {
    const book = new Book(0);
    const said = { side: "matrix", at: 1, version: 0, deleted: false, pinned: false, answers: undefined } as const;
    const one = { ...said, id: "m0-1", number: 1, who: "@dora:test", handle: "$m1" };
    const other = { ...said, id: "m0-2", number: 2, who: "@eve:test", handle: "$m2" };
    book.utterances.push(one, other);
    for (const who of ["@dora:test", "@eve:test"])
      book.reactions.push({ side: "matrix", target: one, who, key: "🎉", at: 2, handle: "$r", taken: false });
    const relayed = (body: string, id: string) => ({ ...none, id, ownId: id, nick: "Matrix", body, at: 1 });
    const reacted = { ...none, id: "r1", ownId: "r1", nick: "Matrix", at: 2, reacts: { target: "t1", keys: ["🎉"] } };
    const findings = (second: string, ...more: readonly (typeof reacted)[]) => {
      const shown = [relayed("<dora> [m0-1.0] beam", "t1"), relayed(second, "t2"), ...more];
      const names = { nicks: new Set(["anna"]), spokesman: "Matrix" };
      const sight = new PlaceSight(book, lookAtRoom([], new Set()), shown, names);
      return [...relationsOn("matrix", sight), ...reactionsOnXmpp(sight)].map(({ what, id }) => `${what} ${id}`);
    };
    // The second wants what the first wants already.
    expect(findings("* eve [m0-2.0] truss", reacted, { ...reacted, id: "r2" })).toEqual([]);
    expect(findings("<dora> [m0-2.0] truss", reacted)).toEqual(["unknown m0-2.0"]);
    expect(findings("<eve> [m0-2.0] truss")).toEqual(["lost Matrix m0-1"]);
  });
});
