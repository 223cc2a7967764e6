import type { Database, Statement } from "better-sqlite3";
import { journalHash } from "./hash.js";
import { FormerLanes } from "./former-lanes.js";
import { Seen } from "./seen.js";
import { packSegment, unpackSegment, type JournalEntry, type NewEntry } from "./segment.js";

/** So many entries are in segments at most: the oldest get rows of their own, so that a start has little to unpack. */
const mostInSegments = 2_000;
/** Sequence numbers are reserved on disk in such blocks: none is used twice, also when its row is gone. */
const reservation = 100_000;
const rememberedSince = "seenSince";
const reservedUpTo = "reservedSeq";

/** Entries that were journaled by one commit and are one row together. */
interface Segment {
  readonly first: number;
  readonly hashes: number[];
  readonly done: number[];
  left: number;
}

/**
 * The journal as its writer sees it. What is journaled together is one row, a segment, and is gone when all of it is
 * delivered. An entry whose way is not so straight (it waits, it is dead, somebody wants to read it) gets a row of its
 * own in `journal`. Whatever was journaled before is recognised.
 */
export class JournalWriter {
  readonly #seen: Seen;
  readonly #formers: FormerLanes;
  readonly #segments = new Map<number, Segment>();
  /** The segment of each entry that is in one and not delivered. */
  readonly #open = new Map<number, Segment>();
  readonly #touched = new Set<Segment>();
  #staged: JournalEntry[] = [];
  #current: Segment | undefined;
  #next = 1;
  #reserved = 0;
  readonly #seed: number;
  readonly #sql: ReturnType<typeof prepare>;

  constructor(
    readonly db: Database,
    runLength: number,
  ) {
    this.#seen = new Seen(db, runLength);
    this.#formers = new FormerLanes(db);
    this.#sql = prepare(db);
    this.#seed = Number(db.prepare("SELECT value FROM meta WHERE key = 'hashSeed'").pluck().get());
  }

