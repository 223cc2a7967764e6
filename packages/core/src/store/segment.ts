/** One entry of the journal as it is written. */
export interface JournalEntry {
  readonly seq: number;
  readonly bridge: number;
  readonly direction: number;
  readonly lane: string;
  readonly source: string;
  /** When it was journaled, in milliseconds since 1970. */
  readonly at: number;
  /** JSON. */
  readonly payload: string;
}

type Head = [seq: number, bridge: number, direction: number, lane: string, source: string, at: number, length: number];

/** A line of JSON with the heads of all entries, then their payloads one after the other, as they are. */
export function packSegment(entries: readonly JournalEntry[]): string {
  const heads = entries.map(({ seq, bridge, direction, lane, source, at, payload }): Head => [
    seq,
    bridge,
    direction,
    lane,
    source,
    at,
    payload.length,
  ]);
  let body = `${JSON.stringify(heads)}\n`;
  for (const { payload } of entries) body += payload;
  return body;
}

export function unpackSegment(body: string): JournalEntry[] {
  const line = body.indexOf("\n");
  const heads = JSON.parse(body.slice(0, line)) as Head[];
  let from = line + 1;
  return heads.map(([seq, bridge, direction, lane, source, at, length]) => {
    const payload = body.slice(from, from + length);
    from += length;
    return { seq, bridge, direction, lane, source, at, payload };
  });
}
