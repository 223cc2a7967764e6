import { describe, expect, it } from "@jest/globals";
import { roles } from "@trestle/core";
import fc from "fast-check";
import type { MucItem } from "../../dist/content/index.js";
import { rankOf, stepsTowards, type RankRules, type RankStep } from "../../dist/rooms/ranks.js";

/** What a room makes of a change of somebody who is in it (XEP-0045 §5.2.2). */
function changed(item: MucItem, step: RankStep, { moderated }: RankRules): MucItem {
  if ("role" in step) return { ...item, role: step.role };
  const isRanked = step.affiliation === "owner" || step.affiliation === "admin";
  const role = isRanked ? "moderator" : moderated && step.affiliation === "none" ? "visitor" : "participant";
  return { affiliation: step.affiliation, role };
}

const affiliation = fc.constantFrom("owner", "admin", "member", "none");
const role = fc.constantFrom("moderator", "participant", "visitor");
const here: fc.Arbitrary<MucItem> = fc
  .record({ affiliation, role })
  .map((item) =>
    item.affiliation === "owner" || item.affiliation === "admin" ? { ...item, role: "moderator" as const } : item,
  );

describe("the steps to a rank", () => {
  it("lead to it, or to the next lower one that a room has, and put nobody out", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...roles),
        here,
        fc.record({ moderated: fc.boolean(), membersOnly: fc.boolean() }),
        (wanted, item, rules) => {
          let now = item;
          for (const step of stepsTowards(wanted, item, rules)) {
            now = changed(now, step, rules);
            expect(now.affiliation).not.toBe("outcast");
            if (rules.membersOnly && item.affiliation !== "none") expect(now.affiliation).not.toBe("none");
          }
          const isVoice = wanted === "helper" || wanted === "speaker";
          expect(rankOf(now, rules)).toBe(isVoice ? (rules.moderated ? "speaker" : "none") : wanted);
          expect(stepsTowards(wanted, now, rules)).toEqual([]);
        },
      ),
      { seed: 41, numRuns: 500 },
    );
  });

  it("change only what lasts of somebody who is not there", () => {
    const rules = { moderated: true, membersOnly: false };
    expect(stepsTowards("moderator", { affiliation: "admin" }, rules)).toEqual([{ affiliation: "member" }]);
    expect(stepsTowards("none", { affiliation: "owner" }, rules)).toEqual([{ affiliation: "none" }]);
    expect(stepsTowards("none", { affiliation: "owner" }, { ...rules, membersOnly: true })).toEqual([
      { affiliation: "member" },
    ]);
  });
});
