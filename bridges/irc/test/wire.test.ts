import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { load } from "js-yaml";
import { z } from "zod";
import { fold } from "../dist/wire/casemapping.js";
import { LineDecoder } from "../dist/wire/encoding.js";
import { Isupport } from "../dist/wire/isupport.js";
import { accountTagOf, formatMessage, msgidOf, parseMessage } from "../dist/wire/message.js";
import { reactionOf, reactionTags } from "../dist/wire/reaction.js";
import { isChannelName, isNick, oneLine } from "../dist/wire/sanitise.js";
import { parseSource } from "../dist/wire/source.js";

const vectors = join(fileURLToPath(new URL("../../../../shared/data/irc-parser-tests/tests", import.meta.url)));
const hasVectors = existsSync(vectors);
if (!hasVectors)
  process.stdout.write("skipped: the IRC parser vectors, for ../shared/data/irc-parser-tests is absent\n");
const withVectors = hasVectors ? describe : describe.skip;

function read<T extends z.ZodType>(name: string, test: T): z.output<T>[] {
  if (!hasVectors) return [];
  return z.object({ tests: z.array(test) }).parse(load(readFileSync(join(vectors, name), "utf8"))).tests;
}

const atoms = z.object({
  tags: z.record(z.string(), z.string()).nullish(),
  source: z.string().nullish(),
  verb: z.string(),
  params: z.array(z.string()).nullish(),
});

withVectors("the parser vectors of ircdocs", () => {
  it("are all read", () => {
    const tests = read("msg-split.yaml", z.object({ input: z.string(), atoms }));
    expect(tests.length).toBeGreaterThan(30);
    for (const { input, atoms: expected } of tests) {
      const message = parseMessage(input);
      expect({
        input,
        tags: Object.fromEntries(message!.tags),
        source: message!.source,
        verb: message!.verb,
        params: message!.params,
      }).toEqual({
        input,
        tags: expected.tags ?? {},
        source: expected.source ?? "",
        verb: expected.verb.toUpperCase(),
        params: expected.params ?? [],
      });
    }
  });

  it("are all written", () => {
    const tests = read("msg-join.yaml", z.object({ desc: z.string(), atoms, matches: z.array(z.string()) }));
    expect(tests.length).toBeGreaterThan(10);
    for (const { atoms: given, matches } of tests) {
      const parts = {
        ...(given.tags ? { tags: given.tags } : {}),
        ...(given.source != null ? { source: given.source } : {}),
      };
      expect(matches).toContain(formatMessage(given.verb, given.params ?? [], parts));
    }
  });

  it("of sources are all read", () => {
    const mask = z.object({ nick: z.string().default(""), user: z.string().default(""), host: z.string().default("") });
    for (const { source, atoms: expected } of read(
      "userhost-split.yaml",
      z.object({ source: z.string(), atoms: mask }),
    )) {
      const { nick, user = "", host = "" } = parseSource(source);
      expect({ nick, user, host }).toEqual(expected);
    }
  });
});

