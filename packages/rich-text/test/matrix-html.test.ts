import { describe, expect, it } from "@jest/globals";
import { matrixForm, normalise, parseMatrixHtml, toMatrix, toMatrixHtml, toPlainText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyHtml, anyTree } from "./arbitrary-tree.js";

const seed = 20260417;

describe("the Matrix HTML codec", () => {
  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(parseMatrixHtml(toMatrixHtml(tree))).toEqual(matrixForm(tree));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("normalises to a fixed point", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const normal = normalise(tree);
        expect(normalise(normal)).toEqual(normal);
        const matrix = matrixForm(tree);
        expect(matrixForm(matrix)).toEqual(matrix);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("reads any HTML into a normal tree", () => {
    fc.assert(
      fc.property(anyHtml, fc.boolean(), (html, everyone) => {
        const tree = parseMatrixHtml(html, { everyone });
        expect(normalise(tree)).toEqual(tree);
        expect(() => [toMatrix(tree), toPlainText(tree)]).not.toThrow();
      }),
      { seed, numRuns: 5_000 },
    );
  });
});
