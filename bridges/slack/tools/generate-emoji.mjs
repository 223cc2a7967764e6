/**
 * Writes src/emoji/table.generated.ts from emojibase-data (a development dependency). Run it by hand after an update
 * of emojibase-data: `node bridges/slack/tools/generate-emoji.mjs`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const load = (file) => JSON.parse(readFileSync(require.resolve(`emojibase-data/en/${file}`), "utf8"));
const { version } = load("../package.json");

const names = load("shortcodes/iamcal.json");
const known = new Map(load("data.json").map((emoji) => [emoji.hexcode, emoji]));

const codePoints = (text) =>
  [...text].map((character) => character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0"));
const tones = ["1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"];

/** The first code point takes the tone, and loses the variation selector that the tone replaces. */
function withTone(points, tone) {
  const [first, ...rest] = points;
  return [first, tone, ...(rest[0] === "FE0F" ? rest.slice(1) : rest)].join("-");
}

/** The places of both tones in an emoji of two people: `T` for the first, `U` for the second. */
function pairOf(skin) {
  let place = 0;
  return codePoints(skin.emoji)
    .map((point) => (tones.includes(point) ? "TU"[place++] : point))
    .join("-");
}

const entries = Object.entries(names).map(([hexcode, given]) => {
  const emoji = known.get(hexcode);
  if (emoji === undefined) throw new Error(`emojibase-data does not know ${hexcode}.`);
  const points = codePoints(emoji.emoji);
  const parts = [points.join("-"), ...[given].flat()];
  const skins = emoji.skins ?? [];
  const single = skins.filter(
    (skin) => !Array.isArray(skin.tone) && codePoints(skin.emoji).filter((point) => tones.includes(point)).length === 1,
  );
  const pairs = new Set(skins.filter((skin) => !single.includes(skin)).map(pairOf));
  if (single.some((skin) => codePoints(skin.emoji).join("-") !== withTone(points, tones[skin.tone - 1])))
    throw new Error(`${hexcode} takes a skin tone elsewhere than behind its first code point.`);
  if (pairs.size > 1) throw new Error(`${hexcode} has two people in more than one way.`);
  if (single.length > 0) parts.push("*");
  return [...parts, ...pairs].join(" ");
});

const lines = [""];
for (const entry of entries) {
  const last = lines.at(-1);
  if (last !== "" && last.length + entry.length > 190) lines.push(entry);
  else lines[lines.length - 1] = last === "" ? entry : `${last};${entry}`;
}
const source = `// Written by tools/generate-emoji.mjs from emojibase-data ${version} (MIT, "iamcal" shortcodes): do not edit.

/**
 * Slack's emoji names. Entries are separated by \`;\`, and consist of code points in hexadecimal, one or more names, \`*\`
 * where a skin tone may follow the first code point, and for two people with a tone each the code points with \`T\` and
 * \`U\` in their places.
 */
export const emojiTable: readonly string[] = [
${lines.map((line) => `  ${JSON.stringify(line)},`).join("\n")}
];
`;
writeFileSync(new URL("../src/emoji/table.generated.ts", import.meta.url), source);
console.log(`${entries.length} emoji, ${[...Object.values(names)].flat().length} names`);
