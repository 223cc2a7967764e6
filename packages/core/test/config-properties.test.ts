import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ConfigError, parseConfig } from "../dist/config/index.js";
import { formatDuration, parseDuration } from "../dist/config/duration.js";

const settings = { seed: 20260722, numRuns: 300 };

const known = {
  homeserver: ["url", "name", "requestTimeout", "connections"],
  media: ["publicUrl", "expire", "maxBytes"],
  delivery: ["maxAgeToNetwork", "handlerTimeout", "attempts", "concurrency", "highWater", "remember", "stopTimeout"],
} as const;
const keys = Object.entries(known).flatMap(([section, names]) => names.map((name) => ({ section, name })));

/** One slip of a finger: a letter left out, doubled, swapped with its neighbour, or replaced. */
const slip = fc.record({
  key: fc.constantFrom(...keys),
  at: fc.nat(),
  kind: fc.constantFrom("drop", "double", "swap", "replace"),
});

function misspell(name: string, position: number, kind: string): string {
  const at = position % name.length;
  const [before, letter, after] = [name.slice(0, at), name[at] ?? "", name.slice(at + 1)];
  switch (kind) {
    case "drop":
      return before + after;
    case "double":
      return before + letter + letter + after;
    case "swap":
      return before + (after[0] ?? "") + letter + after.slice(1);
    default:
      return `${before}q${after}`;
  }
}

describe("misspelt keys", () => {
  it("are recognised after one slip, whatever the key", () => {
    fc.assert(
      fc.property(slip, ({ key, at, kind }) => {
        const typed = misspell(key.name, at, kind);
        fc.pre(
          typed !== key.name &&
            /^[A-Za-z]{2,}$/.test(typed) &&
            !(known[key.section as keyof typeof known] as readonly string[]).includes(typed),
        );
        const text = JSON.stringify({ [key.section]: { [typed]: 1 } });
        try {
          parseConfig(text, "trestle.yaml", { environment: {} });
          throw new Error("accepted");
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          const problem = error.problems.find((each) => each.path.at(-1) === typed);
          expect(problem?.message).toBe(`there is no such key; did you mean ${key.name}?`);
        }
      }),
      settings,
    );
  });
});

describe("whatever the file holds", () => {
  const check = (text: string): void => {
    try {
      parseConfig(text, "trestle.yaml", { environment: { A: "1" } });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
      for (const problem of error.problems) {
        expect(problem.message).not.toBe("");
        if (problem.line !== undefined) expect(problem.line).toBeLessThanOrEqual(text.split("\n").length);
      }
    }
  };

  it("any text ends in a configuration or in problems", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, unit: "binary" }), check), settings);
  });

  it("any JSON value does, also at known keys", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const section = fc.dictionary(
      fc.constantFrom("url", "name", "port", "host", "connector", "network", "__proto__", "x_FILE", "${A}"),
      value,
    );
    const document = fc.dictionary(
      fc.constantFrom("homeserver", "listen", "bridges", "permissions", "log", "delivery", "constructor"),
      fc.oneof(value, section, fc.array(section)),
    );
    fc.assert(
      fc.property(document, (each) => check(JSON.stringify(each, null, 1))),
      settings,
    );
  });
});

describe("durations", () => {
  it("are read back as they are written", () => {
    fc.assert(
      fc.property(fc.nat(2_000_000_000), (milliseconds) => {
        const text = formatDuration(milliseconds);
        expect(parseDuration(/^\d+$/.test(text) ? Number(text) : text)).toBe(milliseconds);
      }),
      settings,
    );
    expect([0, 1, 500, 1000, 90_000, 60_000, 86_400_000].map(formatDuration)).toEqual([
      "0",
      "1ms",
      "500ms",
      "1s",
      "90s",
      "1m",
      "1d",
    ]);
  });
});
