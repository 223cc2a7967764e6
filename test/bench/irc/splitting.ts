import { pathToFileURL } from "node:url";
import { inRepository } from "../../tools/paths.js";
import { median } from "../../tools/statistics.js";
import { atMost, type Figure } from "../figure.js";

const bytes = 64 * 1024;
const budget = 400;
const limitMs = 5;

/** How long a single word of 64 KiB takes. */
export async function measureSplitting(): Promise<Figure> {
  const file = (name: string): string => pathToFileURL(inRepository(`bridges/irc/dist/format/${name}.js`)).href;
  const { splitLine } = (await import(file("split"))) as typeof import("../../../bridges/irc/dist/format/split.js");
  const { PLAIN } = (await import(file("runs"))) as typeof import("../../../bridges/irc/dist/format/runs.js");
  const times = ["x", "é", "漢", "👩‍👩‍👧‍👦"].map((letter) => {
    const word = letter.repeat(Math.floor(bytes / Buffer.byteLength(letter)));
    return median(
      Array.from({ length: 21 }, () => {
        const began = performance.now();
        splitLine([{ text: word, style: PLAIN }], budget);
        return performance.now() - began;
      }),
    );
  });
  return atMost("splitting a word of 64 KiB, the slowest of four scripts", limitMs, Math.max(...times), " ms", 2);
}
