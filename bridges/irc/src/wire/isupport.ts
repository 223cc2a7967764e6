import { type CaseMapping, caseMappingOf } from "./casemapping.js";

/** What a server says about itself in `005` (RPL_ISUPPORT), and the protocol's defaults where it is silent. */
export class Isupport {
  readonly #tokens: Map<string, string>;

  constructor(tokens: Iterable<readonly [string, string]> = []) {
    this.#tokens = new Map(tokens);
  }

  /** Takes the parameters of one `005`: our nick, tokens, and a text for people at the end. */
  take(params: readonly string[]): void {
    for (const token of params.slice(1, -1)) {
      if (token.startsWith("-")) {
        this.#tokens.delete(token.slice(1).toUpperCase());
        continue;
      }
      const equals = token.indexOf("=");
      const name = (equals === -1 ? token : token.slice(0, equals)).toUpperCase();
      this.#tokens.set(name, equals === -1 ? "" : unescape(token.slice(equals + 1)));
    }
  }

  entries(): [string, string][] {
    return [...this.#tokens];
  }

  get(name: string): string | undefined {
    return this.#tokens.get(name);
  }

  get caseMapping(): CaseMapping {
    return caseMappingOf(this.#tokens.get("CASEMAPPING")?.toLowerCase());
  }

  get channelPrefixes(): string {
    return this.#tokens.get("CHANTYPES") ?? "#&";
  }

  /** The symbols before a nick in a list of names, highest first. */
  get prefixSymbols(): string {
    const value = this.#tokens.get("PREFIX");
    if (value === undefined) return "@+";
    return /^\([^)]*\)(.*)$/.exec(value)?.[1] ?? "";
  }

  get statusPrefixes(): string {
    return this.#tokens.get("STATUSMSG") ?? "";
  }

  /** In bytes, with the line's end. */
  get lineLength(): number {
    return this.#number("LINELEN", 512, 512, 65_536);
  }

  get nickLength(): number {
    return this.#number("NICKLEN", this.#number("MAXNICKLEN", 30, 1, 128), 1, 128);
  }

  get userLength(): number {
    return this.#number("USERLEN", 12, 1, 64);
  }

  /** RFC 2812 §2.3.1 where the server says nothing. */
  get keyLength(): number {
    return this.#number("KEYLEN", 23, 1, 64);
  }

  get topicLength(): number {
    return this.#number("TOPICLEN", 300, 1, 65_536);
  }

  get kickLength(): number {
    return this.#number("KICKLEN", 200, 1, 65_536);
  }

  get awayLength(): number {
    return this.#number("AWAYLEN", 200, 1, 65_536);
  }

  /** Of a real name, where it can be changed. IRCv3 setname. */
  get nameLength(): number {
    return this.#number("NAMELEN", 50, 1, 65_536);
  }

  /** Whether the server drops a client-only tag; `tag` is without the `+`. IRCv3 message-tags, `CLIENTTAGDENY`. */
  denies(tag: string): boolean {
    const denied = (this.#tokens.get("CLIENTTAGDENY") ?? "").split(",");
    return denied.includes(tag) || (denied.includes("*") && !denied.includes(`-${tag}`));
  }

  get network(): string | undefined {
    return this.#tokens.get("NETWORK");
  }

  #number(name: string, otherwise: number, least: number, most: number): number {
    const value = Number(this.#tokens.get(name) ?? Number.NaN);
    return Number.isInteger(value) && value >= least ? Math.min(value, most) : otherwise;
  }
}

const shared = new Map<string, Isupport>();
/** So many servers' words are shared at once. */
const MOST_SHARED = 100;

/**
 * One for all connections that were told the same: on a network of many puppets the words of its server are the largest
 * part of what each knows. Nobody may change it: take a copy.
 */
export function sharedIsupport(told: Isupport): Isupport {
  const key = JSON.stringify(told.entries());
  const known = shared.get(key) ?? told;
  // The one that was used last is the last to go.
  shared.delete(key);
  shared.set(key, known);
  const [oldest] = shared.size > MOST_SHARED ? shared.keys() : [];
  if (oldest !== undefined) shared.delete(oldest);
  return known;
}

function unescape(value: string): string {
  return value.replace(/\\x([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
