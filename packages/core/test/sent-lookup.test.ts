import { describe, expect, it } from "@jest/globals";
import pino from "pino";
import { EventId, RoomId, UserId } from "@trestle/core";
import { effectKey } from "../dist/bridge/effect-id.js";
import { SentLookup, type Doubt } from "../dist/bridge/sent-lookup.js";
import type { ClientEvent } from "../dist/matrix/answers.js";
import type { MatrixResult } from "../dist/matrix/result.js";

const pageSize = 100;
const bot = UserId("@bot:test");
const doubt = {
  room: RoomId("!room:test"),
  asUser: bot,
  since: 10_000_000,
  sinceStart: true,
  inOrder: true,
} satisfies Omit<Doubt, "effect">;

/** A room, its newest event first, of which pages can be read backwards. */
class Room {
  readonly events: ClientEvent[] = [];
  readonly delivered = new Set<string>();
  reads = 0;
  /** Answers to requests instead of a page. */
  readonly failures: MatrixResult<never>[] = [];
  readonly lookup = new SentLookup({
    log: pino({ level: "silent" }),
    isDelivered: (_, { eventId }) => Promise.resolve(this.delivered.has(eventId)),
    client: {
      messages: ({ from }) => {
        this.reads += 1;
        const failure = this.failures.shift();
        if (failure) return Promise.resolve(failure);
        const first = Number(from ?? 0);
        const end = first + pageSize < this.events.length ? String(first + pageSize) : undefined;
        const events = this.events.slice(first, first + pageSize);
        return Promise.resolve({ ok: true, body: { events, state: [], ...(end !== undefined && { end }) } });
      },
    },
  });

  /** What was said before all else, at the time that what is in doubt was journaled. */
  before(count: number, effect?: string, at = doubt.since): this {
    for (let n = 0; n < count; n += 1)
      this.events.push({
        type: "m.room.message",
        eventId: EventId(`$${this.events.length}`),
        sender: bot,
        at,
        content: effect === undefined ? {} : { [effectKey]: effect },
      });
    return this;
  }

  async find(effect: string, more: Partial<Doubt> = {}): Promise<string | null> {
    const found = await this.lookup.find({ ...doubt, ...more, effect });
    if (!found.ok) throw new Error(found.failure.message);
    return found.body;
  }
}

describe("looking for what may have been sent before", () => {
  it("finds it behind thousands of events, and reads no page twice for what else is in doubt", async () => {
    const room = new Room().before(4_050).before(1, "newer").before(49).before(1, "older").before(500);
    expect(await room.find("older")).toBe("$4100");
    expect(room.reads).toBe(42);
    expect(await room.find("newer")).toBe("$4050");
    expect(room.reads).toBe(42);
    expect(await room.find("oldest")).toBeNull();
    expect(room.reads).toBe(47);
  });

  it("goes no further than to what is delivered, because what is in doubt came after it", async () => {
    const room = new Room().before(150).before(1, "delivered").before(3_000);
    room.delivered.add("$150");
    expect(await room.find("never sent")).toBeNull();
    expect(await room.find("nor this")).toBeNull();
    expect(room.reads).toBe(2);
  });

  it("goes further where the order says nothing", async () => {
    const room = new Room().before(150).before(1, "delivered").before(600).before(1, "replayed").before(90);
    room.delivered.add("$150");
    expect(await room.find("replayed", { inOrder: false })).toBe("$751");
  });

  it("goes no further than to what was said well before it, whatever time single events have", async () => {
    const hours = 3_600_000;
    const room = new Room().before(99).before(1, "late", doubt.since - 2 * hours);
    room
      .before(1, "sought")
      .before(99)
      .before(2_000, undefined, doubt.since - hours);
    expect(await room.find("sought")).toBe("$100");
    expect(await room.find("never sent")).toBeNull();
    expect(room.reads).toBe(3);
  });

  it("goes on where it was when a page could not be read", async () => {
    const room = new Room().before(450).before(1, "sought");
    room.failures.push({ ok: false, failure: { kind: "unanswered", applied: "no", message: "away" } });
    await expect(room.find("sought")).rejects.toThrow("away");
    expect(await room.find("sought")).toBe("$450");
    expect(room.reads).toBe(6);
  });

  it("looks anew at the newest events once something was sent, but not for what was in doubt before", async () => {
    const room = new Room().before(10);
    const later = { sinceStart: false } as const;
    expect([await room.find("sought"), await room.find("sought", later)]).toEqual([null, null]);
    room.events.unshift({ ...new Room().before(1, "sought").events[0]!, eventId: EventId("$new") });
    room.lookup.sending(doubt.room, true);
    expect([await room.find("sought"), await room.find("sought", later)]).toEqual([null, "$new"]);
    room.lookup.sending(doubt.room, false);
    expect(await room.find("sought")).toBe("$new");
  });
});
