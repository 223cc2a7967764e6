import { describe, expect, it } from "@jest/globals";
import {
  ContentUri,
  EventId,
  editFallback,
  fitContent,
  mediaAsText,
  quoteReply,
  type Content,
  type MediaContent,
  type ReplyTarget,
  type TextContent,
} from "@trestle/core";
import { parseMatrixHtml, richTextOf, toPlainText, utf8Length } from "@trestle/rich-text";
import fc from "fast-check";
import { anyTree } from "../../../rich-text/test/arbitrary-tree.js";

const image: MediaContent = {
  type: "media",
  kind: "image",
  name: "cat.png",
  source: { from: "matrix", uri: ContentUri("mxc://a/b"), url: "https://media.example.org/x" },
  size: 12_345,
};
const text = (body: string): TextContent => ({ type: "text", style: "text", body: richTextOf(body) });
const shown = (contents: readonly Content[]): readonly string[] =>
  contents.map((content) => (content.type === "text" ? toPlainText(content.body) : content.type));
const ann: ReplyTarget = { event: EventId("$a"), authorName: " ann\n", excerpt: "how are you?\nall" };

describe("what stands in for a file", () => {
  it("is a line with its address, and the caption", () => {
    expect(shown(fitContent({ ...image, caption: parseMatrixHtml("look <b>here</b>") }))).toEqual([
      "cat.png (image, 12 kB): https://media.example.org/x\n\nlook **here**",
    ]);
    expect(toPlainText(mediaAsText({ ...image, source: { from: "matrix", uri: ContentUri("mxc://a/b") } }).body)).toBe(
      "cat.png (image, 12 kB)",
    );
    expect(toPlainText(mediaAsText({ ...image, source: { from: "remote", reference: "secret" } }).body)).toBe(
      "cat.png (image, 12 kB)",
    );
    expect(fitContent(image, { media: true })).toEqual([image]);
  });

  it("says how long and how large", () => {
    const facts = (more: Partial<MediaContent>): string =>
      toPlainText(mediaAsText({ ...image, source: { from: "remote", reference: "x" }, ...more }).body);
    expect(facts({ kind: "voice", name: "note.ogg", durationMs: 7_400, size: 999 })).toBe(
      "note.ogg (voice message, 0:07, 999 B)",
    );
    expect(facts({ kind: "video", durationMs: 3_725_000, size: 1_499_000_000 })).toBe(
      "cat.png (video, 1:02:05, 1.5 GB)",
    );
    expect(facts({ size: 999_600 })).toBe("cat.png (image, 1 MB)");
  });
});

describe("what stands in for a location", () => {
  it("is a line with its coordinates", () => {
    const location: Content = { type: "location", latitude: 51.5008, longitude: -0.1247 };
    expect(shown(fitContent(location))).toEqual(["Location: 51.5008, -0.1247"]);
    expect(shown(fitContent({ ...location, latitude: 10, longitude: 1e-7, description: "Big Ben" }))).toEqual([
      "Big Ben: 10, 0",
    ]);
    expect(fitContent(location, { location: true })).toEqual([location]);
  });
});

describe("what stands in for a reply", () => {
  it("is the name of whom it answers", () => {
    expect(shown(fitContent(text("fine"), {}, ann))).toEqual(["ann: fine"]);
    expect(
      shown(fitContent({ type: "text", style: "text", body: parseMatrixHtml("<ul><li>fine</li></ul>") }, {}, ann)),
    ).toEqual(["ann:\n\n- fine"]);
    expect(shown(fitContent(image, {}, ann))).toEqual(["ann: cat.png (image, 12 kB): https://media.example.org/x"]);
    expect(fitContent({ ...image, caption: richTextOf("look") }, { media: true }, ann)).toMatchObject([
      { caption: richTextOf("ann: look") },
    ]);
    expect(fitContent(text("fine"), { replies: true }, ann)).toEqual([text("fine")]);
    expect(fitContent(text("fine"), {}, { event: EventId("$a") })).toEqual([text("fine")]);
  });

  it("may be a quotation", () => {
    expect(toPlainText(quoteReply(text("fine"), ann).body)).toBe("> ann: how are you?\n> all\n\nfine");
    expect(quoteReply(text("fine"), { event: EventId("$a") })).toEqual(text("fine"));
  });
});

describe("what stands in for an edit", () => {
  it("is the corrected text, marked", () => {
    expect(editFallback(text("new"))).toEqual(text("* new"));
    expect(editFallback({ type: "text", style: "emote", body: parseMatrixHtml("<pre>x</pre>") })).toMatchObject({
      style: "emote",
    });
    expect(toPlainText(editFallback({ ...image, caption: richTextOf("look") }).body)).toBe("* look");
    expect(toPlainText(editFallback(image).body)).toBe("* cat.png (image, 12 kB)");
    expect(toPlainText(editFallback({ type: "location", latitude: 1, longitude: 2 }).body)).toBe("* Location: 1, 2");
  });
});

describe("long text", () => {
  it("is cut to what the network takes", () => {
    fc.assert(
      fc.property(anyTree, fc.integer({ min: 30, max: 200 }), fc.boolean(), (body, textBytes, media) => {
        const parts = fitContent(
          media ? { ...image, caption: body } : { type: "text", style: "emote", body },
          { media, textBytes },
          ann,
        );
        expect(parts.length).toBeGreaterThan(0);
        expect(parts[0]?.type).toBe(media ? "media" : "text");
        for (const part of parts) {
          const cut = part.type === "text" ? part.body : part.type === "media" ? part.caption : undefined;
          if (cut) expect(utf8Length(toPlainText(cut))).toBeLessThanOrEqual(textBytes);
        }
      }),
      { seed: 20260417, numRuns: 1_000 },
    );
    expect(shown(fitContent(text("one two three four"), { textBytes: 10 }))).toEqual(["one two", "three four"]);
    expect(fitContent(text(""), { textBytes: 10 })).toEqual([text("")]);
  });
});
