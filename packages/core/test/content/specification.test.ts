import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { load } from "js-yaml";
import { contentOf, matrixContentOf } from "../../dist/bridge/content/index.js";

const examples = new URL("../../../../../shared/data/matrix-spec/data/event-schemas/examples/", import.meta.url);

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
    const example = load(readFileSync(new URL(encodeURIComponent(file), examples), "utf8"));
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

if (!existsSync(examples)) {
  it.skip("skipped: the specification's examples (../shared/data/matrix-spec) are not there", () => undefined);
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
}
