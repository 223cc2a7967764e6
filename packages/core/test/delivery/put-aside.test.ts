import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { join } from "node:path";
import pino from "pino";
import { done, toMatrix, type Entry, type Verdict } from "../../dist/delivery/entry.js";
import { Flow, type FlowOptions } from "../../dist/delivery/flow.js";
import { strikesAllowed } from "../../dist/delivery/isolation.js";
import { Journal } from "../../dist/delivery/journal.js";
import { MemoryBudget } from "../../dist/delivery/lane.js";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import { ManualClock } from "../support/manual-clock.js";
import { tempDirectory, until } from "../support/temp.js";

const attempts = 10;
const outage: Verdict = { verdict: "retry", reason: "the homeserver is away", transport: true, maybeSent: true };
const refusal: Verdict = { verdict: "retry", reason: "it does not like this one" };

describe("putting an entry aside", () => {
  let directory: ReturnType<typeof tempDirectory>;
  let store: SqliteStore;
  let clock: ManualClock;
  let said = 0;
  beforeEach(async () => {
    directory = tempDirectory();
    store = await SqliteStore.open({ file: join(directory.path, "trestle.db") });
    clock = new ManualClock();
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });

  function make(handle: (entry: Entry) => Promise<Verdict>, options: Partial<FlowOptions> = {}): Flow {
    return new Flow({
      bridge: 1,
      direction: toMatrix,
      store,
      clock,
      log: pino({ level: "silent" }),
      budget: new MemoryBudget(1_000_000),
      concurrency: 8,
      attempts,
      backoff: { retryMin: 500, retryMax: 60_000 },
      unmarkedLimit: () => 0,
      isolate: false,
      handle,
      ...options,
    });
  }

  /** Answers one after the other with these, then takes the entry; resolves to what became of it. */
  async function deliver(...verdicts: readonly Verdict[]) {
    const seen: Entry[] = [];
    const flow = make((entry) => Promise.resolve(verdicts[seen.push({ ...entry }) - 1] ?? done()));
    await flow.resume(true);
    const journal = new Journal(1, store, clock);
    journal.attach(flow, flow);
    await journal.append([{ direction: toMatrix, lane: "!room", source: `said ${++said}`, payload: {} }]);
    await until(() => (clock.advance(75_000), flow.open === 0), "the lane is empty");
    await flow.stop();
    return { seen, dead: flow.deadCount };
  }

  const times = (count: number, verdict: Verdict): Verdict[] => Array.from({ length: count }, () => verdict);

  it("happens to what fails so often for reasons of its own", async () => {
    const { seen, dead } = await deliver(...times(attempts, refusal));
    expect([seen.length, dead]).toEqual([attempts, 1]);
  });

  it("does not happen because of attempts that an outage ended, however many", async () => {
    const { seen, dead } = await deliver(...times(3 * attempts, outage), refusal);
    expect([seen.length, dead]).toEqual([3 * attempts + 2, 0]);
  });

  it("counts attempts before, between and after an outage, and none of it", async () => {
    const verdicts = [refusal, ...times(attempts, outage), ...times(attempts - 2, refusal)];
    expect(await deliver(...verdicts)).toMatchObject({ dead: 0 });
    const { seen, dead } = await deliver(...verdicts, outage, refusal);
    expect([seen.length, dead]).toEqual([verdicts.length + 2, 1]);
  });

  it("does not happen because of an outage before the start of this process", async () => {
    const first = make(() => Promise.resolve(outage));
    const journal = new Journal(1, store, clock);
    journal.attach(first, first);
    await journal.append([{ direction: toMatrix, lane: "!room", source: "said", payload: {} }]);
    const tried = (): Promise<{ attempts: number } | undefined> => store.get("SELECT attempts FROM journal");
    await until(async () => (clock.advance(75_000), ((await tried())?.attempts ?? 0) >= attempts), "an outage");
    await first.stop();
    const seen: number[] = [];
    const second = make((entry) => Promise.resolve(seen.push(entry.attempts) === 1 ? refusal : done()));
    await second.resume(false);
    await until(() => (clock.advance(75_000), second.open === 0), "it is delivered");
    await second.stop();
    expect([seen.length, second.deadCount]).toEqual([2, 0]);
  });

  it("does not happen to what only waited until it could be worked on when the process was killed", async () => {
    await store.commit([["append", 1, toMatrix, "!room", "said", 1, "{}"]]);
    for (let death = 0; death < 2 * strikesAllowed; death += 1) {
      let waits = false;
      const killed = make(() => Promise.resolve(done()), {
        isolate: true,
        ready: () => ((waits = true), new Promise(() => undefined)),
      });
      await killed.resume(false);
      await until(() => waits, "it waits");
    }
    const later: (Verdict | undefined)[] = [outage];
    const seen: Entry[] = [];
    const flow = make((entry) => Promise.resolve((seen.push(entry), done())), {
      isolate: true,
      ready: () => Promise.resolve(later.shift()),
    });
    await flow.resume(false);
    await until(() => (clock.advance(75_000), flow.open === 0), "it is delivered");
    await flow.stop();
    expect([seen.length, flow.deadCount]).toEqual([1, 0]);
  });

  it("remembers that an attempt may have reached the target, for whoever takes the entry up again", async () => {
    const { dead } = await deliver(...times(attempts, { ...refusal, maybeSent: true }));
    expect(dead).toBe(1);
    const [row] = await store.all<{ seq: number }>("SELECT seq FROM journal WHERE state = 2");
    await store.commit([["requeue", clock.now(), row?.seq ?? 0]]);
    const seen: Entry[] = [];
    const flow = make((entry) => Promise.resolve((seen.push(entry), done())));
    await flow.resume(true);
    await until(() => flow.open === 0, "it is delivered");
    await flow.stop();
    expect(seen).toMatchObject([{ maybeSent: true, replayed: true }]);
  });
});
