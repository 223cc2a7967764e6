import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import Database from "better-sqlite3";
import fc from "fast-check";
import { eventHash, remoteHash, type MessageIndex } from "../../dist/store/message-writer.js";
import { migrate } from "../../dist/store/migrations.js";
import { Writer, type Write } from "../../dist/store/writes.js";

/** So few that every run of entries is brought into the indexes many times. */
const runLength = 300;

/** The writer's database, with transactions as the committer makes them. */
class Disk {
  readonly db = new Database(":memory:");
  readonly seed: number;
  #writer: Writer | undefined;
  #isStale = true;

  constructor() {
    migrate(this.db);
    this.seed = this.numbers("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'hashSeed'")[0] ?? 0;
  }

  get writer(): Writer {
    return (this.#writer ??= new Writer(this.db, runLength));
  }

  commit(writes: readonly Write[], undo = false): number[] {
    this.db.exec("BEGIN");
    const { writer } = this;
    if (this.#isStale) writer.recover();
    const results = writes.map((write) => writer.run(write));
    writer.flush();
    this.db.exec(undo ? "ROLLBACK" : "COMMIT");
    if (!undo) writer.committed();
    this.#isStale = undo;
    return results;
  }

  /** What the process remembered is gone; what is on disk stays. */
  die(): void {
    this.#writer = undefined;
    this.#isStale = true;
  }

  open(): { seq: number; source: string; payload: string }[] {
    this.commit([["unpack"]]);
    return this.db
      .prepare<[], { seq: number; source: string; payload: string }>(
        "SELECT seq, source, payload FROM journal WHERE state < 2 ORDER BY seq",
      )
      .all();
  }

  numbers(sql: string): number[] {
    return this.db.prepare<[], number>(sql).pluck().all();
  }
}

let disk: Disk;
beforeEach(() => {
  disk = new Disk();
});
afterEach(() => {
  disk.db.close();
});

const append = (source: string, lane = "lane"): Write => ["append", 1, 0, lane, source, 7, `{"of":"${source}"}`];

describe("the journal on disk", () => {
  it("is one row for what came together, and none when all of it is delivered", () => {
    const [one = 0, two = 0] = disk.commit([append("$1"), append("$2")]);
    expect(disk.numbers("SELECT count(*) FROM segment")).toEqual([1]);
    disk.commit([["done", two]]);
    expect(disk.numbers("SELECT count(*) FROM segment")).toEqual([1]);
    disk.commit([["done", one]]);
    expect(disk.numbers("SELECT count(*) FROM segment UNION ALL SELECT count(*) FROM segment_done")).toEqual([0, 0]);
    expect(disk.open()).toEqual([]);
  });

  it("gives an entry that waits, and its neighbours, rows of their own", () => {
    const [one = 0, two = 0, three = 0] = disk.commit([append("$1"), append("$2"), append("$3")]);
    disk.commit([["done", one]]);
    disk.commit([["waiting", 1, "busy", 0, two]]);
    expect(disk.numbers("SELECT state FROM journal ORDER BY seq")).toEqual([1, 0]);
    disk.commit([
      ["done", two],
      ["done", three],
    ]);
    expect(disk.numbers("SELECT count(*) FROM journal")).toEqual([0]);
  });

  it("takes up segments as an earlier version wrote them, each entry with its number", () => {
    const head = (seq: number, source: string): unknown[] => [seq, 1, 0, "lane", source, 7, 2];
    disk.db
      .prepare("INSERT INTO segment (first, body) VALUES (?, ?)")
      .run(40, `${JSON.stringify([head(40, "$1"), head(43, "$2"), head(44, "$3")])}\n{}[]""`);
    disk.db.prepare("INSERT INTO segment_done (first, done) VALUES (40, '[43]')").run();
    expect(disk.open()).toEqual([
      { seq: 40, source: "$1", payload: "{}" },
      { seq: 44, source: "$3", payload: '""' },
    ]);
    expect(disk.commit([append("$2"), append("$3")])).toEqual([0, 0]);
  });

  it("keeps no row of what was journaled before, and none of it comes back after a crash", () => {
    const [one = 0] = disk.commit([append("$1")]);
    disk.commit([["done", one]]);
    expect(disk.commit([append("$1"), append("$1")])).toEqual([0, 0]);
    expect(disk.numbers("SELECT count(*) FROM segment")).toEqual([0]);
    const [known, fresh = 0] = disk.commit([append("$1"), append("$2"), append("$2")]);
    expect(known).toBe(0);
    disk.die();
    expect(disk.open()).toEqual([{ seq: fresh, source: "$2", payload: '{"of":"$2"}' }]);
  });

  it("never uses a number twice, however often everything is delivered and the process dies", () => {
    const seen = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      const [seq = 0] = disk.commit([append(`$${round}`)]);
      expect(seen.has(seq)).toBe(false);
      seen.add(seq);
      disk.commit([["done", seq]]);
      disk.die();
    }
  });

  it("puts a dead entry that is tried again behind all others", () => {
    const [one = 0, two = 0] = disk.commit([append("$1"), append("$2")]);
    disk.commit([
      ["dead", 1, "no", one],
      ["addPart", one, 0, "wire"],
    ]);
    disk.commit([["requeue", 9, one]]);
    const open = disk.open();
    expect(open.map(({ source }) => source)).toEqual(["$2", "$1"]);
    expect(open[0]?.seq).toBe(two);
    expect(disk.numbers("SELECT seq FROM part")).toEqual([open[1]?.seq]);
  });

  it("knows in a lane what was journaled in those it took the place of, also after a crash, and moves one bridge's alone", () => {
    const appendTo = (lane: string, source: string, bridge = 1): Write => [
      "append",
      ...[bridge, 1, lane, source, 1],
      "{}",
    ];
    const move = (from: string, to: string): Write => ["relane", to, from, 1, 1];
    disk.commit([appendTo("a", "$1"), appendTo("a", "$other", 2), appendTo("b", "$2")]);
    disk.commit([move("a", "b")], true);
    expect(disk.commit([["known", 1, 1, "b", "$1"]])).toEqual([0]);
    disk.commit([move("a", "b"), move("b", "c")]);
    for (const end of [() => undefined, () => disk.die()]) {
      end();
      expect(disk.commit([appendTo("c", "$1"), appendTo("c", "$2"), ["known", 1, 1, "c", "$1"]])).toEqual([0, 0, 1]);
    }
    disk.commit([["unpack"]]);
    const lanes = disk.db.prepare("SELECT bridge, lane, source FROM journal ORDER BY seq").raw().all();
    expect(lanes).toEqual([
      [1, "c", "$1"],
      [2, "a", "$other"],
      [1, "c", "$2"],
    ]);
  });

  it("keeps in segments no more than a start can take up quickly", () => {
    for (let batch = 0; batch < 60; batch += 1) {
      disk.commit(Array.from({ length: 100 }, (_, n) => append(`$${batch}-${n}`)));
    }
    expect(disk.numbers("SELECT count(*) FROM journal")[0]).toBeGreaterThanOrEqual(4_000);
    expect(disk.open()).toHaveLength(6_000);
  });

  it("forgets after two generations what it saw, and not before", () => {
    const [seq = 0] = disk.commit([append("$old")]);
    disk.commit([["done", seq]]);
    const dayMs = 86_400_000;
    disk.commit([["forget", 0, dayMs]]);
    disk.commit([["forget", dayMs, 2 * dayMs]]);
    expect(disk.commit([append("$old")])).toEqual([0]);
    disk.commit([["forget", 2 * dayMs, 3 * dayMs]]);
    expect(disk.commit([append("$old")])[0]).toBeGreaterThan(0);
  });
});

type Step =
  | { readonly do: "append"; readonly sources: readonly number[]; readonly undo: boolean }
  | { readonly do: "finish"; readonly share: number; readonly undo: boolean }
  | { readonly do: "wait"; readonly which: number }
  | { readonly do: "read" }
  | { readonly do: "die" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("append" as const),
        sources: fc.array(fc.nat(5_000), { maxLength: 120 }),
        undo: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("finish" as const), share: fc.nat(100), undo: fc.constant(false) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), which: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("read" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const) }) },
  ),
  { minLength: 40, maxLength: 90 },
);

