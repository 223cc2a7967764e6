import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { load } from "js-yaml";
import { formatLine, parseLine, parseSource } from "../dist/irc/line.js";
import { foldName, matchesMask } from "../dist/irc/names.js";

const vectors = fileURLToPath(new URL("../../../../shared/data/irc-parser-tests/tests/", import.meta.url));

interface Atoms {
  tags?: Record<string, string>;
  source?: string;
  verb: string;
  params?: string[];
}

/** The vectors of a file; none, with a line that says so, where they are not beside the project. */
function readVectors<T>(name: string): T[] {
  const path = `${vectors}${name}.yaml`;
  if (!existsSync(path)) {
    process.stdout.write(`skipped: ${name} of irc-parser-tests is not in ../shared/data\n`);
    return [];
  }
  return (load(readFileSync(path, "utf8")) as { tests: T[] }).tests;
}

describe("irc-parser-tests", () => {
  it("takes every line of msg-split apart as expected", () => {
    for (const { input, atoms } of readVectors<{ input: string; atoms: Atoms }>("msg-split")) {
      const line = parseLine(input);
      expect({
        input,
        tags: Object.fromEntries(line?.tags ?? []),
        source: line?.source,
        verb: line?.command,
        params: line?.params,
      }).toEqual({ input, tags: atoms.tags ?? {}, source: atoms.source, verb: atoms.verb, params: atoms.params ?? [] });
    }
  });

  it("puts every line of msg-join together as allowed", () => {
    for (const { desc, atoms, matches } of readVectors<{ desc: string; atoms: Atoms; matches: string[] }>("msg-join")) {
      const parts = {
        source: atoms.source,
        command: atoms.verb,
        params: atoms.params ?? [],
        tags: new Map(Object.entries(atoms.tags ?? {})),
      };
      for (const trailing of [false, true]) {
        expect({
          desc,
          allowed: matches.includes(formatLine({ ...parts, trailing })) ? matches : formatLine({ ...parts, trailing }),
        }).toEqual({ desc, allowed: matches });
      }
    }
  });

  it("takes sources apart", () => {
    for (const { source, atoms } of readVectors<{
      source: string;
      atoms: Partial<Record<"nick" | "user" | "host", string>>;
    }>("userhost-split")) {
      expect({ source, ...parseSource(source) }).toEqual({ source, nick: "", user: "", host: "", ...atoms });
    }
  });

  it("matches masks", () => {
    for (const { mask, matches, fails } of readVectors<{ mask: string; matches?: string[]; fails?: string[] }>(
      "mask-match",
    )) {
      for (const text of matches ?? [])
        expect({ mask, text, is: matchesMask(mask, text) }).toEqual({ mask, text, is: true });
      for (const text of fails ?? [])
        expect({ mask, text, is: matchesMask(mask, text) }).toEqual({ mask, text, is: false });
    }
  });
});

describe("lines", () => {
  const word = fc
    .string({ unit: "binary", minLength: 1 })
    .filter((text) => !/[\0\r\n ]/.test(text) && !text.startsWith(":"));
  const text = fc.string({ unit: "binary" }).filter((value) => !/[\0\r\n]/.test(value));
  const tags = fc.dictionary(
    fc.stringMatching(/^\+?[a-z][a-z0-9/.-]{0,20}$/),
    fc.string({ unit: "binary" }).filter((value) => !value.includes("\0")),
  );

  it("reads back what it writes, whatever the texts hold", () => {
    fc.assert(
      fc.property(
        tags,
        fc.option(word, { nil: undefined }),
        fc.stringMatching(/^[A-Z]{1,9}$/),
        fc.array(word, { maxLength: 5 }),
        fc.option(text, { nil: undefined }),
        (dictionary, source, command, words, last) => {
          const params = last === undefined ? words : [...words, last];
          const written = new Map(Object.entries(dictionary));
          const line = parseLine(formatLine({ tags: written, source, command, params }));
          expect(line).toEqual({ tags: written, source, command, params });
        },
      ),
      { seed: 20_261, numRuns: 500 },
    );
  });

  it("folds names by the mapping", () => {
    expect(foldName("FOO[]\\~", "rfc1459")).toBe("foo{}|^");
    expect(foldName("FOO[]\\~", "ascii")).toBe("foo[]\\~");
  });
});
