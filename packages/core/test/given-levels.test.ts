import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { withLevels } from "../dist/bridge/moderation/given-levels.js";
import { roleOf, powerOf } from "../dist/bridge/moderation/ranks.js";
import { demanded } from "../dist/bridge/moderation/room-settings.js";

const powers = { owner: 75, admin: 60, moderator: 50, helper: 25, speaker: 1 };
const user = fc.constantFrom("@a:x", "@b:x", "@g_1:x", "@g_2:x", "@g_3:x");
const level = fc.integer({ min: 0, max: 100 });
const isGhost = (id: string): boolean => id.startsWith("@g_");

describe("the ranks of power levels", () => {
  it("are the highest that a level reaches, and the lowest of those that share one", () => {
    expect([0, 1, 49, 50, 99, 100, -5].map((power) => roleOf(power, powers))).toEqual([
      ...["none", "speaker", "helper", "moderator", "owner", "owner", "none"],
    ]);
    const flat = { owner: 50, admin: 50, moderator: 50, helper: 0, speaker: 0 };
    expect([0, 50, 100].map((power) => roleOf(power, flat))).toEqual(["none", "moderator", "moderator"]);
    for (const role of ["owner", "admin", "moderator", "helper", "speaker", "none"] as const)
      expect(roleOf(powerOf(role, powers), powers)).toBe(role);
  });
});

describe("power levels that the network gives", () => {
  it("never exceed what the bot may give, touch nobody above it, and are settled after one change", () => {
    fc.assert(
      fc.property(
        fc.dictionary(user, level),
        fc.dictionary(user, level),
        level,
        fc.boolean(),
        (users, ranks, most, complete) => {
          const content = { users, users_default: 0 };
          const wanted = {
            wanted: new Map(Object.entries(ranks)),
            complete,
            isGhost,
            most,
            creators: new Set(["@b:x"]),
          };
          const once = withLevels(content, wanted) as { readonly users: Record<string, number> };
          for (const id of Object.keys({ ...users, ...once.users })) {
            if (once.users[id] === users[id]) continue;
            expect(id).not.toBe("@b:x");
            expect(users[id] ?? 0).toBeLessThanOrEqual(most);
            expect(once.users[id] ?? 0).toBeLessThanOrEqual(most);
          }
          expect(withLevels(once, wanted)).toBe(once);
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });

  it("can be taken again, so that nothing is left of them", () => {
    fc.assert(
      fc.property(fc.dictionary(user, level), fc.dictionary(user, level), (users, ranks) => {
        const given = { isGhost, most: 100, creators: new Set<string>(), complete: false };
        const content = { users };
        const after = withLevels(content, { ...given, wanted: new Map(Object.entries(ranks)) });
        const taken = withLevels(after, {
          ...given,
          wanted: new Map(Object.keys(ranks).map((id) => [id, 0])),
        }) as { readonly users: Record<string, number> };
        const without = (all: Record<string, number>) =>
          Object.entries(all)
            .filter(([, power]) => power !== 0)
            .sort();
        expect(without(taken.users)).toEqual(without(users));
        expect(taken).not.toHaveProperty(["dev.trestle.given"]);
      }),
      { seed: 12, numRuns: 500 },
    );
  });

  it("give way to what was set by hand, except where the network refused that", () => {
    const facts = { complete: false, isGhost, most: 99, creators: new Set<string>() };
    const given = withLevels({ users: {} }, { ...facts, wanted: new Map([["@g_1:x", 50]]) });
    const byHand = { ...given, users: { "@g_1:x": 75, "@a:x": 100 } };
    const refused = new Map([
      ["@g_1:x", 50],
      ["@a:x", 0],
    ]);
    expect(withLevels(byHand, { ...facts, wanted: refused })).toBe(byHand);
    const taken = withLevels(byHand, { ...facts, wanted: refused, overruled: new Set(refused.keys()) });
    // Nobody who has as much power as the bot is touched.
    expect(taken).toMatchObject({ users: { "@g_1:x": 50, "@a:x": 100 } });
  });

  it("name no more users than an event can hold, the most powerful first", () => {
    const wanted = new Map(Array.from({ length: 2_000 }, (_, index) => [`@g_${index}:x`, index % 2 === 0 ? 50 : 1]));
    const facts = { wanted, complete: false, isGhost, most: 99, creators: new Set<string>() };
    const { users } = withLevels({ users: {} }, facts) as { readonly users: Record<string, number> };
    expect(Object.values(users)).toEqual(Array.from({ length: 300 }, () => 50));
  });
});

describe("state that channels have made stricter", () => {
  it("is strict while a linked channel has a reason, and then what it was", () => {
    const step = fc.record({
      channel: fc.constantFrom("one", "two"),
      reason: fc.constantFrom("inviteOnly", "keyed"),
      holds: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom("public", "knock", "invite"), fc.array(step, { maxLength: 12 }), (rule, steps) => {
        const before: Readonly<Record<string, unknown>> = { join_rule: rule, other: 1 };
        const reasons = new Set<string>();
        let content = before;
        for (const { channel, reason, holds } of steps) {
          const demand = { channel, reasons: { [reason]: holds }, linked: new Set(["one", "two"]) };
          content = demanded(content, { join_rule: "invite" }, demand);
          if (holds) reasons.add(`${channel} ${reason}`);
          else reasons.delete(`${channel} ${reason}`);
          if (reasons.size === 0) expect(content).toEqual(before);
          else expect(content).toMatchObject({ join_rule: "invite", other: 1 });
        }
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  it("is open again with the next word of a channel when the one with a reason is no longer linked", () => {
    const strict = { join_rule: "invite" };
    const linked = new Set(["one", "two"]);
    const closed = demanded({ join_rule: "public" }, strict, { channel: "one", reasons: { keyed: true }, linked });
    const alone = { channel: "two", reasons: { keyed: false }, linked: new Set(["two"]) };
    expect(demanded(closed, strict, alone)).toEqual({ join_rule: "public" });
  });

  it("stays as somebody on Matrix set it meanwhile", () => {
    const strict = { join_rule: "invite" };
    const linked = new Set(["one"]);
    const closed = demanded({ join_rule: "public" }, strict, { channel: "one", reasons: { keyed: true }, linked });
    const opened = demanded({ ...closed, join_rule: "knock" }, strict, {
      channel: "one",
      reasons: { keyed: false },
      linked,
    });
    expect(opened).toEqual({ join_rule: "knock" });
  });
});
