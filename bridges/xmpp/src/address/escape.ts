/** XEP-0106, table 1: what no local part may hold, and how it is written there. */
const ESCAPES: ReadonlyMap<string, string> = new Map(
  Array.from(` "&'/:<>@\\`, (character) => [character, `\\${character.charCodeAt(0).toString(16)}`]),
);
const UNESCAPES: ReadonlyMap<string, string> = new Map([...ESCAPES].map(([character, escape]) => [escape, character]));
const ESCAPE = /\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)/g;

/**
 * XEP-0106: writes any text as a local part, e.g. `d'artagnan` as `d\27artagnan`. A backslash is escaped only where it
 * would begin an escape. Throws a `RangeError` where the text begins or ends with a space, which cannot be written.
 */
export function escapeNode(text: string): string {
  if (text.startsWith(" ") || text.endsWith(" "))
    throw new RangeError(`${JSON.stringify(text)} cannot be a local part: it begins or ends with a space`);
  return text
    .replace(ESCAPE, (escape) => `\\5c${escape.slice(1)}`)
    .replace(/[ "&'/:<>@]/g, (character) => ESCAPES.get(character) ?? character);
}

/** XEP-0106: the text that a local part stands for. */
export function unescapeNode(node: string): string {
  return node.replace(ESCAPE, (escape) => UNESCAPES.get(escape) ?? escape);
}

const PLAIN = /[a-z0-9.+=_-]/;
const TOKEN = /\\[0-9a-f]{2}|\^[0-9a-f]{2}|[a-z0-9.+=_-]/y;

/**
 * Writes any text in ASCII that every server takes as a local part and none folds: lower case letters, digits and
 * `. - + = _` stand for themselves, the ten characters of XEP-0106 are `\xx` (except a backslash, and a space in the
 * first or last place, which it cannot write), every other UTF-8 byte is `^xx`. `also` are characters that are written as `^xx` too, where
 * they separate something.
 */
export function encodeText(text: string, also = ""): string {
  if (/^[a-z0-9.+=-]*$/.test(text)) return text;
  const bytes = Buffer.from(text, "utf8");
  let encoded = "";
  for (const [index, byte] of bytes.entries()) {
    const character = byte < 0x80 ? String.fromCharCode(byte) : "";
    const isEdge = character === " " && (index === 0 || index === bytes.length - 1);
    if (character !== "" && PLAIN.test(character) && !also.includes(character)) encoded += character;
    else if (character !== "\\" && ESCAPES.has(character) && !isEdge) encoded += ESCAPES.get(character) ?? "";
    else encoded += `^${byte.toString(16).padStart(2, "0")}`;
  }
  return encoded;
}

/** The text that {@link encodeText} wrote; `undefined` where it would not have written it like that. */
export function decodeText(encoded: string, also = ""): string | undefined {
  const bytes: number[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < encoded.length) {
    const token = TOKEN.exec(encoded)?.[0];
    if (token === undefined) return undefined;
    bytes.push(token.length === 1 ? token.charCodeAt(0) : Number.parseInt(token.slice(1), 16));
  }
  const text = Buffer.from(bytes).toString("utf8");
  // One spelling for one text: what is not UTF-8, or escaped without need, is not ours.
  return encodeText(text, also) === encoded ? text : undefined;
}
