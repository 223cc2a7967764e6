import Database from "better-sqlite3";
import { z } from "zod";
import { parseJson } from "@trestle/core";

/** Something that was said in a room of ours. */
export interface Kept {
  /** The room's id of it (XEP-0359). */
  readonly id: string;
  /** A bare JID, or a Matrix user id. */
  readonly author: string;
  readonly nick: string;
  /** The id that its sender gave it; what corrections refer to. */
  readonly ownId?: string;
  /** What it is about: of a correction the first form. */
  readonly about?: string;
  /** `retracted`: what stands here in place of what was taken back. */
  readonly kind: Kind;
  /** The stanza as it was shown, without `to`. */
  readonly xml: string;
}

/** What is in an archive, with its place. */
export interface Archived extends Kept {
  readonly seq: number;
  /** When the room showed it, in milliseconds since 1970; never before what stands before it. */
  readonly at: number;
}

const kinds = ["text", "other", "retracted"] as const;
export type Kind = (typeof kinds)[number];

/** Which part of an archive. */
export interface Part {
  readonly after?: number;
  readonly before?: number;
  /** In milliseconds since 1970, both included. */
  readonly from?: number;
  readonly until?: number;
  readonly author?: string;
  readonly ids?: readonly string[];
  readonly kind?: Kind;
  /** The last of them rather than the first; given in order all the same. */
  readonly fromEnd?: boolean;
  readonly limit: number;
}

interface Row {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly author: string;
  readonly nick: string;
  readonly own_id: string | null;
  readonly about: string | null;
  readonly kind: number;
  readonly xml: string;
}

const schema = `
CREATE TABLE IF NOT EXISTS said (seq INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, author TEXT NOT NULL, nick TEXT NOT NULL, own_id TEXT, about TEXT, kind INTEGER NOT NULL, xml TEXT NOT NULL, UNIQUE (room, id));
CREATE INDEX IF NOT EXISTS said_room ON said (room, seq);
CREATE INDEX IF NOT EXISTS said_own ON said (room, author, own_id) WHERE own_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS pending (seq INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, id TEXT NOT NULL, jid TEXT NOT NULL, nick TEXT NOT NULL, xml TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reaction (room TEXT NOT NULL, target TEXT NOT NULL, author TEXT NOT NULL, keys TEXT NOT NULL, PRIMARY KEY (room, target, author)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS occupant (room TEXT NOT NULL, session TEXT NOT NULL, nick TEXT NOT NULL, PRIMARY KEY (room, session)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcast (room TEXT NOT NULL, jid TEXT NOT NULL, reason TEXT, PRIMARY KEY (room, jid)) WITHOUT ROWID;
PRAGMA user_version = 1;
`;
const pruneEvery = 256;
const keysSchema = z.array(z.string());

/**
 * What was said in the rooms of the gateway, who is in them, and who must not come back: a small database of the
 * connector's own. What is written survives the death of the process; a failure of power may take the last moment.
 */
export class Archive {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  #sincePrune = 0;
  #lastAt = 0;

  /** `most`: messages that are kept of each room. */
  constructor(
    file: string,
    private readonly most: number,
    private readonly now: () => number = Date.now,
  ) {
    this.#db = new Database(file);
    this.#db.pragma("journal_mode = WAL");
    this.#db.pragma("synchronous = NORMAL");
    this.#db.exec(schema);
    this.#lastAt = this.#all<{ at: number | null }>("SELECT max(at) AS at FROM said")[0]?.at ?? 0;
  }

  // What was said

