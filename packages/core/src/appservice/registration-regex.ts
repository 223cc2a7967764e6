import { errorText } from "../config/error-text.js";

/** What is to be said about one regular expression of a namespace. */
export interface RegexRemark {
  readonly severity: "error" | "warning";
  readonly message: string;
}

/** The characters of a new user id's localpart, so also of a ghost prefix. */
export const localpartCharacters = /^[a-z0-9._=\-/+]+$/;

const sigils = { users: "@", aliases: "#", rooms: "!" } as const;
const nouns = { users: "user ids", aliases: "aliases", rooms: "room ids" } as const;

export type NamespaceKind = keyof typeof sigils;

/** Escapes text for Go's, Python's, Rust's and JavaScript's regular expressions alike. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A regular expression that matches whole ids alone, as homeservers should have it. */
export function compileNamespace(regex: string): RegExp {
  return new RegExp(`^(?:${regex})$`);
}

/** What homeservers would make of a namespace's regular expression, and what is wrong with it. */
export function inspectRegex(regex: string, kind: NamespaceKind, serverName: string): RegexRemark[] {
  const unreadable = compileFault(regex);
  if (unreadable !== undefined) return [error(unreadable)];
  const sigil = sigils[kind];
  const body = regex.replace(/^\^/, "");
  if (!body.startsWith(sigil)) return [error(`must match whole ${nouns[kind]}, so it must begin with ^${sigil}`)];
  return [...serverRemarks(regex, kind, serverName), ...anchorRemarks(regex), ...caseRemarks(body, kind)];
}

function error(message: string): RegexRemark {
  return { severity: "error", message };
}

function warning(message: string): RegexRemark {
  return { severity: "warning", message };
}

function compileFault(regex: string): string | undefined {
  const special = specialConstruct(regex);
  if (special !== undefined) return special;
  try {
    compileNamespace(regex);
    return undefined;
  } catch (fault) {
    return `is not a regular expression: ${errorText(fault)}`;
  }
}

/** Constructs that one homeserver reads and another refuses. */
function specialConstruct(regex: string): string | undefined {
  const plain = regex.replaceAll(/\[(?:\\.|[^\]\\])*\]/g, "").replaceAll(/\\[^0-9k]/g, "");
  if (/\(\?<?[=!]/.test(plain)) {
    return "uses look-around, which Dendrite (Go) and Conduit, tuwunel (Rust) cannot read; list what it shall match instead";
  }
  if (/\\[1-9k]/.test(plain))
    return "uses a back-reference, which Dendrite (Go) and Conduit, tuwunel (Rust) cannot read";
  if (/\(\?(?!:)/.test(plain)) return "uses (?…), which homeservers read differently; write it without";
  return undefined;
}

function serverRemarks(regex: string, kind: NamespaceKind, serverName: string): RegexRemark[] {
  if (kind === "rooms") return [];
  const ending = regex.replace(/\$$/, "");
  if (ending.endsWith(`:${escapeRegex(serverName)}`)) return [];
  const example = `${sigils[kind]}…:${escapeRegex(serverName)}$`;
  if (unescape(ending).endsWith(`:${serverName}`)) {
    if (!/(?<!\\)\.(?=[^*+?{])/.test(ending.slice(ending.lastIndexOf(":")))) return [];
    return [warning(`has an unescaped dot in the server name, which matches any character; end it with ${example}`)];
  }
  if (!ending.includes(":")) {
    return [
      error(`does not name the server, so it also matches ${nouns[kind]} of other homeservers; end it with ${example}`),
    ];
  }
  return [error(`does not end with this homeserver's name (homeserver.name is ${serverName}); end it with ${example}`)];
}

function unescape(regex: string): string {
  return regex.replaceAll(/\\([^A-Za-z0-9])/g, "$1").replaceAll(/\[(.)\]/g, "$1");
}

function anchorRemarks(regex: string): RegexRemark[] {
  const start = regex.startsWith("^");
  const end = /(?<!\\)(?:\\\\)*\$$/.test(regex);
  if (start && end) return [];
  const missing = !start && !end ? "^ and $" : start ? "a $ at its end" : "a ^ at its start";
  return [warning(`is not anchored: it lacks ${missing}, and homeservers differ in what they then match`)];
}

function caseRemarks(body: string, kind: NamespaceKind): RegexRemark[] {
  if (kind !== "users" || !/[A-Z]/.test(body.replaceAll(/\\./g, "").split(":")[0] ?? "")) return [];
  return [warning("has capital letters, but the user ids that a bridge makes are lower case")];
}

const wildcards = String.raw`(?:\.[*+]|\[(?:\\.|[^\]\\])+\][*+]|\((?:\?:)?\.[*+]\))`;
const literals = String.raw`(?:[A-Za-z0-9_=/\-]|\\[^A-Za-z0-9]|\[\.\]|\.(?![*+?{]))*`;

/**
 * The literal part in front of the wildcard of a namespace such as `^@irc_.*:example\.org$` (here `irc_`).
 * `undefined` where the expression is of another shape.
 */
export function literalPrefix(regex: string, kind: "users" | "aliases"): string | undefined {
  const shape = new RegExp(`^\\^?${sigils[kind]}(${literals})${wildcards}(?::.*)?\\$?$`);
  const prefix = shape.exec(regex)?.[1];
  return prefix === undefined ? undefined : unescape(prefix);
}
