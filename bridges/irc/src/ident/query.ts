/** What somebody asks about: the two ends of a connection, seen from here. RFC 1413 §3. */
export interface IdentQuery {
  /** The port on this machine. */
  readonly here: number;
  /** The port on the machine of who asks. */
  readonly there: number;
}

/** The longest question, in bytes. RFC 1413 §4. */
export const LONGEST_QUERY = 1_000;

/** Reads `<port here> , <port there>`; `undefined` where it is none. */
export function parseQuery(line: string): IdentQuery | undefined {
  const [, here, there] = /^[ \t]*(\d{1,5})[ \t]*,[ \t]*(\d{1,5})[ \t]*$/.exec(line) ?? [];
  const query = { here: Number(here), there: Number(there) };
  return isPort(query.here) && isPort(query.there) ? query : undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Who a connection belongs to; `undefined`: there is no such connection. */
export function answerTo({ here, there }: IdentQuery, username: string | undefined): string {
  return `${here}, ${there} : ${username === undefined ? "ERROR : NO-USER" : `USERID : UNIX : ${username}`}\r\n`;
}

/** The answer to what is no question. */
export const NOT_UNDERSTOOD = "0, 0 : ERROR : INVALID-PORT\r\n";