  /** Adds it at the end; `undefined` where it is there already. */
  add(room: string, { id, author, nick, ownId, about, kind, xml }: Kept): Archived | undefined {
    const at = Math.max(this.now(), this.#lastAt);
    const { changes, lastInsertRowid } = this.#run(
      "INSERT OR IGNORE INTO said (room, id, at, author, nick, own_id, about, kind, xml) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[room, id, at, author, nick, ownId ?? null, about ?? null, kinds.indexOf(kind), xml],
    );
    if (changes === 0) return undefined;
    this.#lastAt = at;
    if (++this.#sincePrune % pruneEvery === 0) this.#prune();
    return this.find(room, id) ?? { seq: Number(lastInsertRowid), at, id, author, nick, kind, xml };
  }

  find(room: string, id: string): Archived | undefined {
    return archived(this.#all<Row>("SELECT * FROM said WHERE room = ? AND id = ?", room, id)[0]);
  }

  /** The latest that its sender gave this id. */
  findOwn(room: string, author: string, ownId: string): Archived | undefined {
    return archived(
      this.#all<Row>(
        "SELECT * FROM said WHERE room = ? AND author = ? AND own_id = ? ORDER BY seq DESC LIMIT 1",
        ...[room, author, ownId],
      )[0],
    );
  }

  /** What stands in the archive instead of what was taken back, and of its corrections. */
  retract(room: string, id: string, xml: (of: Archived) => string): void {
    const rows = this.#all<Row>("SELECT * FROM said WHERE room = ? AND (id = ? OR about = ?)", room, id, id);
    for (const row of rows.map(archived)) {
      if (row && (row.id === id || row.kind === "text"))
        this.#run("UPDATE said SET kind = 2, xml = ? WHERE seq = ?", xml(row), row.seq);
    }
    this.#run("DELETE FROM reaction WHERE room = ? AND target = ?", room, id);
  }

  read(room: string, part: Part): Archived[] {
    const { sql, values } = whereOf(room, part);
    const order = part.fromEnd === true ? "DESC" : "ASC";
    const rows = this.#all<Row>(`SELECT * FROM said WHERE ${sql} ORDER BY seq ${order} LIMIT ?`, ...values, part.limit);
    const found = rows.flatMap((row) => archived(row) ?? []);
    return part.fromEnd === true ? found.reverse() : found;
  }

  count(room: string, part: Omit<Part, "limit">): number {
    const { sql, values } = whereOf(room, { ...part, limit: 0 });
    return this.#all<{ n: number }>(`SELECT count(*) AS n FROM said WHERE ${sql}`, ...values)[0]?.n ?? 0;
  }

  // What is on its way to Matrix

  begin(room: string, id: string, jid: string, nick: string, xml: string): void {
    this.#run("INSERT INTO pending (room, id, jid, nick, xml) VALUES (?, ?, ?, ?, ?)", room, id, jid, nick, xml);
  }

  /** It is there: `kept` is what the room shows of it, nothing where it is not kept. */
  end(room: string, id: string, kept: Kept | undefined): Archived | undefined {
    return this.together(() => {
      this.#run("DELETE FROM pending WHERE room = ? AND id = ?", room, id);
      return kept && this.add(room, kept);
    });
  }

  pending(room: string): { readonly id: string; readonly jid: string; readonly nick: string; readonly xml: string }[] {
    return this.#all("SELECT id, jid, nick, xml FROM pending WHERE room = ? ORDER BY seq", room);
  }

  // Reactions

  reactions(room: string, target: string, author: string): readonly string[] {
    const row = this.#all<{ keys: string }>(
      "SELECT keys FROM reaction WHERE room = ? AND target = ? AND author = ?",
      ...[room, target, author],
    )[0];
    return parseJson(row?.keys ?? "[]", keysSchema) ?? [];
  }

