import { describe, expect, it } from "@jest/globals";
import {
  decodeMeta,
  decodeVerdict,
  Deliveries,
  encodeMeta,
  encodeVerdict,
  type Verdict,
} from "../dist/session/deliveries.js";
import { traceOf } from "../dist/session/trace.js";
import { reactionTags } from "../dist/wire/reaction.js";

function deliveries() {
  const verdicts: [string, Verdict][] = [];
  const open = new Deliveries((key, verdict) => verdicts.push([key, verdict]));
  return { open, verdicts, keys: () => verdicts.map(([key, { verdict }]) => `${key} ${verdict}`) };
}

const hi = { target: "#c", texts: ["hi"] };
const silence: Verdict = { verdict: "refused", reason: "silence" };

describe("what became of a message", () => {
  it("is told by an echo, with the id of the server", () => {
    const { open, verdicts } = deliveries();
    open.begin("k", { target: "#c", texts: ["one", "two"] });
    open.seen("self", "#c", "one", "id1");
    open.seen("self", "#d", "two", "id2");
    expect(verdicts).toEqual([]);
    // Servers strip formatting and spaces.
    open.seen("self", "#c", "\u0002two\u0002 ", "id3");
    expect(verdicts).toEqual([["k", { verdict: "sent", id: "id1" }]]);
  });

  it("is not told by the second witness of an earlier line that reads the same", () => {
    const { open, keys } = deliveries();
    open.begin("first", hi);
    open.seen("self", "#c", "hi", "id1");
    open.begin("second", hi);
    open.seen("bot", "#c", "hi", "id1");
    expect(keys()).toEqual(["first sent"]);
    open.refused("#c", { reason: "no", mayPass: false });
    expect(keys()).toEqual(["first sent", "second refused"]);
  });

  it("is that it is tried again where all its lines were refused for now, and only then", () => {
    const { open, keys } = deliveries();
    const early = { reason: "no voice", mayPass: true };
    const texts = ["one", "two"];
    for (const key of ["all", "labelled", "some", "before"]) open.begin(key, { target: `#${key}`, texts });
    open.refused("#all", early);
    expect(keys()).toEqual([]);
    open.refused("#all", early);
    expect(open.refusedLabel("labelled.1", early)).toBe(true);
    expect(open.refusedLabel("labelled.0", early)).toBe(true);
    expect(open.refusedLabel("labelled.0", early)).toBe(false);
    open.refused("#some", early);
    open.seen("self", "#some", "two", "id");
    open.refused("#before", early);
    open.barrierSet(1);
    open.barrierPassed(1, silence);
    expect(keys()).toEqual(["all absent", "labelled absent", "some refused", "before refused"]);
  });

  it("is told by the bot alone where there are no echoes", () => {
    const { open, keys } = deliveries();
    for (const key of ["first", "second"]) {
      open.begin(key, hi);
      open.seen("bot", "#c", "hi", undefined);
    }
    expect(keys()).toEqual(["first sent", "second sent"]);
  });

  it("is not told by the bot for a line that a barrier has settled before", () => {
    const { open, keys } = deliveries();
    open.begin("first", hi);
    open.barrierSet(1);
    open.barrierPassed(1, { verdict: "sent", id: undefined });
    open.begin("second", hi);
    open.seen("bot", "#c", "hi", undefined);
    expect(keys()).toEqual(["first sent"]);
  });

  it("is told by a barrier only to what was written before it", () => {
    const { open, keys } = deliveries();
    open.begin("before", hi);
    open.barrierSet(1);
    open.begin("after", { target: "#d", texts: ["ho"] });
    open.barrierPassed(1, silence);
    expect(keys()).toEqual(["before refused"]);
    open.barrierSet(2);
    // Something of ours was shown there: perhaps the text, changed by a filter.
    open.seen("self", "#d", "<censored>", undefined);
    open.barrierPassed(2, silence);
    expect(keys()).toEqual(["before refused", "after sent"]);
  });

  it("is told by labels, whatever the order", () => {
    const { open, keys } = deliveries();
    open.begin("a", hi);
    open.begin("b", hi);
    expect(open.labelled("b.0", { verdict: "sent", id: "x" })).toBe(true);
    expect(open.labelled("a.0", { verdict: "refused", reason: "no" })).toBe(true);
    expect(open.labelled("c.0", { verdict: "sent", id: "x" })).toBe(false);
    expect(keys()).toEqual(["b sent", "a refused"]);
  });

  it("without a text is told by its trace, and is taken where the server says nothing", () => {
    const reaction = traceOf({
      verb: "TAGMSG",
      params: ["#c"],
      tags: new Map(Object.entries(reactionTags({ change: "react", target: "id1", key: "hi" }))),
    })!;
    const redaction = traceOf({ verb: "REDACT", params: ["#c", "id1", "why"], tags: new Map() })!;
    const { open, keys } = deliveries();
    open.begin("said", hi);
    open.begin("reacted", { target: "#c", texts: [reaction] });
    open.begin("redacted", { target: "#c", texts: [redaction] });
    open.seen("bot", "#c", reaction, undefined);
    expect(keys()).toEqual(["reacted sent"]);
    expect(open.refusedLine(redaction, "no")).toBe(true);
    expect(keys()).toEqual(["reacted sent", "redacted refused"]);
    open.begin("again", { target: "#c", texts: [redaction] });
    open.begin("labelled", { target: "#c", texts: [reaction] });
    expect(open.unanswered("labelled.0", silence)).toBe(true);
    open.barrierSet(1);
    open.barrierPassed(1, silence);
    expect(keys().slice(2)).toEqual(["labelled sent", "said refused", "again sent"]);
  });

  it("is certain where we were seen to leave before the line was", async () => {
    const { open, keys } = deliveries();
    open.begin("k", hi);
    const verdict = open.verdictOf("k");
    open.leftTheNetwork();
    open.connectionOver();
    expect(await verdict).toMatchObject({ verdict: "absent" });
    open.begin("l", hi);
    open.connectionOver();
    open.end("gone");
    expect(keys()).toEqual(["k absent", "l unknown"]);
  });

  it("survives being written down", () => {
    expect(decodeMeta(encodeMeta(hi))).toEqual(hi);
    for (const verdict of [
      { verdict: "sent", id: "x" },
      { verdict: "sent", id: undefined },
      { verdict: "refused", reason: "r" },
      { verdict: "absent", reason: "r" },
    ] as const) {
      expect(decodeVerdict(encodeVerdict(verdict))).toEqual(verdict);
    }
  });
});
