import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { globMatches } from "../src/bridge/policy/glob.js";
import { mostRules, PolicyRules } from "../src/bridge/policy/policy-rules.js";
import { readRule } from "../src/bridge/policy/rule.js";

/** What the specification says in words, as a regular expression of the platform. */
function asRegExp(glob: string): RegExp {
  const source = glob
    .replace(/[\\^$.|+()[\]{}/]/g, "\\$&")
    .replace(/\*/g, "[^]*")
    .replace(/\?/g, "[^]");
  return new RegExp(`^${source}$`, "u");
}

const character = fc.constantFrom("a", "b", "@", ":", ".", "-", "\\", "[", "^", "😀", "é");
const text = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(""));
const glob = fc.array(fc.oneof(character, fc.constantFrom("*", "?")), { maxLength: 8 }).map((parts) => parts.join(""));

describe("a glob of a policy list", () => {
  it("describes what the specification says it does", () => {
    fc.assert(
      fc.property(glob, text, (pattern, subject) => {
        expect(globMatches(pattern, subject)).toBe(asRegExp(pattern).test(subject));
      }),
      { numRuns: 5_000 },
    );
  });

  it("describes every text it was made of by putting * and ? into it", () => {
    const place = fc.constantFrom("same", "?", "*", "nothing");
    fc.assert(
      fc.property(fc.array(fc.tuple(character, place)), (parts) => {
        const subject = parts.map(([each]) => each).join("");
        const pattern = parts
          .map(([each, as]) => ({ same: each, "?": "?", "*": "*", nothing: `*${each}*` })[as])
          .join("");
        expect(globMatches(pattern, subject)).toBe(true);
      }),
    );
  });

  it("takes no longer than its length times that of the id, whoever wrote it", () => {
    let read = 0;
    /** Counts what is looked at. */
    class Counted extends String {
      override charCodeAt(at: number): number {
        read += 1;
        return super.charCodeAt(at);
      }
    }
    const [length, stars] = [255, 100];
    const subject = new Counted(`${"a".repeat(length - 1)}b`) as string;
    expect(globMatches("*a".repeat(stars) + "*c", subject)).toBe(false);
    expect(read).toBeLessThanOrEqual(length * (2 * stars + 2));
  });
});

describe("the rules of policy lists", () => {
  const ban = (entity: unknown) => ({ entity, recommendation: "m.ban", reason: "" });
  const rulesOf = (...each: readonly (readonly [type: string, entity: unknown])[]): PolicyRules => {
    const rules = new PolicyRules();
    for (const [index, [type, entity]] of each.entries()) rules.set("list", readRule(type, `${index}`, ban(entity)));
    return rules;
  };

  it("are of users by id, and of servers by name, with and without a port, in any case", () => {
    const rules = rulesOf(["m.policy.rule.user", "@spam?:*"], ["m.policy.rule.server", "*.Evil.example"]);
    expect(rules.bansUser("@spam1:home.example")).toBe(true);
    expect(rules.bansUser("@Spam1:home.example")).toBe(false);
    expect(rules.bansUser("@spam12:home.example")).toBe(false);
    expect(rules.bansUser("@ann:a.evil.EXAMPLE")).toBe(true);
    expect(rules.bansUser("@ann:a.evil.example:8448")).toBe(true);
    expect(rules.bansUser("@ann:evil.example")).toBe(false);
  });

  it("are nothing where an event is not a ban, or names nobody that exists", () => {
    for (const entity of ["", 5, null, undefined, ["@a:b"], "@".repeat(600)])
      expect(rulesOf(["m.policy.rule.user", entity]).bansIn("list")).toBe(0);
    const rule = readRule("m.policy.rule.user", "x", { entity: "@a:b", recommendation: "m.applaud" });
    expect(rule.entity).toBeNull();
  });

  it("are no more than memory has room for, and those that are there can still be lifted", () => {
    const rules = new PolicyRules();
    const type = "m.policy.rule.user";
    for (let count = 0; count < mostRules; count++)
      rules.set("list", { type, stateKey: `${count}`, entity: `@${count}:x` });
    expect(rules.set("list", readRule(type, "more", ban("@ann:home.example")))).toBe(false);
    expect(rules.bansUser("@ann:home.example")).toBe(false);
    expect(rules.set("other", readRule(type, "more", ban("@ann:home.example")))).toBe(true);
    expect(rules.bansUser("@7:x")).toBe(true);
    expect(rules.set("list", readRule(type, "7", {}))).toBe(true);
    expect(rules.bansUser("@7:x")).toBe(false);
  });

  it("are looked up anew when they change", () => {
    const rules = rulesOf();
    expect(rules.bansUser("@ann:home.example")).toBe(false);
    rules.set("list", readRule("m.policy.rule.user", "k", ban("@ann:*")));
    expect(rules.bansUser("@ann:home.example")).toBe(true);
    rules.set("other", readRule("m.policy.rule.user", "k", ban("@ann:home.example")));
    rules.set("list", readRule("m.policy.rule.user", "k", {}));
    expect(rules.bansUser("@ann:home.example")).toBe(true);
    rules.delete("other", readRule("m.policy.rule.user", "k", {}));
    expect(rules.bansUser("@ann:home.example")).toBe(false);
  });
});
