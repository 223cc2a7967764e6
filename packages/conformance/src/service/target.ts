/** What the suite needs of a registration; every other key is the service's own affair. */
export interface ServiceRegistration {
  readonly id: string;
  readonly hsToken: string;
  readonly asToken: string;
  readonly senderLocalpart: string;
  /** Regular expressions of the users. */
  readonly users: readonly string[];
  readonly aliases: readonly string[];
  readonly protocols: readonly string[];
}

/**
 * Reads a registration as it came out of its file.
 * @throws TypeError that names the key
 */
export function readServiceRegistration(value: unknown): ServiceRegistration {
  const document = recordOf(value);
  if (!document) throw new TypeError("The registration is not a mapping of keys to values.");
  const namespaces = recordOf(document["namespaces"]) ?? {};
  return {
    id: textOf(document, "id"),
    hsToken: textOf(document, "hs_token"),
    asToken: textOf(document, "as_token"),
    senderLocalpart: textOf(document, "sender_localpart"),
    users: patternsOf(namespaces["users"]),
    aliases: patternsOf(namespaces["aliases"]),
    protocols: listOf(document["protocols"]).filter((each) => typeof each === "string"),
  };
}

/** The server name that the namespaces name, where they name one. */
export function serverNameOf({ users, aliases }: ServiceRegistration): string | undefined {
  for (const pattern of [...users, ...aliases]) {
    const name = /:((?:[a-z0-9-]|\\?\.)+(?::\d+)?)\$?$/i.exec(pattern)?.[1];
    if (name !== undefined && !name.includes("*") && /[a-z0-9]$/i.test(name)) return name.replaceAll("\\", "");
  }
  return undefined;
}

/** An id that a namespace claims, made of its regular expression where that is of the usual form. */
export function exampleOf(
  patterns: readonly string[],
  sigil: "@" | "#",
  word: string,
  serverName: string,
): string | undefined {
  for (const pattern of patterns) {
    const prefix = new RegExp(`^\\^?${sigil}([a-z0-9._=/+-]*?)\\(?(?:\\.[*+]|\\[[^\\]]+\\][*+])`, "i").exec(
      pattern,
    )?.[1];
    if (prefix === undefined) continue;
    const id = `${sigil}${prefix}${word}:${serverName}`;
    if (matches(pattern, id)) return id;
  }
  return undefined;
}

function matches(pattern: string, id: string): boolean {
  try {
    return new RegExp(pattern).test(id);
  } catch {
    // Another dialect of regular expressions: the example is as good as none.
    return false;
  }
}

function patternsOf(value: unknown): string[] {
  return listOf(value).flatMap((each) => {
    const regex = recordOf(each)?.["regex"];
    return typeof regex === "string" ? [regex] : [];
  });
}

function textOf(document: Readonly<Record<string, unknown>>, key: string): string {
  const value = document[key];
  if (typeof value !== "string" || value === "")
    throw new TypeError(`The registration has no ${key}, or it is no text.`);
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