/** What the journal must amount to. */
class Model {
  readonly known = new Set<string>();
  open = new Map<number, string>();
}

function take(step: Step, model: Model): void {
  switch (step.do) {
    case "append": {
      const sources = step.sources.map((n) => `$${n}`);
      const results = disk.commit(
        sources.map((source) => append(source)),
        step.undo,
      );
      if (step.undo) return;
      for (const [index, source] of sources.entries()) {
        const seq = results[index] ?? 0;
        expect(seq > 0).toBe(!model.known.has(source));
        model.known.add(source);
        if (seq > 0) model.open.set(seq, source);
      }
      return;
    }
    case "finish": {
      const done = [...model.open.keys()].filter((seq) => (seq * 7) % 100 < step.share);
      disk.commit(done.map((seq): Write => ["done", seq]));
      for (const seq of done) model.open.delete(seq);
      return;
    }
    case "wait": {
      const seq = [...model.open.keys()][step.which % Math.max(1, model.open.size)];
      if (seq !== undefined) disk.commit([["waiting", 1, "later", 0, seq]]);
      return;
    }
    case "read":
      disk.commit([["unpack"]]);
      return;
    case "die":
      disk.die();
  }
}

describe("whatever happens", () => {
  it("the journal takes nothing twice, and has just what is not delivered, in order", () => {
    fc.assert(
      fc.property(steps, (plan) => {
        disk = new Disk();
        const model = new Model();
        for (const step of plan) take(step, model);
        disk.die();
        const open = disk.open();
        expect(open.map(({ seq, source }) => [seq, source])).toEqual([...model.open]);
        expect(open.every(({ source, payload }) => payload === `{"of":"${source}"}`)).toBe(true);
        const again = disk.commit([...model.known].map((source) => append(source)));
        expect(again.every((seq) => seq === 0)).toBe(true);
      }),
      { seed: 20_261_122, numRuns: 25 },
    );
  });

  const seldom = fc.nat(14).map((n) => n === 0);

  it("a mapped message is found by both ids, wherever it is, and once", () => {
    const gone = new Set<number>();
    const undone = 100_000;
    const message = (n: number): Write => ["mapMessage", 3, `r${n}`, 0, 5, `$e${n}`, "@a:x"];
    const take = (total: number, { undo, die, unmap }: { undo: boolean; die: boolean; unmap: boolean }): number => {
      const these = (from: number): Write[] => Array.from({ length: 30 }, (_, n) => message(from + n));
      if (undo) disk.commit(these(undone + total), true);
      disk.commit(these(total));
      if (unmap) {
        gone.add(total);
        gone.add(Math.floor(total / 2));
        disk.commit([
          ["unmapEvent", `$e${total}`],
          ["unmapEvent", `$e${Math.floor(total / 2)}`],
        ]);
      }
      if (die) {
        disk.die();
        disk.commit([]);
      }
      return total + 30;
    };
    fc.assert(
      fc.property(
        fc.array(fc.record({ undo: fc.boolean(), die: seldom, unmap: seldom }), {
          minLength: 40,
          maxLength: 80,
        }),
        (plan) => {
          disk = new Disk();
          gone.clear();
          let total = 0;
          for (const { undo, die, unmap } of plan) total = take(total, { undo, die, unmap });
          for (let n = 0; n < total; n += 1) {
            expect(found("event", eventHash(`$e${n}`, disk.seed))).toEqual(gone.has(n) ? [] : [`r${n}`]);
            expect(found("remote", remoteHash(3, `r${n}`, 5, disk.seed))).toEqual(gone.has(n) ? [] : [`r${n}`]);
            expect(found("event", eventHash(`$e${undone + n}`, disk.seed))).toEqual([]);
          }
          const indexed = disk.numbers("SELECT count(*) FROM message_event")[0] ?? 0;
          expect(indexed).toBeGreaterThan(0);
          expect(indexed).toBeLessThanOrEqual(total);
        },
      ),
      { seed: 20_261_123, numRuns: 20 },
    );
  });
});

/** The messages that have a hash, as whoever looks for them finds them. */
function found(by: MessageIndex, hash: number): string[] {
  return disk.db
    .prepare<[number, string], string>(
      `SELECT remote FROM message WHERE id IN (SELECT id FROM message_${by} WHERE hash = ? UNION ALL SELECT value FROM json_each(?))`,
    )
    .pluck()
    .all(hash, JSON.stringify(disk.writer.messages.notIndexed(by, hash)));
}
