import { expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { pino } from "pino";
import { ChannelMemory } from "../../dist/link/gaps/memory.js";
import { Openings } from "../../dist/link/gaps/openings.js";

/** A process that starts after Slack was heard last at `heard`. */
async function started(heard: number | undefined) {
  const stored = new Map<string, string>(heard === undefined ? [] : [["heard", String(heard)]]);
  const begun: [string, number][] = [];
  const followed = new Set<string>();
  const clock = { now: 100_000 };
  const make = () =>
    new Openings({
      storage: {
        get: (key) => Promise.resolve(stored.get(key)),
        set: (key, value) => Promise.resolve(void stored.set(key, value)),
      },
      ledger: {
        begin: (channel, since) => {
          begun.push([channel, since]);
          return Promise.resolve(ChannelMemory.since("0.0"));
        },
      },
      repairs: {
        follows: (channel) => followed.has(channel),
        watch: (team, channel) => Promise.resolve(void followed.add(`${team}/${channel}`)),
      },
      listeners: () => [],
      profile: "internal",
      log: pino({ level: "silent" }),
      now: () => clock.now,
    });
  const openings = make();
  await openings.load();
  return { openings, begun, followed, clock, again: make };
}

const nobody = () => Promise.resolve(undefined);
const longSince = () => Promise.resolve(0);

it("what comes next in a conversation waits with the first for what was missed", async () => {
  const { openings, begun } = await started(50_000);
  let answer: (since: number) => void = () => undefined;
  const first = openings.open("T1", "D1", () => new Promise((resolve) => (answer = resolve)));
  const next = openings.open("T1", "D1", longSince);
  expect(next).toBe(first);
  answer(0);
  await first;
  expect(begun).toEqual([["T1/D1", 50_000]]);
  expect(openings.open("T1", "D1", longSince)).toBeUndefined();
});

it("nothing was missed of what nobody hears, or before Slack was ever heard", async () => {
  const { openings, begun } = await started(50_000);
  await openings.open("T1", "D1", nobody);
  expect(begun).toEqual([]);
  const fresh = await started(undefined);
  expect(fresh.openings.open("T1", "D1", longSince)).toBeUndefined();
});

it("a conversation that ended is looked through from its end on", async () => {
  const { openings, begun, clock } = await started(50_000);
  openings.ended(ChannelId("T1/D1"));
  clock.now = 200_000;
  await openings.open("T1", "D1", longSince);
  expect(begun).toEqual([["T1/D1", 100_000]]);
});

it("after an outage, and after a new start, what counts is when Slack was heard last", async () => {
  const { openings, begun, clock, again } = await started(50_000);
  openings.heard();
  clock.now = 300_000;
  openings.outage();
  await openings.open("T1", "D1", longSince);
  expect(begun).toEqual([["T1/D1", 100_000]]);
  const later = again();
  await later.load();
  await later.open("T1", "D2", longSince);
  expect(begun.at(-1)).toEqual(["T1/D2", 100_000]);
});
