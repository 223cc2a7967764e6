import { describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId } from "@trestle/core";
import fc from "fast-check";
import { OwnIds } from "../../dist/own-ids.js";
import { Begins } from "../../dist/people/begins.js";
import { channelOf, conversationOf } from "../../dist/people/conversation.js";
import { MessageNames, partId } from "../../dist/people/message-names.js";

const channel = ChannelId("@alice:example.org bob@example.com");
const ids = new OwnIds("a secret");
const anyId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.integer({ min: 0, max: 99 }).map(String),
  fc.uuid(),
  fc.string({ minLength: 600, maxLength: 700 }),
  fc.uuid().map((id) => `${id}~abcdefghijkl`),
);

describe("the ids under which the core knows messages", () => {
  it("lead to the message and back to the wire, whatever id a client gives", () => {
    fc.assert(
      fc.property(anyId, fc.string(), (id, said) => {
        const names = new MessageNames(ids);
        const name = names.name(channel, { id }, said);
        expect(name.length).toBeLessThanOrEqual(1024);
        expect(names.find(channel, id)).toBe(name);
        expect(names.onWire(channel, name)).toBe(id);
        // Received again it is the same.
        expect(new MessageNames(ids).name(channel, { id }, said)).toBe(name);
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  it("tell apart what a client says under ids that it counts", () => {
    const names = new MessageNames(ids);
    const [first, second] = ["hello", "goodbye"].map((said) => names.name(channel, { id: "1" }, said));
    expect(first).not.toBe(second);
    // What is about it is about the last one.
    expect(names.find(channel, "1")).toBe(second);
  });

  it("are never those of the bridge, and take none of its away", () => {
    const names = new MessageNames(ids);
    const own = ids.of(channel, EffectId("effect"));
    const name = names.name(channel, { id: own }, "copied");
    expect(ids.isOwn(channel, name)).toBe(false);
    expect(names.find(channel, own)).toBe(own);
  });

  it("are one for all parts of a message of the bridge", () => {
    const names = new MessageNames(ids);
    const own = ids.of(channel, EffectId("effect"));
    for (const index of [0, 1, 12]) expect(names.find(channel, partId(own, index))).toBe(own);
    // Of others a dot means nothing.
    expect(names.find(channel, "message-of-bob.1")).toBe("message-of-bob.1");
  });

  it("are known again after a restart where they cannot be told from the wire, the latest of each conversation", async () => {
    const names = new MessageNames(ids);
    const given = Array.from({ length: 300 }, (_, index) => `said-elsewhere-${index}`);
    const own = given.map((id) => names.nameOwn(channel, { id }, "hello"));
    const counted = names.name(channel, { id: "1" }, "hello");
    names.name(ChannelId("@alice:example.org carol@example.com"), { id: "said-by-carol-1" }, "hello");
    const stored = names.remembered(channel);
    expect(JSON.stringify(stored).length).toBeLessThan(20_000);
    const again = new MessageNames(ids, { get: (key) => Promise.resolve(stored[key]) });
    await again.load(channel);
    expect(again.find(channel, "1")).toBe(counted);
    for (const latest of [201, 299]) expect(again.find(channel, given[latest] ?? "")).toBe(own[latest]);
    expect(again.remembered(channel)).toEqual(stored);
  });

  it("of a correction lead to what it corrects", () => {
    const names = new MessageNames(ids);
    const name = names.name(channel, { id: "message-one" }, "helo");
    names.alias(channel, { id: "correction-one", originId: "origin-one" }, name);
    expect(names.find(channel, "correction-one")).toBe(name);
    expect(names.find(channel, "origin-one")).toBe(name);
  });
});

describe("the channel of a conversation", () => {
  it("says between whom it is, and is no room's", () => {
    expect(conversationOf(channel)).toEqual({ user: "@alice:example.org", person: "bob@example.com" });
    for (const other of [
      "room@conference.example.org",
      "@alice:example.org",
      "@alice:example.org room@example.com/nick",
    ])
      expect(conversationOf(other)).toBeUndefined();
  });

  it("is not begun where the core could not keep it", () => {
    const talk = conversationOf(`@alice:example.org ${"b".repeat(1_000)}@example.com`);
    expect(talk && channelOf(talk)).toBeUndefined();
  });
});

it("lets nobody begin conversations without end", () => {
  const begins = new Begins(2, 3);
  const now = 3_600_000 * 100;
  const may = (person: string, at = now) => begins.mayBegin(person, at);
  expect(["bob", "bob", "bob", "carol", "dave"].map((person) => may(person))).toEqual([true, true, false, true, false]);
  expect(may("bob", now + 3_600_000)).toBe(true);
});
