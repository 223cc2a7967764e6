import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { encodeJson } from "../dist/matrix/json.js";
import { isSendable, pathPart } from "../dist/matrix/path.js";

const seed = 20261122;

describe("what is sent as JSON", () => {
  it("is what JSON.stringify makes of everything Matrix allows", () => {
    const value = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.string({ unit: "grapheme" }),
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: "grapheme" }), tie("json"), { maxKeys: 4 }),
      ),
    })).json;
    fc.assert(
      fc.property(value, (json) => {
        expect(encodeJson(json)).toEqual({ ok: true, text: JSON.stringify(json) });
      }),
      { seed, numRuns: 500 },
    );
  });

  it("never holds a lone surrogate, wherever it was", () => {
    const text = fc.string({ unit: fc.integer({ min: 0xd7f0, max: 0xe00f }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.dictionary(text, fc.array(text)), (json) => {
        const encoded = encodeJson(json);
        expect(encoded.ok && /\\ud[89a-f]/i.test(encoded.text)).toBe(false);
        expect(encoded.ok && encoded.text.isWellFormed()).toBe(true);
      }),
      { seed },
    );
  });

  it("is refused with the place of what is no whole number", () => {
    fc.assert(
      fc.property(
        fc.double().filter((number) => !Number.isSafeInteger(number)),
        (number) => {
          const encoded = encodeJson({ content: { list: [1, { deep: number }] } });
          expect(encoded).toMatchObject({ ok: false, problem: expect.stringContaining('"content.list.1.deep" is') });
        },
      ),
      { seed },
    );
  });

  it.each([
    ["a bigint", { a: 1n }],
    ["a function", { a: () => undefined }],
  ])("is refused with %s", (_name, value) => {
    expect(encodeJson(value)).toMatchObject({ ok: false });
  });

  it("is refused where it has no end", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    expect(encodeJson(circular)).toMatchObject({ ok: false, problem: expect.stringContaining("nested deeper") });
  });
});

describe("an identifier in a path", () => {
  it("is one part of the path and decodes to itself, or is not sent at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (id) => {
        const part = pathPart(id);
        if (!isSendable(part)) return;
        expect(decodeURIComponent(part)).toBe(id);
        expect(part).not.toMatch(/[/?#\\]|^\.{1,2}$/);
        expect(new URL(`http://host/a/${part}/b`).pathname).toBe(`/a/${part}/b`);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it.each(["", ".", "..", "a\0b", "\ud800"])("%j is not sent", (id) => {
    expect(isSendable(`/_matrix/${pathPart(id)}/x`)).toBe(false);
  });
});
