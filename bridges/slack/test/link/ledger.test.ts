import { describe, expect, it } from "@jest/globals";
import type { ConnectorStorage } from "@trestle/core";
import fc from "fast-check";
import { pino } from "pino";
import { Ledger } from "../../dist/link/gaps/ledger.js";
import { notesOf, type Note } from "../../dist/link/gaps/notes.js";

const log = pino({ level: "silent" });
const key = "T1/C1";

interface Disk {
  readonly storage: ConnectorStorage;
  readonly kept: Map<string, string>;
}

function diskWith(found: ReadonlyMap<string, string>): Disk {
  const kept = new Map(found);
  const storage: ConnectorStorage = {
    get: (name) => Promise.resolve(kept.get(name)),
    set: (name, value) => Promise.resolve(void kept.set(name, value)),
    delete: (name) => Promise.resolve(void kept.delete(name)),
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
  {
    weight: 6,
    arbitrary: fc.record({ events: fc.array(event, { minLength: 1, maxLength: 3 }), whole: fc.boolean() }),
  },
  // The whole memory is written, the disk refuses, or the process ends in the middle of a commit and begins again.
  { weight: 1, arbitrary: fc.constantFrom("write" as const, "refuse" as const, "crash" as const) },
);

/** What the core does with what a connector remembers. */
async function note(
  disk: Disk,
  ledger: Ledger,
  notes: readonly Note[],
  end: "kept" | "refused" | "fold",
): Promise<void> {
  const { remember, kept } = await ledger.noting(key, notes, end === "fold" ? () => undefined : undefined);
  const entries = Object.entries(remember());
  if (end === "refused") return;
  for (const [name, value] of entries)
    if (value === null) disk.kept.delete(name);
    else disk.kept.set(name, value);
  kept();
}

describe("what is remembered of a channel", () => {
  it("is what was told and no more, whatever the disk refuses and whenever the process ends", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        let disk = diskWith(new Map());
        let ledger = new Ledger({ storage: disk.storage, log });
        // Nothing happens to this one.
        const steadyDisk = diskWith(new Map());
        const steady = new Ledger({ storage: steadyDisk.storage, log });
        for (const each of [ledger, steady]) await each.begin(key, 1_700_000_000_000);
        let refused = false;
        for (const each of steps) {
          if (each === "write") await note(disk, ledger, [], "fold");
          else if (each === "refuse") refused = true;
          else if (each === "crash") {
            disk = diskWith(disk.kept);
            ledger = new Ledger({ storage: disk.storage, log });
          } else {
            const notes = notesOf(each.events, each.whole);
            // What the disk refused is told again.
            if (refused) await note(disk, ledger, notes, "refused");
            refused = false;
            await note(disk, ledger, notes, "kept");
            await note(steadyDisk, steady, notes, "kept");
          }
        }
        const found = await new Ledger({ storage: diskWith(disk.kept).storage, log }).find(key);
        expect(found?.write()).toEqual((await steady.find(key))?.write());
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("is nothing when it was forgotten meanwhile", async () => {
    const disk = diskWith(new Map());
    const ledger = new Ledger({ storage: disk.storage, log });
    await ledger.begin(key, 1_700_000_000_000);
    const { remember } = await ledger.noting(key, notesOf([{ type: "message", ts: "1700000001.000100" }], true));
    await ledger.forget(key);
    expect(remember()).toEqual({});
    expect([...disk.kept]).toEqual([]);
  });
});
