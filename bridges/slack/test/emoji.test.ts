import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { z } from "zod";
import {
  customEmojiOf,
  emojiOfHex,
  emojiOfName,
  hexOfEmoji,
  nameOfEmoji,
  reactionKeyOf,
  reactionNameOf,
  standardNames,
} from "../dist/emoji/index.js";

const seed = 20261122;

interface Preset {
  readonly names: ReadonlyMap<string, string>;
  readonly skins: readonly { readonly base: string; readonly text: string; readonly tones: readonly number[] }[];
}

const emojiData = z.array(
  z.object({
    hexcode: z.string(),
    emoji: z.string(),
    skins: z.array(z.object({ emoji: z.string(), tone: z.union([z.number(), z.array(z.number())]) })).optional(),
  }),
);

/** What emojibase-data says, where it is installed. */
function preset(): Preset | undefined {
  const find = createRequire(import.meta.url);
  const load = (file: string): unknown => JSON.parse(readFileSync(find.resolve(`emojibase-data/en/${file}`), "utf8"));
  try {
    find.resolve("emojibase-data/en/data.json");
  } catch {
    process.stdout.write("skipped: the emoji table against emojibase-data, which is not installed\n");
    return undefined;
  }
  const codes = z.record(z.string(), z.union([z.string(), z.array(z.string())])).parse(load("shortcodes/iamcal.json"));
  const data = new Map(emojiData.parse(load("data.json")).map((emoji) => [emoji.hexcode, emoji]));
  const names = new Map<string, string>();
  const skins: Preset["skins"][number][] = [];
  for (const [hexcode, given] of Object.entries(codes)) {
    const emoji = data.get(hexcode)!;
    const all = [given].flat();
    for (const name of all) names.set(name, emoji.emoji);
    for (const skin of emoji.skins ?? []) skins.push({ base: all[0]!, text: skin.emoji, tones: [skin.tone].flat() });
  }
  return { names, skins };
}

const installed = preset();
const withPreset = installed === undefined ? describe.skip : describe;

withPreset("the emoji table and emojibase-data", () => {
  it("have the same 1,972 names for the same emoji", () => {
    const own = new Map(standardNames().map((name) => [name, emojiOfName(name)]));
    expect(own.size).toBe(1_972);
    expect([...own].sort()).toEqual([...installed!.names].sort());
  });

  it("have the same skin tones, of one person and of two", () => {
    expect(installed!.skins.length).toBeGreaterThan(1_500);
    for (const { base, text, tones } of installed!.skins) {
      const name = `${base}::skin-tone-${tones.map((tone) => tone + 1).join("-")}`;
      expect([name, emojiOfName(name)]).toEqual([name, text]);
      expect([text, nameOfEmoji(text)]).toEqual([text, name]);
    }
  });

  it("find each emoji again, with its variation selectors and without", () => {
    for (const [name, text] of installed!.names) {
      const found = nameOfEmoji(text);
      expect([name, emojiOfName(found!)]).toEqual([name, text]);
      expect([name, nameOfEmoji(text.replaceAll("\ufe0f", ""))]).toEqual([name, found]);
      expect([name, emojiOfHex(hexOfEmoji(text))]).toEqual([name, text]);
    }
  });
});

