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

export type NewEntry = Omit<JournalEntry, "seq">;

type Numbered = [
  seq: number,
  bridge: number,
  direction: number,
  lane: string,
  source: string,
  at: number,
  length: number,
];
type Head = [bridge: number, direction: number, lane: string, source: string, at: number, length: number];

/** A line of JSON with the heads of all entries, then their payloads one after the other, as they are. */
export function packSegment(entries: readonly JournalEntry[]): string {
  const heads = entries.map(({ seq, bridge, direction, lane, source, at, payload }): Numbered => [
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

/** The entries of a segment whose first entry, where they have no numbers of their own, has the number `first`. */
export function unpackSegment(first: number, body: string): JournalEntry[] {
  const line = body.indexOf("\n");
  const heads = JSON.parse(body.slice(0, line)) as (Numbered | Head)[];
  let from = line + 1;
  return heads.map((head, index) => {
    const [seq, bridge, direction, lane, source, at, length] =
      head.length === 7 ? head : ([first + index, ...head] as Numbered);
    const payload = body.slice(from, from + length);
    from += length;
    return { seq, bridge, direction, lane, source, at, payload };
  });
}
