import { describe, expect, it } from "@jest/globals";
import type { ConnectorStorage } from "@trestle/core";
import fc from "fast-check";
import { pino } from "pino";
import { compare } from "../../dist/link/gaps/compare.js";
import { Ledger } from "../../dist/link/gaps/ledger.js";
import { applyNote, notesOf } from "../../dist/link/gaps/notes.js";
import { ChannelMemory } from "../../dist/link/gaps/memory.js";
import { compareTs, messageSchema, timeOf, tsAt, type SlackMessage } from "../../dist/link/index.js";

const channel = "C1";
const storage = new Map<string, string>();
const kept: ConnectorStorage = {
  get: (key) => Promise.resolve(storage.get(key)),
  set: (key, value) => Promise.resolve(void storage.set(key, value)),
  delete: (key) => Promise.resolve(void storage.delete(key)),
  keys: () => Promise.resolve([...storage.keys()]),
};
const log = pino({ level: "silent" });

const user = fc.constantFrom("U1", "U2", "U3");
const message = (second: number) =>
  fc.record({
    ts: fc.constant(`${1_700_000_000 + second}.000100`),
    text: fc.string(),
    edited: fc.option(fc.record({ ts: fc.integer({ min: 0, max: 3 }).map((at) => `${1_700_001_000 + at}.000000`) }), {
      nil: undefined,
    }),
    reactions: fc
      .uniqueArray(
        fc.record({ name: fc.constantFrom("eyes", "tada"), users: fc.uniqueArray(user, { minLength: 1 }) }),
        { selector: ({ name }) => name },
      )
      .map((reactions) => reactions.map((each) => ({ ...each, count: each.users.length }))),
    there: fc.boolean(),
  });
type Made = ReturnType<typeof message> extends fc.Arbitrary<infer Value> ? Value : never;
const channels = fc.tuple(...Array.from({ length: 8 }, (_, index) => message(index)));
const shown = (made: readonly Made[]): SlackMessage[] =>
  made
    .filter(({ there }) => there)
    .map(({ there: _there, edited, ...rest }) => ({ ...rest, ...(edited && { edited }) }));

const laterEdit = (before: Made | undefined, after: Made): Made["edited"] =>
  before?.edited && (!after.edited || compareTs(after.edited.ts, before.edited.ts) < 0) ? before.edited : after.edited;

const fetched = (messages: readonly SlackMessage[]) => ({
  channel,
  messages,
  completeFrom: "1700000000.000000",
  changesFrom: "1700000000.000000",
  at: "1700009999.000000",
});

