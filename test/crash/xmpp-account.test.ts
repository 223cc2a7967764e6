import { describe, expect, it } from "@jest/globals";
import { Book } from "../dist/crash/xmpp/book.js";
import { lookAtRoom } from "../dist/crash/xmpp/matrix-sight.js";
import { PlaceSight } from "../dist/crash/xmpp/place-sight.js";
import { reactionsOnMatrix } from "../dist/crash/xmpp/reaction-account.js";
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
  const sight = new PlaceSight(new Book(0), seen, archive, new Set(["anna", "ben"]));
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
});
