import { describe, expect, it } from "@jest/globals";
import { parseMatrixHtml, richTextOf, toPlainText, type RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { ContentUri, EventId, UserId, type Content, type MediaContent } from "@trestle/core";
import {
  contentOf,
  jsonBytes,
  largestContent,
  matrixContentOf,
  splitForMatrix,
  type MatrixContentOptions,
} from "../../dist/bridge/content/index.js";
import { anyTree } from "../../../rich-text/test/arbitrary-tree.js";

const seed = 20260417;
const text = (body: RichText | string): Content => ({
  type: "text",
  style: "text",
  body: typeof body === "string" ? richTextOf(body) : body,
});
const image: MediaContent = {
  type: "media",
  kind: "image",
  name: "cat.png",
  source: { from: "matrix", uri: ContentUri("mxc://example.org/abc") },
};
const mention = (userId: string): RichText => ({
  blocks: [{ type: "paragraph", children: [{ type: "mention", target: { kind: "matrixUser", userId }, text: "ann" }] }],
});

describe("texts", () => {
  it("writes plain text without HTML, and formatted text with both", () => {
    expect(matrixContentOf(text("two  spaces"))).toEqual({
      type: "m.room.message",
      content: { msgtype: "m.text", body: "two  spaces", "m.mentions": {} },
    });
    expect(
      matrixContentOf({ type: "text", style: "emote", body: parseMatrixHtml("waves <b>&amp;</b>") }).content,
    ).toEqual({
      msgtype: "m.emote",
      body: "waves **&**",
      format: "org.matrix.custom.html",
      formatted_body: "waves <strong>&amp;</strong>",
      "m.mentions": {},
    });
    expect(matrixContentOf({ type: "text", style: "notice", body: richTextOf("x") }).content).toMatchObject({
      msgtype: "m.notice",
    });
  });
});

describe("m.mentions", () => {
  const notified = (content: Content, options: MatrixContentOptions = {}): unknown =>
    matrixContentOf(content, options).content["m.mentions"];

  it("names those whom the text mentions, once, and who is replied to", () => {
    const twice: RichText = { blocks: [...mention("@ann:example.org").blocks, ...mention("@ann:example.org").blocks] };
    expect(notified(text(twice))).toEqual({ user_ids: ["@ann:example.org"] });
    expect(notified(text("x"), { replyTo: { event: EventId("$a"), sender: UserId("@bob:example.org") } })).toEqual({
      user_ids: ["@bob:example.org"],
    });
    expect(notified(text(mention("no user id")))).toEqual({});
    expect(notified({ ...image, caption: mention("@ann:example.org") })).toEqual({ user_ids: ["@ann:example.org"] });
  });

  it("notifies everyone only where the caller allows it", () => {
    const everyone: RichText = {
      blocks: [{ type: "paragraph", children: [{ type: "mention", target: { kind: "everyone" }, text: "@room" }] }],
    };
    expect(notified(text(everyone))).toEqual({});
    expect(notified(text(everyone), { everyone: true })).toEqual({ room: true });
    expect(notified(text("@room"), { everyone: true })).toEqual({});
  });

  it("translates the mentions of a network", () => {
    const remote: RichText = {
      blocks: [
        { type: "paragraph", children: [{ type: "mention", target: { kind: "remoteUser", id: "U1" }, text: "ann" }] },
      ],
    };
    expect(matrixContentOf(text(remote)).content).toMatchObject({ body: "ann", "m.mentions": {} });
    const draft = matrixContentOf(text(remote), {
      mention: (found) => ({ ...found, target: { kind: "matrixUser", userId: "@irc_ann:example.org" } }),
    });
    expect(draft.content).toMatchObject({
      formatted_body: '<a href="https://matrix.to/#/@irc_ann:example.org">ann</a>',
      "m.mentions": { user_ids: ["@irc_ann:example.org"] },
    });
  });
});

describe("relations", () => {
  const relates = (options: MatrixContentOptions): unknown =>
    matrixContentOf(text("x"), options).content["m.relates_to"];
  const [root, latest, event] = [EventId("$root"), EventId("$latest"), EventId("$asked")];

  it("writes replies without any quotation", () => {
    expect(relates({ replyTo: { event } })).toEqual({ "m.in_reply_to": { event_id: "$asked" } });
    expect(matrixContentOf(text("x"), { replyTo: { event } }).content.body).toBe("x");
    expect(relates({})).toBeUndefined();
  });

  it("writes threads with what clients without threads show", () => {
    const thread = { rel_type: "m.thread", event_id: "$root" };
    expect(relates({ thread: { root } })).toEqual({
      ...thread,
      is_falling_back: true,
      "m.in_reply_to": { event_id: "$root" },
    });
    expect(relates({ thread: { root, latest } })).toEqual({
      ...thread,
      is_falling_back: true,
      "m.in_reply_to": { event_id: "$latest" },
    });
    expect(relates({ thread: { root, latest }, replyTo: { event } })).toEqual({
      ...thread,
      is_falling_back: false,
      "m.in_reply_to": { event_id: "$asked" },
    });
  });

  it("writes edits that notify nobody anew", () => {
    const { content } = matrixContentOf(text(mention("@ann:example.org")), {
      edit: EventId("$old"),
      replyTo: { event },
    });
    expect(content).toEqual({
      msgtype: "m.text",
      body: "* ann",
      format: "org.matrix.custom.html",
      formatted_body: '* <a href="https://matrix.to/#/@ann:example.org">ann</a>',
      "m.mentions": {},
      "m.new_content": {
        msgtype: "m.text",
        body: "ann",
        format: "org.matrix.custom.html",
        formatted_body: '<a href="https://matrix.to/#/@ann:example.org">ann</a>',
        "m.mentions": { user_ids: ["@ann:example.org"] },
      },
      "m.relates_to": { rel_type: "m.replace", event_id: "$old" },
    });
    expect(contentOf("m.room.message", content)).toMatchObject({
      kind: "edit",
      target: "$old",
      mentions: { userIds: ["@ann:example.org"] },
    });
  });
});

describe("files and locations", () => {
  it("writes a file with its facts, and a caption beside its name", () => {
    const full: MediaContent = {
      ...image,
      mimeType: "image/png",
      size: 10.4,
      width: 4,
      height: 3,
      caption: parseMatrixHtml("<i>look</i>"),
    };
    expect(matrixContentOf(full).content).toEqual({
      msgtype: "m.image",
      body: "_look_",
      format: "org.matrix.custom.html",
      formatted_body: "<em>look</em>",
      filename: "cat.png",
      url: "mxc://example.org/abc",
      info: { mimetype: "image/png", size: 10, w: 4, h: 3 },
      "m.mentions": {},
    });
    expect(matrixContentOf(image).content).toMatchObject({ body: "cat.png", filename: "cat.png", info: {} });
  });

  it("writes voice messages and stickers as such", () => {
    const voice = matrixContentOf({ ...image, kind: "voice", name: "note.ogg", durationMs: 1500 });
    expect(voice).toMatchObject({
      type: "m.room.message",
      content: { msgtype: "m.audio", "org.matrix.msc3245.voice": {}, "org.matrix.msc1767.audio": { duration: 1500 } },
    });
    expect(matrixContentOf({ ...image, kind: "sticker" })).toEqual({
      type: "m.sticker",
      content: { body: "cat.png", url: "mxc://example.org/abc", info: {}, "m.mentions": {} },
    });
    // There are no edits of stickers.
    expect(matrixContentOf({ ...image, kind: "sticker" }, { edit: EventId("$a") })).toMatchObject({
      type: "m.room.message",
      content: { msgtype: "m.image" },
    });
  });

  it("names a file that was not uploaded", () => {
    const media: MediaContent = {
      ...image,
      source: { from: "url", url: "https://example.org/cat.png" },
      size: 12_345,
      caption: richTextOf("look"),
    };
    expect(matrixContentOf(media).content).toMatchObject({
      msgtype: "m.text",
      body: "cat.png (image, 12 kB): https://example.org/cat.png\n\nlook",
    });
    expect(matrixContentOf({ ...media, source: { from: "remote", reference: "F1" } }).content).toMatchObject({
      body: "cat.png (image, 12 kB)\n\nlook",
    });
    expect(
      matrixContentOf({ ...media, source: { from: "matrix", uri: ContentUri("https://evil") } }).content,
    ).toMatchObject({ msgtype: "m.text" });
  });

  it("writes a location as a string, never as a float", () => {
    expect(matrixContentOf({ type: "location", latitude: 51.5008, longitude: -0.1247 }).content).toEqual({
      msgtype: "m.location",
      body: "Location: 51.5008, -0.1247",
      geo_uri: "geo:51.5008,-0.1247",
      "m.mentions": {},
    });
    expect(matrixContentOf({ type: "location", latitude: 1e-9, longitude: -200 }).content.geo_uri).toBe("geo:0,-180");
    expect(matrixContentOf({ type: "location", latitude: 0.0000014, longitude: Number.NaN }).content.geo_uri).toBe(
      "geo:0.000001,0",
    );
  });
});

describe("the size and the grammar of events", () => {
  /** Every key, number and string of a value. */
  const leaves = (value: unknown): readonly unknown[] =>
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, child]) => [key, ...leaves(child)])
      : [value];
  const label = fc.string({ unit: "binary", maxLength: 300 });
  const number = fc.oneof(fc.double(), fc.integer());
  const anyContent: fc.Arbitrary<Content> = fc.oneof(
    fc.record({
      type: fc.constant("text" as const),
      style: fc.constantFrom("text" as const, "notice" as const, "emote" as const),
      body: anyTree,
    }),
    fc.record(
      {
        type: fc.constant("media" as const),
        kind: fc.constantFrom("image" as const, "voice" as const, "sticker" as const),
        name: label,
        source: fc.constantFrom(image.source, { from: "url" as const, url: "https://example.org/\ud800" }),
        mimeType: label,
        size: number,
        width: number,
        durationMs: number,
        caption: anyTree,
      },
      { requiredKeys: ["type", "kind", "name", "source"] },
    ),
    fc.record(
      { type: fc.constant("location" as const), latitude: number, longitude: number, description: label },
      { requiredKeys: ["type", "latitude", "longitude"] },
    ),
  );
  const anyOptions: fc.Arbitrary<MatrixContentOptions> = fc.constantFrom(
    {},
    { edit: EventId("$e") },
    { replyTo: { event: EventId("$r") }, thread: { root: EventId("$t") } },
  );

  it("writes integers, well-formed strings and no NUL, whatever it is given", () => {
    fc.assert(
      fc.property(anyContent, anyOptions, (content, options) => {
        const draft = matrixContentOf(content, options);
        expect(JSON.parse(JSON.stringify(draft))).toEqual(draft);
        expect(draft.content).toHaveProperty(["m.mentions"]);
        for (const leaf of leaves(draft.content)) {
          if (typeof leaf === "number") expect(Number.isSafeInteger(leaf)).toBe(true);
          if (typeof leaf === "string") expect(leaf).not.toMatch(/[\0\p{Surrogate}]/u);
        }
      }),
      { seed, numRuns: 1_500 },
    );
  });

  const long: readonly (readonly [string, RichText])[] = [
    ["words", richTextOf("word ".repeat(30_000))],
    ["quotation marks", richTextOf('"'.repeat(70_000))],
    ["emoji", richTextOf("👍🏽".repeat(20_000))],
    ["formatting", parseMatrixHtml('<b>a</b><i>"</i>'.repeat(10_000))],
    ["lists", parseMatrixHtml(`<ol>${"<li>item</li>".repeat(9_000)}</ol>`)],
  ];

  it.each(long)("cuts long text into events that fit: %s", (_name, body) => {
    for (const content of [text(body), { ...image, caption: body }]) {
      const parts = splitForMatrix(content);
      expect(parts.length).toBeGreaterThan(1);
      let letters = "";
      for (const [index, part] of parts.entries()) {
        const draft = matrixContentOf(part, { thread: { root: EventId(`$${"r".repeat(254)}`) } });
        expect(jsonBytes(draft.content)).toBeLessThanOrEqual(largestContent);
        expect(draft.content.body).not.toContain("…");
        const edited = matrixContentOf(part, { edit: EventId(`$${"r".repeat(254)}`) });
        expect(jsonBytes(edited.content)).toBeLessThanOrEqual(largestContent);
        expect(edited.content["m.new_content"]).toMatchObject({ body: draft.content.body });
        if (index === 0) expect(part.type).toBe(content.type);
        letters +=
          part.type === "text"
            ? toPlainText(part.body, { marks: "none" })
            : part.type === "media" && part.caption
              ? toPlainText(part.caption, { marks: "none" })
              : "";
      }
      const bare = (shown: string): string => shown.replace(/[\s\d.]/g, "");
      expect(bare(letters)).toBe(bare(toPlainText(body, { marks: "none" })));
    }
  });

  it.each(long)("cuts a text short that was not cut before: %s", (_name, body) => {
    for (const edit of [undefined, EventId("$e")]) {
      const { content } = matrixContentOf(text(body), { edit });
      expect(jsonBytes(content)).toBeLessThanOrEqual(largestContent);
      expect(JSON.stringify(content)).toContain("…");
    }
  });

  it("leaves what fits, and what is empty, as it is", () => {
    for (const content of [text("short"), text(""), image]) expect(splitForMatrix(content)).toEqual([content]);
  });
});
