/** One IRC line taken apart (RFC 1459 §2.3.1, IRCv3 message tags). */
export interface IrcLine {
  /** A tag without a value has the empty string. */
  readonly tags: ReadonlyMap<string, string>;
  /** What follows the leading colon: a server's name or `nick!user@host`. */
  readonly source: string | undefined;
  /** The command or numeric, as it was written. */
  readonly command: string;
  readonly params: readonly string[];
}

export interface LineParts {
  readonly tags?: ReadonlyMap<string, string>;
  readonly source?: string | undefined;
  readonly command: string;
  readonly params?: readonly string[];
  /** Writes the last parameter with a colon even where it needs none, as servers do for texts. */
  readonly trailing?: boolean;
}

/** The parts of `nick!user@host`; absent parts are empty. */
export interface Source {
  readonly nick: string;
  readonly user: string;
  readonly host: string;
}

const ESCAPES: Readonly<Record<string, string>> = { ":": ";", s: " ", "\\": "\\", r: "\r", n: "\n" };
const TO_ESCAPE: Readonly<Record<string, string>> = { ";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n" };

/** Takes a line without its CR LF apart; `undefined` where it holds no command. */
export function parseLine(text: string): IrcLine | undefined {
  let rest = text;
  let tags: ReadonlyMap<string, string> = new Map();
  let source: string | undefined;
  if (rest.startsWith("@")) {
    const [word, after] = firstWord(rest);
    tags = parseTags(word.slice(1));
    rest = after;
  }
  rest = skipSpaces(rest);
  if (rest.startsWith(":")) {
    const [word, after] = firstWord(rest);
    source = word.slice(1);
    rest = skipSpaces(after);
  }
  const [command, parameters] = firstWord(rest);
  return command === "" ? undefined : { tags, source, command, params: parseParams(parameters) };
}

function parseParams(text: string): string[] {
  const params: string[] = [];
  let rest = skipSpaces(text);
  while (rest !== "") {
    if (rest.startsWith(":")) {
      params.push(rest.slice(1));
      break;
    }
    const [word, after] = firstWord(rest);
    params.push(word);
    rest = skipSpaces(after);
  }
  return params;
}

function firstWord(text: string): [word: string, rest: string] {
  const end = text.indexOf(" ");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
}

function skipSpaces(text: string): string {
  let start = 0;
  while (text[start] === " ") start += 1;
  return start === 0 ? text : text.slice(start);
}

export function parseTags(text: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const tag of text.split(";")) {
    if (tag === "") continue;
    const equals = tag.indexOf("=");
    if (equals < 0) tags.set(tag, "");
    else tags.set(tag.slice(0, equals), unescapeTag(tag.slice(equals + 1)));
  }
  return tags;
}

function unescapeTag(value: string): string {
  if (!value.includes("\\")) return value;
  return value.replace(/\\([\s\S]?)/g, (_whole, char: string) => ESCAPES[char] ?? char);
}

/** `key=value;key`, without the `@`. */
export function formatTags(tags: ReadonlyMap<string, string>): string {
  const written: string[] = [];
  for (const [key, value] of tags) {
    written.push(value === "" ? key : `${key}=${value.replace(/[; \\\r\n]/g, (char) => TO_ESCAPE[char] ?? char)}`);
  }
  return written.join(";");
}

/** Puts a line together, without CR LF. A parameter that would be read as two is the caller's mistake. */
export function formatLine(parts: LineParts): string {
  const words: string[] = [];
  if (parts.tags !== undefined && parts.tags.size > 0) words.push(`@${formatTags(parts.tags)}`);
  if (parts.source !== undefined) words.push(`:${parts.source}`);
  words.push(parts.command);
  const params = parts.params ?? [];
  for (const [index, param] of params.entries()) {
    const last = index === params.length - 1;
    const mustHaveColon = param === "" || param.startsWith(":") || param.includes(" ");
    words.push(last && (mustHaveColon || parts.trailing === true) ? `:${param}` : param);
  }
  return words.join(" ");
}

export function parseSource(source: string): Source {
  const at = source.lastIndexOf("@");
  const before = at < 0 ? source : source.slice(0, at);
  const host = at < 0 ? "" : source.slice(at + 1);
  const bang = before.indexOf("!");
  if (bang < 0) return { nick: before, user: "", host };
  return { nick: before.slice(0, bang), user: before.slice(bang + 1), host };
}

/**
 * The server works on byte strings: one character is one byte (latin1), so that a length is a length in bytes, a cut is
 * the cut a server makes, and what is not UTF-8 passes unharmed. These two convert at the edges.
 */
export const toBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
export const fromBytes = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");