  setReactions(room: string, target: string, author: string, keys: readonly string[]): void {
    if (keys.length === 0)
      this.#run("DELETE FROM reaction WHERE room = ? AND target = ? AND author = ?", room, target, author);
    else
      this.#run(
        "INSERT OR REPLACE INTO reaction (room, target, author, keys) VALUES (?, ?, ?, ?)",
        ...[room, target, author, JSON.stringify(keys)],
      );
  }

  // Who is in a room

  entered(room: string, session: string, nick: string): void {
    this.#run("INSERT OR REPLACE INTO occupant (room, session, nick) VALUES (?, ?, ?)", room, session, nick);
  }

  left(room: string, session: string): void {
    this.#run("DELETE FROM occupant WHERE room = ? AND session = ?", room, session);
  }

  occupants(room: string): { readonly session: string; readonly nick: string }[] {
    return this.#all("SELECT session, nick FROM occupant WHERE room = ? ORDER BY session", room);
  }

  // Who must not come back

  ban(room: string, jid: string, reason: string | undefined): void {
    this.#run("INSERT OR REPLACE INTO outcast (room, jid, reason) VALUES (?, ?, ?)", room, jid, reason ?? null);
  }

  unban(room: string, jid: string): void {
    this.#run("DELETE FROM outcast WHERE room = ? AND jid = ?", room, jid);
  }

  isBanned(room: string, jid: string): boolean {
    return this.#all<unknown>("SELECT 1 FROM outcast WHERE room = ? AND jid = ?", room, jid)[0] !== undefined;
  }

  banned(room: string): string[] {
    return this.#all<{ jid: string }>("SELECT jid FROM outcast WHERE room = ? ORDER BY jid", room).map(
      ({ jid }) => jid,
    );
  }

  /** The room is no longer linked. */
  forget(room: string): void {
    this.together(() => {
      for (const table of ["said", "pending", "reaction", "occupant", "outcast"])
        this.#run(`DELETE FROM ${table} WHERE room = ?`, room);
    });
  }

  /** All of it or nothing. */
  together<Result>(work: () => Result): Result {
    return this.#db.inTransaction ? work() : this.#db.transaction(work)();
  }

  close(): void {
    this.#db.close();
  }

  /** Of each room, what is more than is kept. */
  #prune(): void {
    const rooms = this.#all<{ room: string }>("SELECT room FROM said GROUP BY room HAVING count(*) > ?", this.most);
    for (const { room } of rooms) {
      this.#run(
        "DELETE FROM said WHERE room = ? AND seq <= (SELECT seq FROM said WHERE room = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)",
        ...[room, room, this.most],
      );
      this.#run(
        "DELETE FROM reaction WHERE room = ? AND NOT EXISTS (SELECT 1 FROM said WHERE said.room = reaction.room AND said.id = reaction.target)",
        room,
      );
    }
  }

  #run(sql: string, ...values: readonly Value[]): Database.RunResult {
    return this.#prepared(sql).run(...values);
  }

  // What a statement gives is what the schema above says.
  #all<Result>(sql: string, ...values: readonly Value[]): Result[] {
    return this.#prepared(sql).all(...values) as Result[];
  }

  #prepared(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#db.prepare(sql);
    // Of queries there are few forms, but for the number of ids in one.
    if (this.#statements.size < 200) this.#statements.set(sql, made);
    return made;
  }
}

type Value = string | number | null;

function whereOf(room: string, { after, before, from, until, author, ids, kind }: Part) {
  const terms: string[] = ["room = ?"];
  const values: Value[] = [room];
  const term = (text: string, ...given: readonly (Value | undefined)[]): void => {
    if (given.some((value) => value === undefined)) return;
    terms.push(text);
    values.push(...given.filter((value) => value !== undefined));
  };
  term("seq > ?", after);
  term("seq < ?", before);
  term("at >= ?", from);
  term("at <= ?", until);
  term("author = ?", author);
  term("kind = ?", kind && kinds.indexOf(kind));
  if (ids) term(`id IN (${ids.map(() => "?").join(", ")})`, ...ids);
  return { sql: terms.join(" AND "), values };
}

function archived(row: Row | undefined): Archived | undefined {
  if (!row) return undefined;
  const { seq, id, at, author, nick, xml, own_id: ownId, about } = row;
  return {
    ...{ seq, id, at, author, nick, xml, kind: kinds[row.kind] ?? "other" },
    ...(ownId !== null && { ownId }),
    ...(about !== null && { about }),
  };
}
