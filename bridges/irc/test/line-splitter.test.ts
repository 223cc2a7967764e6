import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { LineSplitter, MAX_LINE_BYTES } from "../dist/holder/line-splitter.js";

const line = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) => !/[\r\n]/.test(text));

describe("a stream of lines", () => {
  it("is the same lines however it is cut, also within a character", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), sizes, fc.boolean(), (lines, cuts, isBare) => {
        const bytes = Buffer.from(lines.map((each) => each + (isBare ? "\n" : "\r\n")).join(""));
        const splitter = new LineSplitter();
        const read: string[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const size = cuts[cut % cuts.length] ?? 1;
          // What was received is written over by what comes next.
          const chunk = Buffer.from(bytes.subarray(at, at + size));
          read.push(...(splitter.push(chunk) ?? []).map((each) => each.toString("utf8")));
          chunk.fill(0);
          at += size;
        }
        expect(read).toEqual(lines.map((each) => Buffer.from(each).toString("utf8")));
      }),
      { seed: 6 },
    );
  });

  it("is given up where a line has no end", () => {
    const splitter = new LineSplitter();
    let isOver = false;
    for (let sent = 0; sent <= MAX_LINE_BYTES && !isOver; sent += 1_024)
      isOver = splitter.push(Buffer.alloc(1_024, "x")) === undefined;
    expect(isOver).toBe(true);
  });
});
