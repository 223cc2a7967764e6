import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { NickMaker } from "../dist/network/nicks/nick-maker.js";
import { transliterate } from "../dist/network/nicks/transliteration.js";
import { isNick } from "../dist/wire/sanitise.js";

const maker = (name: string, length = 30, template = "{name}[m]") =>
  new NickMaker(template, "@alice:example.org", name, () => length);

function all(nicks: NickMaker, invalid: (attempt: number) => boolean): string[] {
  const made = [nicks.first()];
  for (let attempt = 0; ; attempt++) {
    const next = nicks.next(invalid(attempt));
    if (next === undefined) return made;
    made.push(next);
  }
}

describe("a puppet's nick", () => {
  it("is always one that servers take, whatever the name, the template and the refusals", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary" }),
        fc.integer({ min: 9, max: 64 }),
        fc.constantFrom("{name}[m]", "{name}", "mx-{name}", "{name} (matrix)"),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        (name, user, length, template, invalid) => {
          const nicks = all(new NickMaker(template, user, name, () => length), (attempt) => invalid[attempt] ?? false);
          expect(nicks.length).toBeLessThanOrEqual(14);
          for (const nick of nicks) {
            expect(nick).toMatch(/^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]*$/);
            expect(isNick(nick)).toBe(true);
            expect(nick.length).toBeLessThanOrEqual(length);
          }
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });

  it("differs after every refusal", () => {
    const nicks = all(maker("Alice", 16), () => false);
    expect(nicks.slice(0, 5)).toEqual(["Alice[m]", "Alice2[m]", "Alice3[m]", "Alice4[m]", "Alice5[m]"]);
    expect(new Set(nicks).size).toBe(nicks.length);
  });

  it("gives up the template where the server finds it invalid", () => {
    expect(maker("Alice").next(true)).toBe("Alice");
  });

  it("is cut where it is too long, and keeps its template", () => {
    expect(maker("a".repeat(50), 12).first()).toBe("aaaaaaaaa[m]");
  });

  it("is written in ASCII", () => {
    expect(["Ærøskøbing", "Łódź", "Straße", "Пётр Чайковский", "Ελλάδα", "naïve"].map(transliterate)).toEqual([
      "Aeroskobing",
      "Lodz",
      "Strasse",
      "Pyotr Chaykovskiy",
      "Ellada",
      "naive",
    ]);
  });
});
