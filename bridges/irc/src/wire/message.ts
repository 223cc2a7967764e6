import { withoutControls } from "./sanitise.js";

/** One line of the IRC protocol, taken apart. RFC 1459 §2.3.1 and the IRCv3 message-tags specification. */
export interface IrcMessage {
  /** A tag without a value has the empty string. */
  readonly tags: ReadonlyMap<string, string>;
  /** `nick!user@host` or a server's name; empty where there is none. */
  readonly source: string;
  /** In upper case; a numeric as its three digits. */
  readonly verb: string;
  readonly params: readonly string[];
}

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/** Takes a line (without its end) apart; `undefined` where there is no verb. Only a space separates. */
export function parseMessage(line: string): IrcMessage | undefined {
  let rest = line;
  let tags = NO_TAGS;
  let source = "";
  if (rest.startsWith("@")) {
    const [word, after] = cutWord(rest);
    tags = parseTags(word.slice(1));
    rest = after;
  }
  if (rest.startsWith(":")) {
    const [word, after] = cutWord(rest);
    source = word.slice(1);
    rest = after;
  }
  const [verb, after] = cutWord(rest);
  if (verb === "") return undefined;
  return { tags, source, verb: verb.toUpperCase(), params: parseParams(after) };
}

function cutWord(text: string): readonly [word: string, rest: string] {
  const end = text.indexOf(" ");
  if (end === -1) return [text, ""];
  let next = end;
  while (text[next] === " ") next++;
  return [text.slice(0, end), text.slice(next)];
}

function parseParams(text: string): string[] {
  const params: string[] = [];
  let rest = text;
  while (rest !== "") {
    if (rest.startsWith(":")) {
      params.push(rest.slice(1));
      break;
    }
    const [word, after] = cutWord(rest);
    params.push(word);
    rest = after;
  }
  return params;
}

function parseTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const item of text.split(";")) {
    if (item === "") continue;
    const equals = item.indexOf("=");
    if (equals === -1) tags.set(item, "");
    else tags.set(item.slice(0, equals), unescapeTag(item.slice(equals + 1)));
  }
  return tags;
}

const UNESCAPED: Readonly<Record<string, string>> = { ":": ";", s: " ", "\\": "\\", r: "\r", n: "\n" };
const ESCAPED: Readonly<Record<string, string>> = {
  ";": "\\:",
  " ": "\\s",
  "\\": "\\\\",
  "\r": "\\r",
  "\n": "\\n",
  "\0": "",
};

/** Longer than any server makes them; the core takes no id that is longer than 1024 characters. */
const LONGEST_MSGID = 500;

/** What the server calls a message; a tag without a value counts as absent (IRCv3 message-tags), and so does one that nobody could keep. */
export function msgidOf({ tags }: Pick<IrcMessage, "tags">): string | undefined {
  const id = tags.get("msgid") ?? "";
  return id === "" || id.length > LONGEST_MSGID ? undefined : id;
}

/** The account of who says it. IRCv3 account-tag; a tag without a value counts as absent. */
export function accountTagOf({ tags }: Pick<IrcMessage, "tags">): string | undefined {
  return tags.get("account") || undefined;
}

function unescapeTag(value: string): string {
  return value.replace(/\\(.?)/gs, (_, character: string) => UNESCAPED[character] ?? character);
}

function escapeTag(value: string): string {
  return value.replace(/[; \\\r\n\0]/g, (character) => ESCAPED[character] ?? "");
}

/** Tags by their names; client-only tags have names that begin with `+`. */
export type Tags = Readonly<Record<string, string>>;

/** `@key=value;key `, with the space that follows; empty where there are none. */
export function formatTags(tags: Tags): string {
  const items = Object.entries(tags).map(([key, value]) => (value === "" ? key : `${key}=${escapeTag(value)}`));
  return items.length === 0 ? "" : `@${items.join(";")} `;
}

export interface MessageParts {
  readonly tags?: Tags;
  readonly source?: string;
}

/**
 * Writes one line, without its end. The one place where a line is made: CR, LF and NUL cannot get into it, whatever is
 * given. Throws a `RangeError` where a parameter that is not the last would be read as something else.
 */
export function formatMessage(verb: string, params: readonly string[], parts: MessageParts = {}): string {
  const words: string[] = [];
  if (parts.source !== undefined) words.push(`:${withoutControls(parts.source)}`);
  words.push(withoutControls(verb));
  params.forEach((param, index) => {
    const clean = withoutControls(param);
    if (index === params.length - 1) {
      words.push(index > 0 || needsColon(clean) ? `:${clean}` : clean);
      return;
    }
    if (needsColon(clean)) throw new RangeError(`"${clean}" cannot be a middle parameter of ${verb}`);
    words.push(clean);
  });
  return formatTags(parts.tags ?? {}) + words.join(" ");
}

function needsColon(param: string): boolean {
  return param === "" || param.startsWith(":") || param.includes(" ");
}
