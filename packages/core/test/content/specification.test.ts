import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { ContentUri, EventId, UserId, type Content, type MediaContent } from "@trestle/core";
import { parseMatrixHtml, richTextOf } from "@trestle/rich-text";
import { specValidator } from "@trestle/testkit";
import { load } from "js-yaml";
import { contentOf, matrixContentOf, type MatrixEventDraft } from "../../dist/bridge/content/index.js";

const shared = process.env["TRESTLE_SHARED"] ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const examples = `${shared}/data/matrix-spec/data/event-schemas/examples`;
const specification = specValidator();

interface Example {
  readonly type: string;
  readonly content: Record<string, unknown>;
}

function isExample(value: unknown): value is Example {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    "content" in value &&
    typeof value.type === "string"
  );
}

function readExamples(): Map<string, Example> {
  const found = new Map<string, Example>();
  for (const file of readdirSync(examples)) {
    if (!file.endsWith(".yaml")) continue;
    const example = load(readFileSync(`${examples}/${file}`, "utf8"));
    if (isExample(example)) found.set(file.replace(/\.yaml$/, ""), example);
  }
  return found;
}

const kinds: Record<string, unknown> = {
  "m.room.message$m.text": { type: "text", style: "text" },
  "m.room.message$m.notice": { type: "text", style: "notice" },
  "m.room.message$m.emote": { type: "text", style: "emote" },
  "m.room.message$m.server_notice": { type: "text", style: "notice" },
  "m.room.message$m.key.verification.request": { type: "text", style: "notice" },
  "m.room.message$m.image": { type: "media", kind: "image" },
  "m.room.message$m.video": { type: "media", kind: "video", durationMs: 2140786 },
  "m.room.message$m.audio": { type: "media", kind: "audio" },
  "m.room.message$m.file": { type: "media", kind: "file", name: "something-important.doc" },
  "m.room.message$m.location": { type: "location", latitude: 51.5008, longitude: 0.1247 },
  "m.sticker": { type: "media", kind: "sticker", name: "Landing" },
};

if (!existsSync(examples) || specification === undefined) {
  const reason = "Skipped: the example events of the Matrix specification, ../shared/data/matrix-spec is not there.";
  process.stderr.write(`${reason}\n`);
  it.skip(reason, () => undefined);
} else {
  describe("the specification's example events", () => {
    const all = readExamples();

    it.each(Object.keys(kinds))("%s is read, and written again as the same", (name) => {
      const example = all.get(name);
      const message = contentOf(example?.type ?? "", example?.content);
      expect(message).toMatchObject({ kind: "message", content: kinds[name] });
      if (message.kind !== "message") return;
      const draft = matrixContentOf(message.content);
      expect(contentOf(draft.type, draft.content)).toMatchObject({ kind: "message", content: message.content });
    });

    it("m.reaction is a reaction", () => {
      expect(contentOf("m.reaction", all.get("m.reaction")?.content)).toEqual({
        kind: "reaction",
        target: "$some_event_id",
        key: "👍",
      });
    });

    it("everything else is told to be no message", () => {
      let others = 0;
      for (const [name, { type, content }] of all) {
        if (name in kinds || name === "m.reaction") continue;
        others++;
        expect(contentOf(type, content)).toMatchObject({ kind: "unusable" });
      }
      expect(others).toBeGreaterThan(50);
    });
  });

  describe("the specification's schemas", () => {
    /** What is wrong with an event as it is sent. */
    const problems = ({ type, content }: MatrixEventDraft): readonly string[] => {
      const exchange = {
        api: "client-server",
        method: "PUT",
        path: `/_matrix/client/v3/rooms/!room:example.org/send/${type}/1`,
        query: new URLSearchParams(),
        requestType: "application/json",
        requestBody: JSON.stringify(content),
        status: 200,
        responseType: "application/json",
        responseBody: '{"event_id":"$x"}',
        peer: "the test",
      } as const;
      return specification.check(exchange).map(({ problem }) => problem);
    };
    const source = { from: "matrix", uri: ContentUri("mxc://example.org/abc") } as const;
    const media = (kind: MediaContent["kind"]): Content => ({
      type: "media",
      kind,
      name: "a.bin",
      source,
      size: 1,
      width: 2,
      height: 3,
      durationMs: 4,
      mimeType: "image/png",
      caption: richTextOf("look"),
    });
    const contents: readonly Content[] = [
      { type: "text", style: "text", body: parseMatrixHtml('<b>x</b> <a href="matrix:u/ann:example.org">ann</a>') },
      { type: "text", style: "notice", body: richTextOf("x") },
      { type: "text", style: "emote", body: richTextOf("x") },
      ...(["image", "video", "audio", "voice", "file", "sticker"] as const).map(media),
      { type: "location", latitude: 1, longitude: 2 },
    ];

    it("find nothing wrong with any event that is written", () => {
      for (const content of contents) {
        expect(problems(matrixContentOf(content))).toEqual([]);
        expect(problems(matrixContentOf(content, { edit: EventId("$old") }))).toEqual([]);
        const replyTo = { event: EventId("$a"), sender: UserId("@ann:example.org") };
        expect(problems(matrixContentOf(content, { replyTo, thread: { root: EventId("$root") } }))).toEqual([]);
      }
    });

    it("would find it", () => {
      expect(problems({ type: "m.room.message", content: { msgtype: "m.image", body: 7 } })).not.toEqual([]);
      expect(problems({ type: "m.sticker", content: { body: "x" } })).not.toEqual([]);
    });
  });
}
