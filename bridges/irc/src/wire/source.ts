/** Who sent a line. */
export interface Source {
  /** The nick, or a server's name. */
  readonly nick: string;
  readonly user?: string;
  readonly host?: string;
}

export function parseSource(source: string): Source {
  const at = source.lastIndexOf("@");
  const head = at === -1 ? source : source.slice(0, at);
  const bang = head.indexOf("!");
  return {
    nick: bang === -1 ? head : head.slice(0, bang),
    ...(bang === -1 ? {} : { user: head.slice(bang + 1) }),
    ...(at === -1 ? {} : { host: source.slice(at + 1) }),
  };
}

/** A server, not a person: it has neither user nor host, and a dot in its name. */
export function isServer(source: Source): boolean {
  return source.user === undefined && source.host === undefined && (source.nick === "" || source.nick.includes("."));
}
