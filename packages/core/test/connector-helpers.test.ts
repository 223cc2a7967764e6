import { describe, expect, it } from "@jest/globals";
import { parseJson, textContent } from "@trestle/core";
import { parseMatrixHtml, toPlainText } from "@trestle/rich-text";
import fc from "fast-check";
import { z } from "zod";

describe("parseJson", () => {
  const schema = z.object({ from: z.string(), count: z.int().default(1) });

  it("reads what has the shape, as the schema makes it", () => {
    expect(parseJson('{"from":"bob","more":true}', schema)).toEqual({ from: "bob", count: 1 });
  });

  it.each(["", "21.5", "null", "{", '{"from":7}', '{"from":"bob","count":"many"}'])("has nothing of %j", (text) => {
    expect(parseJson(text, schema)).toBeUndefined();
  });

  it("gives back whatever JSON says, and throws at no text", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value), z.unknown())).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 7 },
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseJson(text, schema)).not.toThrow();
      }),
      { seed: 8 },
    );
  });
});

describe("textContent", () => {
  it("takes a string as it stands, with its line breaks", () => {
    const content = textContent("<b>not bold</b>\n**nor this**");
    expect(content).toMatchObject({ type: "text", style: "text" });
    expect(toPlainText(content.body, { marks: "none" })).toBe("<b>not bold</b>\n**nor this**");
  });

  it("takes formatted text, and a style", () => {
    expect(textContent(parseMatrixHtml("<b>bold</b>"), "emote")).toEqual({
      type: "text",
      style: "emote",
      body: parseMatrixHtml("<b>bold</b>"),
    });
  });
});
