import { describe, expect, it } from "@jest/globals";
import { ChannelId, type ChannelChanged } from "@trestle/core";
import fc from "fast-check";
import { PinSync } from "../dist/channels/pin-sync.js";
import { RememberedChannels } from "../dist/channels/remembered.js";

const channel = ChannelId("T1/C1");

/** A core whose process may end at any step, and which takes every event once. */
class MortalCore {
  readonly #kept = new Map<string, string>();
  readonly #seen = new Set<string>();
  readonly taken: ChannelChanged[] = [];
  /** How many steps are left to the process. */
  left = Number.POSITIVE_INFINITY;

  readonly storage = {
    get: (key: string) => this.#step(() => this.#kept.get(key)),
    set: (key: string, value: string) => this.#step(() => void this.#kept.set(key, value)),
    delete: (key: string) => this.#step(() => void this.#kept.delete(key)),
    keys: () => this.#step(() => [...this.#kept.keys()]),
  };

  receive(event: ChannelChanged): Promise<void> {
    return this.#step(() => {
      if (!this.#seen.has(event.id)) this.taken.push(event);
      this.#seen.add(event.id);
    });
  }

  #step<T>(work: () => T): Promise<T> {
    if (this.left <= 0) return Promise.reject(new Error("the process has ended"));
    this.left -= 1;
    return Promise.resolve(work());
  }
}

/** Runs of the process: how many steps each has, and what is so in Slack meanwhile. */
const lives = <T>(state: fc.Arbitrary<T>) =>
  fc.array(fc.record({ steps: fc.integer({ min: 0, max: 12 }), state }), { minLength: 1, maxLength: 10 });

async function live(core: MortalCore, steps: number, work: () => Promise<void>): Promise<void> {
  core.left = steps;
  await work().catch(() => undefined);
  core.left = Number.POSITIVE_INFINITY;
}

describe("what changed while the bridge was away", () => {
  it("is told in the end whenever the process ends: names and topics", async () => {
    const names = fc.record({ name: fc.constantFrom("a", "b", "c"), topic: fc.constantFrom("", "x", "y") });
    await fc.assert(
      fc.asyncProperty(names, lives(names), names, async (first, middle, last) => {
        const core = new MortalCore();
        const compare = (state: { name: string; topic: string }): Promise<void> =>
          new RememberedChannels(core.storage).compare(
            channel,
            { id: "C1", name: state.name, topic: { value: state.topic } },
            (change) => core.receive(change),
          );
        await compare(first);
        for (const { steps, state } of middle) await live(core, steps, () => compare(state));
        await compare(last);
        const room = { name: `#${first.name}`, topic: first.topic };
        for (const { name, topic } of core.taken)
          Object.assign(room, name !== undefined && { name }, topic !== undefined && { topic });
        expect(room).toEqual({ name: `#${last.name}`, topic: last.topic });
        const before = core.taken.length;
        await compare(last);
        expect(core.taken).toHaveLength(before);
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });

  it("is told in the end whenever the process ends: pins", async () => {
    const pins = fc.uniqueArray(fc.constantFrom("1.1", "2.2", "3.3"), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(pins, lives(pins), pins, async (first, middle, last) => {
        const core = new MortalCore();
        const compare = (now: readonly string[]): Promise<void> => {
          const network = { storage: core.storage, receive: (event: ChannelChanged) => core.receive(event) };
          const workspace = {
            call: () => Promise.resolve({ ok: true, body: { items: now.map((ts) => ({ message: { ts } })) } }),
          };
          return new PinSync(network as never, new AbortController().signal).compare(workspace as never, channel);
        };
        await compare(first);
        for (const { steps, state } of middle) await live(core, steps, () => compare(state));
        await compare(last);
        const room = new Set<string>(first);
        for (const { pin } of core.taken)
          if (pin?.pinned === true) room.add(pin.message);
          else if (pin) room.delete(pin.message);
        expect([...room].sort()).toEqual([...last].sort());
        const before = core.taken.length;
        await compare(last);
        expect(core.taken).toHaveLength(before);
      }),
      { seed: 6, numRuns: 2_000 },
    );
  });
});
