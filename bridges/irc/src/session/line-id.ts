/** Names a line of a connection: the id of what it came to, where the server gives none. */
export function lineId(connection: string, line: number): string {
  return `${connection}:${line}`;
}

/** Names a message of ours to which the server has given no name, so that Matrix can speak of it. */
export function namelessId(effect: string): string {
  return `:${effect}`;
}

/** Whether `id` is a server's `msgid`, so that something on IRC can point to it: none of ours, and one word. */
export function isMsgid(id: string): boolean {
  return /^[^\s:][^\s]*$/.test(id) && !/^[A-Za-z0-9_-]{12}:\d+(?::|$)/.test(id);
}
