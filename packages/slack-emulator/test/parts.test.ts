import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Clock } from "@trestle/slack-emulator";
import { richTextOf } from "../dist/actions/rich-text.js";
import { firstFile } from "../dist/http/multipart.js";
import { formatTs, parseTs, Timestamps } from "../dist/state/timestamps.js";
import { deviations, type Json } from "./support/shape.js";

const runs = { seed: 20261122, numRuns: 200 };

describe("the clock", () => {
  it("runs what falls due in its order when time is advanced, and nothing else", () => {
    const clock = new Clock("frozen");
    const ran: number[] = [];
    for (const delay of [300, 100, 200, 500]) clock.after(delay, () => ran.push(delay));
    clock.after(150, () => ran.push(150)).cancel();
    const before = clock.now();
    clock.advance(300);
    expect([ran, clock.now() - before]).toEqual([[100, 200, 300], 300]);
    clock.close();
    clock.advance(1000);
    expect(ran).toHaveLength(3);
  });

  it("gives what begins while time is advanced all its time", () => {
    const clock = new Clock("frozen");
    const ran: string[] = [];
    clock.after(100, () => {
      ran.push("first");
      clock.after(100, () => ran.push("second"));
    });
    clock.advance(1000);
    expect(ran).toEqual(["first"]);
    clock.advance(100);
    expect(ran).toEqual(["first", "second"]);
    clock.close();
  });

  it("runs what is due at once in a later turn, even while it stands still", async () => {
    const clock = new Clock("frozen");
    let now = true;
    const ran = new Promise<boolean>((resolve) => clock.after(0, () => resolve(now)));
    now = false;
    expect(await ran).toBe(false);
    clock.close();
  });
});

describe("timestamps", () => {
  it("rise, whatever the clock does, and are read back as they were", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }), { minLength: 2 }),
        (times) => {
          const timestamps = new Timestamps();
          const made = times.map((time) => timestamps.next(time));
          expect([...made].sort()).toEqual(made);
          expect(new Set(made).size).toBe(made.length);
          expect(made.map((ts) => formatTs(parseTs(ts) ?? 0))).toEqual(made);
        },
      ),
      runs,
    );
  });
});

describe("rich text", () => {
  it.each([
    ["plain &amp; &lt;simple&gt;", [{ type: "text", text: "plain & <simple>" }]],
    [
      "*bold* and _italic_ and ~gone~",
      [
        { type: "text", text: "bold", style: { bold: true } },
        { type: "text", text: " and " },
        { type: "text", text: "italic", style: { italic: true } },
        { type: "text", text: " and " },
        { type: "text", text: "gone", style: { strike: true } },
      ],
    ],
    ["*_both_*", [{ type: "text", text: "both", style: { bold: true, italic: true } }]],
    ["a*b*c snake_case_name 2*3*4", [{ type: "text", text: "a*b*c snake_case_name 2*3*4" }]],
    [
      "at 10:30:45 :tada:",
      [
        { type: "text", text: "at 10:30:45 " },
        { type: "emoji", name: "tada" },
      ],
    ],
    [":+1::skin-tone-3:", [{ type: "emoji", name: "+1", skin_tone: 3 }]],
    [
      "<!here> <#C123|general> <!subteam^S123> <https://a.example/?a=1&amp;b=2|a &amp; b>",
      [
        { type: "broadcast", range: "here" },
        { type: "text", text: " " },
        { type: "channel", channel_id: "C123" },
        { type: "text", text: " " },
        { type: "usergroup", usergroup_id: "S123" },
        { type: "text", text: " " },
        { type: "link", url: "https://a.example/?a=1&b=2", text: "a & b" },
      ],
    ],
  ])("of %s", (text, elements) => {
    expect(richTextOf(text).elements).toEqual([{ type: "rich_text_section", elements }]);
  });

  it("keeps code, quotes and fences apart", () => {
    expect(richTextOf("see `a*b*`\n&gt; quoted\nafter ```x\n<y>``` end").elements).toMatchObject([
      { type: "rich_text_section", elements: [{ text: "see " }, { text: "a*b*", style: { code: true } }] },
      { type: "rich_text_quote", elements: [{ text: "quoted" }] },
      { type: "rich_text_section" },
      { type: "rich_text_preformatted", elements: [{ text: "x\n<y>" }] },
      { type: "rich_text_section", elements: [{ text: " end" }] },
    ]);
  });

  it("loses no word of what has no marks", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", "b", "c", "d", "e", " ", ".", ",", ";", "ä", "ö", "漢", "字", "👍"),
      minLength: 1,
    });
    fc.assert(
      fc.property(word, (text) => {
        const [section] = richTextOf(text).elements as { elements: { text: string }[] }[];
        expect(section?.elements.map((element) => element.text).join("")).toBe(text);
      }),
      runs,
    );
  });
});

describe("multipart bodies", () => {
  const encode = async (form: FormData) => {
    const request = new Request("http://localhost/", { method: "POST", body: form });
    return [Buffer.from(await request.arrayBuffer()), request.headers.get("content-type") ?? ""] as const;
  };

  it("give back the bytes of the first file, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const form = new FormData();
        form.append("token", "no file");
        form.append("body", new Blob([new Uint8Array(bytes)]), "Untitled");
        expect(firstFile(...(await encode(form)))).toEqual(Buffer.from(bytes));
      }),
      { ...runs, numRuns: 50 },
    );
  });

  it("without a file give nothing", async () => {
    const form = new FormData();
    form.append("a", "b");
    expect(firstFile(...(await encode(form)))).toBeUndefined();
    expect(firstFile(Buffer.from("x"), "multipart/form-data")).toBeUndefined();
  });
});

describe("the comparison with samples", () => {
  it.each<[Json, Json, string[]]>([
    [{ a: 1 }, { a: 2, b: "x" }, []],
    [{ a: "1" }, { a: 2 }, ["$.a: string instead of number"]],
    [{ c: 1 }, { a: 2 }, ["$.c: not in the sample"]],
    [
      { a: [{ type: "x", n: 1 }] },
      {
        a: [
          { type: "x", n: "1" },
          { type: "y", n: 1 },
        ],
      },
      ["$.a[].n: number instead of string"],
    ],
    [{ a: [{ type: "z" }] }, { a: [{ type: "x" }] }, ["$.a[]: nothing of the type z in the sample"]],
    [{ a: null }, { a: {} }, ["$.a: null instead of object"]],
    [{ emoji: { mine: "u" } }, { emoji: { theirs: "v" } }, []],
    [{ emoji: { mine: 1 } }, { emoji: { theirs: "v" } }, ["$.emoji.*: number instead of string"]],
  ])("of %j with %j", (value, sample, expected) => {
    expect(deviations(value, sample)).toEqual(expected);
  });
});
