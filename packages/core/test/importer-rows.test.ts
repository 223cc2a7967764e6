import { describe, expect, it } from "@jest/globals";
import { isRow, rowIn, textIn } from "@trestle/core";

describe("a row that another bridge kept", () => {
  const row = { name: "hall", empty: "", count: 3, inner: { a: "b" }, json: '{"a":"c"}', list: "[1]", torn: '{"a"' };

  it.each([
    ["name", "hall"],
    ["empty", undefined],
    ["count", undefined],
    ["inner", undefined],
    ["absent", undefined],
  ])("has the text in %s as %j", (field, text) => {
    expect(textIn(row, field)).toBe(text);
  });

  it.each([
    ["inner", { a: "b" }],
    ["json", { a: "c" }],
    ["list", undefined],
    ["torn", undefined],
    ["name", undefined],
    ["absent", undefined],
  ])("has the object in %s as %j", (field, object) => {
    expect(rowIn(row, field)).toEqual(object);
  });

  it("has nothing where there is none", () => {
    expect([textIn(undefined, "name"), rowIn(undefined, "inner")]).toEqual([undefined, undefined]);
    expect([{}, [], null, "x"].map(isRow)).toEqual([true, false, false, false]);
  });
});