  /** Takes up what is on disk, and gives every entry a row of its own: after a start, or when a commit was undone. */
  recover(): void {
    this.#staged = [];
    this.#current = undefined;
    this.#segments.clear();
    this.#open.clear();
    this.#touched.clear();
    this.#seen.recover();
    this.#formers.recover();
    this.#reserved = Number(this.#sql.getMeta.pluck().get(reservedUpTo) ?? 0);
    this.#next = Math.max(this.#next, this.#reserved + 1);
    for (const { first, body, done } of this.#sql.allSegments.all()) this.#toRows(first, body, new Set(readDone(done)));
  }

  /** The new entry's number, or 0 when it was journaled before. */
  append(entry: NewEntry): number {
    const hash = this.#see(entry);
    if (hash === undefined) return 0;
    const seq = this.#take();
    const segment = (this.#current ??= { first: seq, hashes: [], done: [], left: 0 });
    segment.hashes.push(hash);
    segment.left += 1;
    this.#open.set(seq, segment);
    const { bridge, direction, lane, source, at, payload } = entry;
    this.#staged.push({ seq, bridge, direction, lane, source, at, payload });
    return seq;
  }

  /** Like `append`, for what cannot be delivered. */
  appendDead(entry: NewEntry, error: string): number {
    const hash = this.#see(entry);
    if (hash === undefined) return 0;
    const seq = this.#take();
    this.#insert({ ...entry, seq }, 2, error);
    this.#seen.log([hash]);
    return seq;
  }

  /** Takes something for journaled and delivered; 0 where it was already. */
  remember(bridge: number, direction: number, lane: string, source: string): number {
    const hash = this.#see({ bridge, direction, lane, source });
    if (hash === undefined) return 0;
    this.#seen.log([hash]);
    return 1;
  }

  /** Whether an entry was journaled before. */
  isKnown(bridge: number, direction: number, lane: string, source: string): boolean {
    const entry = { bridge, direction, lane, source };
    return this.#seen.has(this.#hashOf(entry)) || this.#wasInFormerLane(entry);
  }

  done(seq: number): number {
    const segment = this.#open.get(seq);
    if (!segment) return this.#sql.remove.run(seq).changes;
    this.#open.delete(seq);
    segment.done.push(seq);
    segment.left -= 1;
    this.#touched.add(segment);
    return 1;
  }

  /** Gives an entry a row of its own, so that something can be said of it there. */
  single(seq: number): void {
    const segment = this.#open.get(seq);
    if (segment) this.#unpack(segment);
  }

  /** Gives every entry a row of its own. */
  unpackAll(): void {
    this.#stage();
    for (const segment of [...this.#segments.values()]) this.#unpack(segment);
  }

  /** A dead entry goes back into the queue, as the newest of all. */
  requeue(at: number, seq: number): number {
    this.single(seq);
    const next = this.#take();
    const { changes } = this.#sql.requeue.run(at, next, seq);
    if (changes > 0) this.#sql.moveParts.run(next, seq);
    return changes;
  }

  relane(to: string, from: string, bridge: number, direction: number): number {
    this.unpackAll();
    this.#formers.add(bridge, direction, to, from);
    return this.#sql.relane.run(to, from, bridge, direction).changes;
  }

  /** Forgets what was journaled long ago: the generation that began before `before` is the last one kept. */
  forget(before: number, now: number): number {
    const since = Number(this.#sql.getMeta.pluck().get(rememberedSince) ?? 0);
    if (since === 0) this.#sql.setMeta.run(rememberedSince, String(now));
    if (since === 0 || since > before) return 0;
    this.#stage();
    this.#seen.rotate();
    this.#sql.setMeta.run(rememberedSince, String(now));
    return 1;
  }

  /** Writes what the transaction has gathered; the last thing before its commit. */
  flush(): void {
    this.#stage();
    const delivered: number[] = [];
    for (const segment of this.#touched) {
      if (segment.left === 0) {
        this.#drop(segment);
        for (const hash of segment.hashes) delivered.push(hash);
      } else this.#sql.markDone.run(segment.first, JSON.stringify(segment.done));
    }
    this.#touched.clear();
    this.#seen.log(delivered);
    if (this.#open.size > mostInSegments) this.#unpackOldest();
    this.#seen.fold();
  }

  /** Brings all that is remembered to its place: a start has nothing to do then. */
  settle(): void {
    this.unpackAll();
    this.#seen.foldAll();
    this.#sql.setMeta.run(reservedUpTo, String(this.#next - 1));
  }

  #stage(): void {
    const segment = this.#current;
    if (!segment) return;
    this.#sql.addSegment.run(segment.first, packSegment(this.#staged));
    this.#segments.set(segment.first, segment);
    this.#staged = [];
    this.#current = undefined;
  }

  #unpackOldest(): void {
    for (const segment of this.#segments.values()) {
      if (this.#open.size <= mostInSegments / 2) return;
      this.#unpack(segment);
    }
  }

  #unpack(segment: Segment): void {
    this.#stage();
    const body = this.#sql.segmentBody.pluck().get(segment.first);
    const done = new Set(segment.done);
    for (const entry of unpackSegment(segment.first, String(body)))
      if (!done.has(entry.seq)) this.#open.delete(entry.seq);
    this.#touched.delete(segment);
    this.#segments.delete(segment.first);
    this.#toRows(segment.first, String(body), done);
  }

  #toRows(first: number, body: string, done: ReadonlySet<number>): void {
    const hashes: number[] = [];
    for (const entry of unpackSegment(first, body)) {
      hashes.push(this.#hashOf(entry));
      if (!done.has(entry.seq)) this.#insert(entry, 0, null);
    }
    this.#sql.dropSegment.run(first);
    this.#sql.dropDone.run(first);
    this.#seen.log(hashes);
  }

  #drop(segment: Segment): void {
    this.#segments.delete(segment.first);
    this.#sql.dropSegment.run(segment.first);
    if (segment.done.length > 0) this.#sql.dropDone.run(segment.first);
  }

  #insert(
    { seq, bridge, direction, lane, source, at, payload }: JournalEntry,
    state: number,
    error: string | null,
  ): void {
    this.#sql.insert.run(seq, bridge, direction, lane, source, at, payload, state, error);
  }

  #take(): number {
    const seq = this.#next++;
    if (this.#next > this.#reserved + 1) {
      this.#reserved = this.#next + reservation;
      this.#sql.setMeta.run(reservedUpTo, String(this.#reserved));
    }
    return seq;
  }

  /** The hash of an entry that is new, which it is no longer then. */
  #see(entry: Identity): number | undefined {
    const hash = this.#hashOf(entry);
    return this.#wasInFormerLane(entry) || !this.#seen.add(hash) ? undefined : hash;
  }