describe("what differs between what Slack has and what is remembered", () => {
  it("is nothing any more once it was told, from whatever state to whatever other", async () => {
    await fc.assert(
      fc.asyncProperty(channels, channels, async (before, then) => {
        // The last edit of a message is never an older one than before.
        const after = then.map((each, index) => ({ ...each, edited: laterEdit(before[index], each) }));
        storage.clear();
        const ledger = new Ledger({ storage: kept, log });
        const memory = await ledger.begin("T1/C1", 1_699_999_999_000);
        for (const state of [before, after]) {
          const missed = compare(memory, fetched(shown(state)));
          for (const { event } of missed) {
            const { remember, kept } = await ledger.noting("T1/C1", notesOf([event], true));
            for (const [key, value] of Object.entries(remember()))
              if (value === null) storage.delete(key);
              else storage.set(key, value);
            kept();
          }
          expect(compare(memory, fetched(shown(state)))).toEqual([]);
        }
        // And the same is remembered after a restart.
        const again = await new Ledger({ storage: kept, log }).find("T1/C1");
        expect(again && compare(again, fetched(shown(after)))).toEqual([]);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  describe("in an edit", () => {
    const ts = "1700000001.000200";
    const edited = { ts: "1700000001.000000", user: "U1" };
    const section = { type: "section", block_id: "a", text: { type: "mrkdwn", text: "x" } };
    const shown = (more: object): SlackMessage => messageSchema.parse({ ts, text: "one", edited, ...more });
    const remembering = async (first: SlackMessage): Promise<ChannelMemory> => {
      storage.clear();
      const ledger = new Ledger({ storage: kept, log });
      const memory = await ledger.begin("T1/C1", 1_700_000_000_000);
      const changed = { type: "message", subtype: "message_changed", message: first, event_ts: "1700000001.000300" };
      const { remember } = await ledger.noting(
        "T1/C1",
        notesOf([{ type: "message", ts, text: "none" }, changed], true),
      );
      remember();
      return memory;
    };
    const texts = (memory: ChannelMemory, message: SlackMessage) =>
      compare(memory, fetched([message])).map(({ event }) => messageSchema.parse(event["message"]).text);

    it("is another content in the same second, once", async () => {
      const memory = await remembering(shown({}));
      expect(texts(memory, shown({}))).toEqual([]);
      const other = shown({ text: "two" });
      const [missed] = compare(memory, fetched([other]));
      expect(texts(memory, other)).toEqual(["two"]);
      for (const note of notesOf([missed?.event], false)) applyNote(memory, note);
      expect(texts(memory, other)).toEqual([]);
    });

    it("is nothing that Slack adds or turns round by itself", async () => {
      const memory = await remembering(shown({ blocks: [section] }));
      const turned = { text: { text: "x", type: "mrkdwn" }, block_id: "b", type: "section" };
      const preview = { from_url: "https://example.org", title: "Example", id: 1 };
      expect(texts(memory, shown({ blocks: [turned], attachments: [preview], reply_count: 2 }))).toEqual([]);
      expect(texts(memory, shown({ blocks: [{ ...section, text: { type: "mrkdwn", text: "y" } }] }))).toEqual(["one"]);
    });

    it("comes after the message, in whose second it may have begun before it", () => {
      const memory = ChannelMemory.since("1700000000.000000");
      const [first, ...others] = compare(memory, fetched([shown({})]));
      expect(first?.event["subtype"]).toBeUndefined();
      expect(others.map(({ when }) => compareTs(when, first?.when ?? ""))).toEqual([0]);
    });

    it("is a later second alone where an older version remembered no content", () => {
      const known = { [ts]: { e: edited.ts } };
      const memory = ChannelMemory.read(
        JSON.stringify({ watermark: ts, newest: ts, known, threads: {}, gone: [], forgotten: "0.0" }),
      );
      expect(texts(memory, shown({}))).toEqual([]);
      expect(texts(memory, shown({ edited: { ts: "1700000002.000000" } }))).toEqual(["one"]);
    });

    it("is none where Slack says of an edit only that there may be some", () => {
      const memory = ChannelMemory.since("1700000000.000000");
      memory.message(ts, undefined, undefined);
      expect(texts(memory, shown({ edited: {}, subtype: "assistant_app_thread" }))).toEqual([]);
    });
  });

  it("does not take a name that Slack leaves out for somebody who took the reaction back", () => {
    const memory = ChannelMemory.since("1700000000.000000");
    memory.message("1700000001.000000", undefined, undefined);
    for (const each of ["U1", "U2", "U3"]) memory.reaction("1700000001.000000", "eyes", each, true);
    const message = { ts: "1700000001.000000", reactions: [{ name: "eyes", users: ["U1"], count: 3 }] };
    expect(compare(memory, fetched([message]))).toEqual([]);
  });

  it("does not take for deleted what was not asked for, or has been forgotten", () => {
    const memory = ChannelMemory.since("1700000000.000000");
    memory.message("1700000001.000000", undefined, undefined);
    expect(compare(memory, { ...fetched([]), completeFrom: "1700000002.000000" })).toEqual([]);
    expect(compare(memory, { ...fetched([]), changesFrom: "1700000002.000000" })).toEqual([]);
    expect(compare(memory, fetched([])).map(({ event }) => event["subtype"])).toEqual(["message_deleted"]);
  });

  it("takes what is left of a deleted message with answers for a deletion", () => {
    const memory = ChannelMemory.since("1700000000.000000");
    memory.message("1700000001.000000", undefined, undefined);
    const tombstone = { ts: "1700000001.000000", subtype: "tombstone", reply_count: 1 };
    expect(compare(memory, fetched([tombstone])).map(({ event }) => event["deleted_ts"])).toEqual([
      "1700000001.000000",
    ]);
  });

  it("is remembered within what the core stores, the newest first", () => {
    const memory = ChannelMemory.since("1.0");
    for (let index = 0; index < 2_000; index += 1) {
      const ts = `${1_700_000_000 + index}.000000`;
      memory.message(ts, undefined, undefined);
      for (let each = 0; each < 20; each += 1) memory.reaction(ts, `emoji_number_${each}`, "U0123456789", true);
    }
    const text = memory.write();
    expect(text.length).toBeLessThanOrEqual(60_000);
    const read = ChannelMemory.read(text);
    expect(read.has("1700001999.000000")).toBe(true);
    expect(read.has("1700000000.000000")).toBe(false);
    // What comes once more of one that was forgotten is not all there was of it.
    read.message("1700001600.000000", undefined, undefined);
    expect(read.has("1700001600.000000")).toBe(false);
    read.message("1700002000.000000", undefined, undefined);
    expect(read.has("1700002000.000000")).toBe(true);
  });
});

describe("Slack's times", () => {
  it("are compared digit by digit", () => {
    expect(compareTs("1700000000.000001", "1700000000.000002")).toBeLessThan(0);
    expect(compareTs("999999999.999999", "1000000000.000000")).toBeLessThan(0);
    expect(compareTs("1700000000.000100", "1700000000.0001")).toBe(0);
    expect(["10.5", "9.5", "9.500001", "10.000001"].sort(compareTs)).toEqual(["9.5", "9.500001", "10.000001", "10.5"]);
  });

  it("are milliseconds and back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
        expect(Math.abs(timeOf(tsAt(ms)) - ms)).toBeLessThanOrEqual(1);
      }),
      { seed: 4 },
    );
  });
});
