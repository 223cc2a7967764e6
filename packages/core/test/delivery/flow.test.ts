import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { join } from "node:path";
import pino from "pino";
import { done, toNetwork, type Entry, type Verdict } from "../../dist/delivery/entry.js";
import { Flow, type FlowOptions } from "../../dist/delivery/flow.js";
import { strikesAllowed } from "../../dist/delivery/isolation.js";
import { Journal } from "../../dist/delivery/journal.js";
import { MemoryBudget } from "../../dist/delivery/lane.js";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import { StoreError } from "../../dist/store/store.js";
import { ManualClock } from "../support/manual-clock.js";
import { tempDirectory, until } from "../support/temp.js";

const log = pino({ level: "silent" });

describe("a flow", () => {
  let directory: ReturnType<typeof tempDirectory>;
  let store: SqliteStore;
  let clock: ManualClock;
  beforeEach(async () => {
    directory = tempDirectory();
    store = await SqliteStore.open({ file: join(directory.path, "trestle.db") });
    clock = new ManualClock();
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });

  function make(
    handle: (entry: Entry) => Promise<Verdict>,
    options: Partial<FlowOptions> = {},
  ): { flow: Flow; journal: Journal } {
    const flow = new Flow({
      bridge: 1,
      direction: toNetwork,
      store,
      clock,
      log,
      budget: new MemoryBudget(1_000_000),
      concurrency: 8,
      attempts: 3,
      backoff: { retryMin: 500, retryMax: 60_000 },
      unmarkedLimit: () => 0,
      isolate: false,
      handle,
      ...options,
    });
    const journal = new Journal(1, store, clock);
    journal.attach(flow, flow);
    return { flow, journal };
  }

  const cause = (lane: string, source: string) =>
    ({ direction: toNetwork, lane, source, payload: { source } }) as const;
  const openRows = async (): Promise<number> => {
    await store.commit([["unpack"]]);
    return (await store.get<{ n: number }>("SELECT count(*) AS n FROM journal WHERE state < 2"))?.n ?? -1;
  };

  it("delivers each lane in order, however long each delivery takes, and lanes side by side", async () => {
    const seen = new Map<string, string[]>();
    const waiting: (() => void)[] = [];
    const { flow, journal } = make(async (entry) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      seen.set(entry.lane, [...(seen.get(entry.lane) ?? []), entry.source]);
      return done();
    });
    const sources = Array.from({ length: 20 }, (_, n) => `$${n}`);
    for (const source of sources) await journal.append([cause("a", source), cause("b", source)]);
    await until(() => waiting.length === 2, "both lanes work at once");
    while (flow.open > 0) {
      waiting.splice(Math.floor(waiting.length / 2), 1)[0]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen.get("a")).toEqual(sources);
    expect(seen.get("b")).toEqual(sources);
    await flow.stop();
  });

  it("drops a cause it has seen, also long after it was delivered", async () => {
    const seen: string[] = [];
    const { flow, journal } = make((entry) => Promise.resolve((seen.push(entry.source), done())));
    await journal.append([cause("a", "$1")]);
    await until(() => flow.open === 0, "the first is delivered");
    expect(await journal.append([cause("a", "$1"), cause("a", "$2")])).toBe(1);
    await until(() => flow.open === 0, "the second is delivered");
    expect(seen).toEqual(["$1", "$2"]);
    await flow.stop();
  });

  it("tries again in place, with back-off, while other lanes go on", async () => {
    const seen: string[] = [];
    let fail = true;
    const { flow, journal } = make((entry) => {
      if (fail && entry.source === "$1") return Promise.resolve({ verdict: "retry", reason: "away", transport: true });
      seen.push(entry.source);
      return Promise.resolve(done());
    });
    await journal.append([cause("a", "$1"), cause("a", "$2"), cause("b", "$3")]);
    await until(() => seen.length === 1, "the other lane goes on");
    for (let tries = 0; tries < 50; tries += 1) {
      await until(() => clock.pending > 0, "another attempt is planned");
      clock.advance(75_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    fail = false;
    await until(() => (clock.advance(75_000), flow.open === 0), "all is delivered");
    expect(seen).toEqual(["$3", "$1", "$2"]);
    expect(flow.deadCount).toBe(0);
    await flow.stop();
  });

  it("goes on at once when the target is back", async () => {
    let away = true;
    const { flow, journal } = make(() =>
      Promise.resolve(away ? { verdict: "retry", reason: "away", transport: true } : done()),
    );
    await journal.append([cause("a", "$1")]);
    await until(() => flow.unreachable, "it waits");
    away = false;
    flow.wake();
    await until(() => flow.open === 0, "it is delivered without the clock moving");
    await flow.stop();
  });

  it("keeps as a dead letter what fails too often or for good, tells, and goes on", async () => {
    const told: [string, string][] = [];
    const { flow, journal } = make(
      (entry) => {
        if (entry.source === "$poison") return Promise.reject(new Error("thrown"));
        if (entry.source === "$never") return Promise.resolve({ verdict: "dead", reason: "refused" });
        return Promise.resolve(done());
      },
      { onDead: (entry, reason) => told.push([entry.source, reason]) },
    );
    await journal.append([cause("a", "$poison"), cause("a", "$never"), cause("a", "$good")]);
    await until(() => (clock.advance(60_000), flow.open === 0), "the lane is empty");
    expect(told).toEqual([
      ["$poison", "unexpected failure: thrown (tried 3 times)"],
      ["$never", "refused"],
    ]);
    const rows = await store.all<{ source: string; error: string }>(
      "SELECT source, error FROM journal WHERE state = 2 ORDER BY seq",
    );
    expect(rows.map((row) => row.source)).toEqual(["$poison", "$never"]);
    await flow.stop();
  });

  it("gives nothing up because the disk refuses what its handler writes, but what can never be written", async () => {
    let tries = 0;
    const { flow, journal } = make((entry) => {
      if (entry.source === "$wrong") return Promise.reject(new StoreError("SQLITE_CONSTRAINT_CHECK", "no such kind"));
      tries += 1;
      return tries <= 10 ? Promise.reject(new StoreError("SQLITE_FULL", "the disk is full")) : Promise.resolve(done());
    });
    await journal.append([cause("a", "$1"), cause("b", "$wrong")]);
    while (flow.open > 0) {
      await until(() => flow.waitingLanes > 0 || flow.open === 0, "it waits, or has ended");
      clock.advance(60_000);
    }
    expect([tries, flow.delivered, flow.deadCount]).toEqual([11, 1, 1]);
    await flow.stop();
  });

  it("resumes what an earlier process left, in order, and says what is in doubt", async () => {
    const first = make(() => new Promise<Verdict>(() => undefined));
    await first.journal.append([cause("a", "$1"), cause("a", "$2"), cause("a", "$3")]);
    const seen: [string, boolean][] = [];
    const { flow } = make((entry) => Promise.resolve((seen.push([entry.source, entry.maybeSent]), done())));
    await flow.resume(false);
    await until(() => flow.open === 0, "all is delivered");
    expect(seen).toEqual([
      ["$1", true],
      ["$2", false],
      ["$3", false],
    ]);
    await flow.stop();
  });

  it("knows when it is stopped whether anything that a death left is still in doubt", async () => {
    const first = make(() => new Promise<Verdict>(() => undefined));
    await first.journal.append([cause("a", "$1"), cause("a", "$2")]);
    const away = make(() => Promise.resolve({ verdict: "retry", reason: "away", transport: true }));
    await away.flow.resume(false);
    await until(() => away.flow.waitingLanes === 1, "it waits");
    await away.flow.stop();
    expect(away.flow.inDoubt).toBe(true);
    const { flow } = make(() => Promise.resolve(done()));
    await flow.resume(false);
    await until(() => flow.open === 0, "all is delivered");
    await flow.stop();
    expect(flow.inDoubt).toBe(false);
  });

  it("knows after a stop in good order what an attempt may have reached", async () => {
    const maybe = { verdict: "retry", reason: "the connection broke", maybeSent: true } as const;
    const never = { verdict: "retry", reason: "not connected", transport: true } as const;
    const first = make((entry) => Promise.resolve(entry.lane === "a" ? maybe : never));
    await first.journal.append([cause("a", "$1"), cause("a", "$2"), cause("b", "$3")]);
    await until(() => first.flow.waitingLanes === 2, "both lanes wait");
    await first.flow.stop();
    const seen = new Map<string, boolean>();
    const { flow } = make((entry) => Promise.resolve((seen.set(entry.source, entry.maybeSent), done())));
    await flow.resume(true);
    await until(() => flow.open === 0, "all is delivered");
    expect(Object.fromEntries(seen)).toEqual({ $1: true, $2: false, $3: false });
    await flow.stop();
  });

  it("knows whether anything of a lane from before a moment is not done", async () => {
    const release = new Map<string, () => void>();
    const { flow, journal } = make(async (entry) => {
      await new Promise<void>((resolve) => release.set(entry.source, resolve));
      return done();
    });
    await journal.append([cause("a", "$1"), cause("b", "$2"), cause("a", "$3")]);
    await until(() => release.size === 2, "the first of each lane are under way");
    expect([flow.isBusyBefore("a", 2), flow.isBusyBefore("a", 1), flow.isBusyBefore("c", 2)]).toEqual([
      true,
      false,
      false,
    ]);
    release.get("$1")?.();
    await until(() => release.has("$3"), "the next is under way");
    expect([flow.isBusyBefore("a", 2), flow.isBusyBefore("a", 4)]).toEqual([false, true]);
    for (const each of release.values()) each();
    await flow.stop();
    expect(flow.isBusyBefore("a", 4)).toBe(false);
  });

  it("holds a bounded window in memory, whatever waits", async () => {
    const budget = new MemoryBudget(10_000);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const seen: string[] = [];
    const { flow, journal } = make(async (entry) => (await gate, seen.push(entry.source), done()), { budget });
    const sources = Array.from({ length: 1_000 }, (_, n) => `$${n}`);
    for (let at = 0; at < sources.length; at += 100)
      await journal.append(sources.slice(at, at + 100).map((source) => cause("a", source)));
    expect(flow.open).toBe(1_000);
    expect(budget.used).toBeLessThanOrEqual(10_000);
    release();
    await until(() => flow.open === 0, "all is delivered", 30_000);
    expect(seen).toEqual(sources);
    expect(budget.used).toBe(0);
    await flow.stop();
  });

  it("starts nothing after it was stopped, and ends what was under way", async () => {
    let release: () => void = () => undefined;
    const started: string[] = [];
    const { flow, journal } = make(async (entry) => {
      started.push(entry.source);
      await new Promise<void>((resolve) => (release = resolve));
      return done();
    });
    await journal.append([cause("a", "$1"), cause("a", "$2")]);
    await until(() => started.length === 1, "the first is under way");
    const stopped = flow.stop();
    release();
    await stopped;
    expect(started).toEqual(["$1"]);
    expect(await openRows()).toBe(1);
  });

  it("moves a lane in front of another without losing the order", async () => {
    const seen: string[] = [];
    let away = true;
    const { flow, journal } = make((entry) => {
      if (away) return Promise.resolve({ verdict: "retry", reason: "replaced", transport: true });
      seen.push(entry.source);
      return Promise.resolve(done());
    });
    await journal.append([cause("old", "$1"), cause("old", "$2")]);
    await until(() => flow.waitingLanes === 1, "the old lane waits");
    await journal.append([cause("new", "$3")]);
    await until(() => flow.waitingLanes === 2, "the new lane waits");
    await expect(flow.relane("old", "new", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await until(() => flow.waitingLanes === 2, "both wait as before");
    const moved = flow.relane("old", "new", (move) => store.commit([move]));
    away = false;
    await moved;
    await until(() => flow.open === 0, "all is delivered");
    expect(seen).toEqual(["$1", "$2", "$3"]);
    await flow.stop();
  });

  it("puts aside what killed the process again and again, and only that", async () => {
    for (let death = 0; death < strikesAllowed; death += 1) {
      // A process that dies while it handles $poison: the attempt never ends.
      const started: string[] = [];
      const { flow, journal } = make(
        (entry) => (
          started.push(entry.source),
          entry.source === "$poison" ? new Promise<Verdict>(() => undefined) : Promise.resolve(done())
        ),
        { isolate: true },
      );
      if (death === 0) await journal.append([]);
      if (death === 0)
        await store.commit([
          ["append", 1, 0, "a", "$poison", 1, "{}"],
          ["append", 1, 0, "a", "$after", 1, "{}"],
        ]);
      await flow.resume(false);
      await until(() => started.includes("$poison"), "it is tried");
    }
    const seen: string[] = [];
    const { flow } = make((entry) => Promise.resolve((seen.push(entry.source), done())), { isolate: true });
    await flow.resume(false);
    await until(() => flow.open === 0, "the lane goes on");
    expect(seen).toEqual(["$after"]);
    expect(flow.deadCount).toBe(1);
    await flow.stop();
  });

  it("waits while the disk refuses, then marks what was delivered and goes on", async () => {
    const seen: string[] = [];
    const { flow, journal } = make((entry) => Promise.resolve((seen.push(entry.source), done())));
    const submit = store.submit.bind(store);
    let refuse = false;
    store.submit = (writes, urgency, settled) => {
      if (refuse) queueMicrotask(() => settled(new StoreError("SQLITE_FULL", "disk full"), [], 0));
      else submit(writes, urgency, settled);
    };
    await journal.append([cause("a", "$0")]);
    await until(() => flow.open === 0, "the first is delivered");
    refuse = true;
    await expect(journal.append([cause("a", "$1")])).rejects.toThrow("disk full");
    refuse = false;
    const appended = journal.append([cause("a", "$1"), cause("a", "$2")]);
    refuse = true;
    await appended;
    await until(() => seen.length === 2, "the first is delivered but cannot be marked");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen).toEqual(["$0", "$1"]);
    refuse = false;
    await until(() => (clock.advance(60_000), flow.open === 0), "both are delivered");
    expect(seen).toEqual(["$0", "$1", "$2"]);
    await flow.stop();
  });
});