describe("Slack's names of emoji", () => {
  it.each([
    ["+1", "👍️"],
    ["thumbsup", "👍️"],
    ["heart", "❤️"],
    ["+1::skin-tone-3", "👍🏼"],
    ["v::skin-tone-6", "✌🏿"],
    ["female-pilot::skin-tone-2", "👩🏻‍✈️"],
    ["handshake::skin-tone-4", "🤝🏽"],
    ["handshake::skin-tone-2-5", "🫱🏻‍🫲🏾"],
    ["people_holding_hands::skin-tone-3", "🧑🏼‍🤝‍🧑🏼"],
    ["heart::skin-tone-3", "❤️"],
    ["skin-tone-4", "🏽"],
  ])("%s is %s", (name, emoji) => {
    expect(emojiOfName(name)).toBe(emoji);
  });

  it("has none for what is no name, and leaves a senseless tone out", () => {
    for (const name of ["", "nonsense", "constructor", "__proto__", "toString"]) {
      expect([name, emojiOfName(name)]).toEqual([name, undefined]);
    }
    expect(emojiOfName("+1::skin-tone-9")).toBe("👍️");
  });

  it("are found for exactly one emoji and nothing else", () => {
    for (const text of ["", "a", "👍👍", "👍 ", "1", "🏽👍", "\ufe0f"]) {
      expect([text, nameOfEmoji(text)]).toEqual([text, undefined]);
    }
  });

  it("bear any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const name = nameOfEmoji(text);
        if (name !== undefined) expect(emojiOfName(name)).toBeDefined();
        expect([typeof emojiOfName(text), typeof emojiOfHex(text)]).not.toContain("object");
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe("a workspace's own emoji", () => {
  const list = new Map([
    ["parrot", "https://emoji.example.org/parrot.gif"],
    ["bird", "alias:parrot"],
    ["fowl", "alias:bird"],
    ["yes", "alias:white_check_mark"],
    ["left", "alias:right"],
    ["right", "alias:left"],
    ["self", "alias:self"],
    ["bad", "javascript:alert(1)"],
    ["empty", "alias:"],
  ]);

  it("follows aliases of aliases to a picture or one of Slack's own", () => {
    const parrot = { kind: "image", url: "https://emoji.example.org/parrot.gif" };
    expect(customEmojiOf(list, "parrot")).toEqual(parrot);
    expect(customEmojiOf(list, "bird")).toEqual(parrot);
    expect(customEmojiOf(list, "fowl")).toEqual(parrot);
    expect(customEmojiOf(list, "yes")).toEqual({ kind: "alias", of: "white_check_mark" });
  });

  it("ends where aliases go in circles, and takes only pictures", () => {
    for (const name of ["left", "self", "bad", "empty", "absent"]) {
      expect([name, customEmojiOf(list, name)]).toEqual([name, undefined]);
    }
  });
});

describe("reactions", () => {
  it("have the emoji as their key in Matrix, as the specification spells it", () => {
    expect(reactionKeyOf("+1")).toBe("👍️");
    expect(reactionKeyOf("+1::skin-tone-3")).toBe("👍🏼");
    expect(reactionKeyOf("heart")).toBe("❤️");
    expect(reactionKeyOf("partyparrot")).toBe(":partyparrot:");
  });

  it("have the same name for an emoji with and without variation selectors", () => {
    expect(reactionNameOf("👍")).toBe("+1");
    expect(reactionNameOf("👍️")).toBe("+1");
    expect(reactionNameOf("👍🏼")).toBe("+1::skin-tone-3");
    expect(reactionNameOf("❤")).toBe("heart");
    expect(reactionNameOf("❤️")).toBe("heart");
  });

  it("take names that the workspace knows, and no text", () => {
    const isCustom = (name: string): boolean => name === "partyparrot";
    expect(reactionNameOf(":partyparrot:", isCustom)).toBe("partyparrot");
    expect(reactionNameOf(":partyparrot:")).toBeUndefined();
    expect(reactionNameOf(":+1:")).toBe("+1");
    expect(reactionNameOf("yes", isCustom)).toBeUndefined();
    expect(reactionNameOf("mxc://example.org/abc", isCustom)).toBeUndefined();
    expect(reactionNameOf("+1", isCustom)).toBeUndefined();
  });

  it("come back as they went", () => {
    fc.assert(
      fc.property(fc.constantFrom(...standardNames()), fc.integer({ min: 1, max: 6 }), (name, tone) => {
        const given = tone === 1 ? name : `${name}::skin-tone-${tone}`;
        const key = reactionKeyOf(given);
        expect(reactionKeyOf(reactionNameOf(key)!)).toBe(key);
      }),
      { seed, numRuns: 2_000 },
    );
  });
});
