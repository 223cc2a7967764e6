import { describe, expect, it } from "@jest/globals";
import type { Role } from "@trestle/core";
import fc from "fast-check";
import { Isupport } from "../dist/wire/isupport.js";
import { matchesMask } from "../dist/wire/mask.js";
import { lettersOf, ranksOf, roleOf, towards } from "../dist/wire/ranks.js";

const of = (prefix: string | undefined) =>
  ranksOf(new Isupport(prefix === undefined ? [] : [["PREFIX", prefix] as const]));
const roles: readonly Role[] = ["owner", "admin", "moderator", "helper", "speaker", "none"];

describe("the ranks of PREFIX", () => {
  it.each([
    [undefined, ["o moderator", "v speaker"]],
    ["(qaohv)~&@%+", ["q owner", "a admin", "o moderator", "h helper", "v speaker"]],
    ["(Yqaohv)!~&@%+", ["Y owner", "q owner", "a admin", "o moderator", "h helper", "v speaker"]],
    ["(uohv).@%+", ["u moderator", "o moderator", "h helper", "v speaker"]],
    ["(ovx)@+-", ["o moderator", "v speaker", "x none"]],
    ["", []],
    ["(o", []],
  ])("%p", (prefix, expected) => {
    expect(of(prefix).map(({ letter, role }) => `${letter} ${role}`)).toEqual(expected);
  });

  it("are read from the symbols before a nick, and the highest counts", () => {
    const ranks = of("(qaohv)~&@%+");
    expect(lettersOf("@+", ranks)).toBe("ov");
    expect(roleOf("vo", ranks)).toBe("moderator");
    expect(roleOf("", ranks)).toBe("none");
  });

  it("are given and taken so that somebody has the rank afterwards, or the next lower one, and nothing is asked for twice", () => {
    const prefixes = fc.constantFrom("(ov)@+", "(qaohv)~&@%+", "(Yqaohv)!~&@%+", "(uohv).@%+", "(o)@");
    fc.assert(
      fc.property(prefixes, fc.constantFrom(...roles), fc.subarray(Array.from("qaohv")), (prefix, role, had) => {
        const ranks = of(prefix);
        const letters = had.filter((letter) => ranks.some((rank) => rank.letter === letter)).join("");
        const { give, take } = towards(role, letters, ranks);
        const after =
          Array.from(letters)
            .filter((letter) => !take.includes(letter))
            .join("") + give;
        const at = roles.indexOf(role);
        const reachable = roles.slice(at).find((each) => ranks.some((rank) => rank.role === each)) ?? "none";
        expect(roleOf(after, ranks)).toBe(reachable);
        expect(towards(role, after, ranks)).toEqual({ give: "", take: "" });
        // Nobody is made more than an owner: what a server has above is not Matrix's to give.
        expect(give).not.toBe("Y");
      }),
      { seed: 21, numRuns: 500 },
    );
  });
});

describe("a mask", () => {
  it.each([
    ["*!*@*", "a!b@c", true],
    ["a?c!*@*.example", "abc!x@y.example", true],
    ["a?c!*@*", "ac!x@y", false],
    ["**a*b**", "xaxbx", true],
    ["", "", true],
    ["?", "", false],
    ["abc", "abcd", false],
  ])("%p and %p: %p", (mask, text, expected) => {
    expect(matchesMask(mask, text)).toBe(expected);
  });

  it("matches what a regular expression of it matches", () => {
    const character = fc.constantFrom("a", "b", "*", "?");
    fc.assert(
      fc.property(
        fc.array(character, { maxLength: 8 }),
        fc.array(fc.constantFrom("a", "b"), { maxLength: 8 }),
        (m, t) => {
          const expression = new RegExp(`^${m.join("").replaceAll("*", ".*").replaceAll("?", ".")}$`);
          expect(matchesMask(m.join(""), t.join(""))).toBe(expression.test(t.join("")));
        },
      ),
      { seed: 22, numRuns: 2_000 },
    );
  });

  it("made to take long does not", () => {
    expect(matchesMask(`${"*a".repeat(200)}b`, "a".repeat(2_000))).toBe(false);
  });
});