  #wasInFormerLane(entry: Identity): boolean {
    const formers = this.#formers.of(entry.bridge, entry.direction, entry.lane);
    return formers.some((lane) => this.#seen.has(this.#hashOf({ ...entry, lane })));
  }

  #hashOf(entry: Identity): number {
    return journalHash(entry, this.#seed);
  }
}

/** What an entry is recognised by. */
type Identity = Pick<JournalEntry, "bridge" | "direction" | "lane" | "source">;

function readDone(done: string | null): number[] {
  return done === null ? [] : (JSON.parse(done) as number[]);
}

interface SegmentRow {
  readonly first: number;
  readonly body: string;
  readonly done: string | null;
}

function prepare(db: Database): {
  readonly getMeta: Statement<[string]>;
  readonly setMeta: Statement<[string, string]>;
  readonly allSegments: Statement<[], SegmentRow>;
  readonly segmentBody: Statement<[number]>;
  readonly addSegment: Statement<[number, string]>;
  readonly dropSegment: Statement<[number]>;
  readonly dropDone: Statement<[number]>;
  readonly markDone: Statement<[number, string]>;
  readonly insert: Statement<[number, number, number, string, string, number, string | null, number, string | null]>;
  readonly remove: Statement<[number]>;
  readonly requeue: Statement<[number, number, number]>;
  readonly moveParts: Statement<[number, number]>;
  readonly relane: Statement<[string, string, number, number]>;
} {
  return {
    getMeta: db.prepare("SELECT value FROM meta WHERE key = ?"),
    setMeta: db.prepare(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    ),
    allSegments: db.prepare(
      "SELECT s.first AS first, s.body AS body, d.done AS done FROM segment s LEFT JOIN segment_done d ON d.first = s.first ORDER BY s.first",
    ),
    segmentBody: db.prepare("SELECT body FROM segment WHERE first = ?"),
    addSegment: db.prepare("INSERT INTO segment (first, body) VALUES (?, ?)"),
    dropSegment: db.prepare("DELETE FROM segment WHERE first = ?"),
    dropDone: db.prepare("DELETE FROM segment_done WHERE first = ?"),
    markDone: db.prepare(
      "INSERT INTO segment_done (first, done) VALUES (?, ?) ON CONFLICT (first) DO UPDATE SET done = excluded.done",
    ),
    insert: db.prepare(
      "INSERT INTO journal (seq, bridge, direction, lane, source, at, payload, state, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    remove: db.prepare("DELETE FROM journal WHERE seq = ?"),
    requeue: db.prepare(
      "UPDATE journal SET state = 0, attempts = 0, strikes = 0, at = ?, error = NULL, doubt = iif(doubt > 0, 2, 0), seq = ? WHERE seq = ? AND state = 2",
    ),
    moveParts: db.prepare("UPDATE part SET seq = ? WHERE seq = ?"),
    relane: db.prepare("UPDATE journal SET lane = ? WHERE lane = ? AND bridge = ? AND direction = ? AND state < 2"),
  };
}
