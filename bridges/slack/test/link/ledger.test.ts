import { describe, expect, it } from "@jest/globals";
import type { ConnectorStorage } from "@trestle/core";
import fc from "fast-check";
import { pino } from "pino";
import { Ledger } from "../../dist/link/gaps/ledger.js";

const log = pino({ level: "silent" });
const key = "T1/C1";

interface Disk {
  readonly storage: ConnectorStorage;
  readonly kept: ReadonlyMap<string, string>;
}

/** A disk that takes a moment. What a process that was killed still had under way reaches only the disk as it was. */
function diskWith(found: ReadonlyMap<string, string>): Disk {
  const kept = new Map(found);
  const soon = () => new Promise<void>((resolve) => setImmediate(resolve));
  const storage: ConnectorStorage = {
    get: (name) => soon().then(() => kept.get(name)),
    set: (name, value) => soon().then(() => void kept.set(name, value)),
    delete: (name) => soon().then(() => void kept.delete(name)),
    keys: () => Promise.resolve([...kept.keys()]),
  };
  return { storage, kept };
}

const ts = fc.integer({ min: 1, max: 6 }).map((second) => `170000000${second}.000100`);
const event = fc.oneof(
  fc.record({ type: fc.constant("message"), ts }),
  ts.map((root) => ({ type: "message", ts: "1700000009.000100", thread_ts: root })),
  fc
    .record({ ts, edited: fc.record({ ts }) })
    .map((message) => ({ type: "message", subtype: "message_changed", message })),
  ts.map((deleted_ts) => ({ type: "message", subtype: "message_deleted", deleted_ts })),
  fc.record({
    type: fc.constantFrom("reaction_added", "reaction_removed"),
    user: fc.constantFrom("U1", "U2"),
    reaction: fc.constantFrom("eyes", "tada"),
    item: fc.record({ ts }),
  }),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ event, whole: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant("write" as const) },
  { weight: 1, arbitrary: fc.constant("crash" as const) },
);

describe("what is remembered of a channel", () => {
  it("is on disk when an event was noted, whatever is written besides and whenever the process ends", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        let disk = diskWith(new Map());
        const on = ({ storage }: Disk): Ledger => new Ledger({ storage, log, writeAfterMs: 1_000_000 });
        const ledgers = [on(disk)];
        // Nobody kills this one.
        const steady = on(diskWith(new Map()));
        for (const each of [...ledgers, steady]) await each.begin(key, 1_700_000_000_000);
        for (const each of steps) {
          const ledger = ledgers.at(-1);
          if (each === "write") void ledger?.write();
          else if (each === "crash") {
            disk = diskWith(disk.kept);
            ledgers.push(on(disk));
          } else {
            await ledger?.note(key, each.event, each.whole);
            await steady.note(key, each.event, each.whole);
          }
        }
        const found = await on(diskWith(disk.kept)).find(key);
        expect(found?.write()).toEqual((await steady.find(key))?.write());
        await Promise.all(ledgers.map((each) => each.close()));
        await steady.close();
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});