describe("a line", () => {
  it("can never hold what ends a line, whatever it is made of", () => {
    const any = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(
        any,
        fc.array(any, { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("a", "b"), any),
        (verb, params, tags) => {
          let line: string;
          try {
            line = formatMessage(verb, params, { tags });
          } catch (error) {
            // A middle parameter that would be read as something else is refused, not sent.
            expect(error).toBeInstanceOf(RangeError);
            return;
          }

          expect(line).not.toMatch(/[\r\n\0]/);
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("is read back as it was meant", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9#&@_-]{1,12}$/);

    const trailing = fc.string({ unit: "binary" }).map((text) => text.replace(/[\r\n\0]/g, ""));
    fc.assert(
      fc.property(
        word,
        fc.array(word, { maxLength: 5 }),
        trailing,
        fc.dictionary(word, trailing),
        (verb, middle, last, tags) => {
          const message = parseMessage(formatMessage(verb, [...middle, last], { tags, source: "n!u@h" }));
          expect(message).toEqual({
            tags: new Map(Object.entries(tags)),
            source: "n!u@h",
            verb: verb.toUpperCase(),
            params: [...middle, last],
          });
        },
      ),
      { seed: 2, numRuns: 500 },
    );
  });

  it("is read as UTF-8, else in the fallback encoding", () => {
    const decoder = new LineDecoder("windows-1252");
    expect(decoder.decode(Buffer.from("grüße"))).toBe("grüße");
    expect(decoder.decode(Buffer.from("gr\xfc\xdfe \x80", "latin1"))).toBe("grüße €");
  });
});

describe("what the server says of a message", () => {
  const line = (tags: string) => parseMessage(`@${tags} :carol!c@h PRIVMSG #c :hello`)!;

  it("has a name only where it is one that can be kept", () => {
    expect(msgidOf(line("msgid=abc"))).toBe("abc");
    expect(["msgid", "msgid=", "time=1", `msgid=${"x".repeat(5_000)}`].map((tags) => msgidOf(line(tags)))).toEqual(
      Array(4).fill(undefined),
    );
  });

  it("names an account only where there is one", () => {
    expect([
      accountTagOf(line("account=carol")),
      accountTagOf(line("account=")),
      accountTagOf(line("account")),
    ]).toEqual(["carol", undefined, undefined]);
  });
});

describe("a reaction", () => {
  it("is read back from its tags, whatever it is", () => {
    const any = fc.string({ unit: "grapheme", minLength: 1 }).map((text) => text.replaceAll("\0", "x"));
    fc.assert(
      fc.property(fc.constantFrom("react" as const, "unreact" as const), any, any, (change, target, key) => {
        const reaction = { change, target, key };
        const { tags } = parseMessage(formatMessage("TAGMSG", ["#c"], { tags: reactionTags(reaction) }))!;
        expect(reactionOf(tags)).toEqual(reaction);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it("is none where it points nowhere, or is added and taken back at once", () => {
    const of = (tags: string) => reactionOf(parseMessage(`@${tags} TAGMSG #c`)!.tags);
    expect(of("+reply=1;+react=x")).toEqual({ change: "react", target: "1", key: "x" });
    for (const tags of [
      "+draft/react=x",
      "+draft/reply=1",
      "+draft/reply=1;+draft/react",
      "+draft/reply=1;+draft/react=x;+draft/unreact=x",
      "draft/reply=1;draft/react=x",
    ])
      expect(of(tags)).toBeUndefined();
  });
});

describe("names", () => {
  it("are folded as the server says", () => {
    expect(fold("Nick[]\\^A", "rfc1459")).toBe("nick{}|~a");
    expect(fold("Nick[]\\^A", "rfc1459-strict")).toBe("nick{}|^a");
    expect(fold("Nick[]\\^Ä", "ascii")).toBe("nick[]\\^Ä");
  });

  it("of channels and nicks are checked", () => {
    expect(["#a", "&b", "#a:b", "#ä"].every((name) => isChannelName(name, "#&"))).toBe(true);
    expect(["a", "#", "#a b", "#a,b", "#a\r\n", "#a\x07", "!a", ""].some((name) => isChannelName(name, "#&"))).toBe(
      false,
    );
    expect(["alice", "a[m]", "Ünïcode", "a/b"].every(isNick)).toBe(true);
    expect(["", "#a", ":a", "a b", "a\nb", "a,b", "a!b", "$x"].some(isNick)).toBe(false);
  });

  it("in free text are made one line", () => {
    expect(oneLine(" a\r\nQUIT :b\0 ", 100)).toBe("a QUIT :b");
    expect(oneLine("lone \ud800 surrogate", 100)).toBe("lone \ufffd surrogate");
  });
});

describe("what a server says about itself", () => {
  it("is taken from 005, with the protocol's defaults for the rest", () => {
    const isupport = new Isupport();
    expect(isupport.caseMapping).toBe("rfc1459");
    isupport.take([
      "me",
      "CASEMAPPING=ascii",
      "NICKLEN=16",
      "PREFIX=(qov)~@+",
      "LINELEN=1024",
      "CHANTYPES=#+",
      "NETWORK=My\\x20Net",
      "are supported by this server",
    ]);
    expect([
      isupport.caseMapping,
      isupport.nickLength,
      isupport.prefixSymbols,
      isupport.lineLength,
      isupport.channelPrefixes,
      isupport.network,
    ]).toEqual(["ascii", 16, "~@+", 1024, "#+", "My Net"]);
    expect(isupport.get("ARE SUPPORTED BY THIS SERVER")).toBeUndefined();
    isupport.take(["me", "-NICKLEN", "LINELEN=nonsense", "are supported"]);
    expect([isupport.nickLength, isupport.lineLength]).toEqual([30, 512]);
    expect(isupport.denies("draft/react")).toBe(false);
    isupport.take(["me", "CLIENTTAGDENY=*,-draft/reply", "are supported"]);
    expect(["draft/react", "draft/reply"].map((tag) => isupport.denies(tag))).toEqual([true, false]);
    isupport.take(["me", "CLIENTTAGDENY=typing,draft/reply", "are supported"]);
    expect(["draft/react", "draft/reply"].map((tag) => isupport.denies(tag))).toEqual([false, true]);
  });
});
