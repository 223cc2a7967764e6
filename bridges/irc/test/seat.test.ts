import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { FloodControl, Priority } from "../dist/session/flood-control.js";
import { Seat, type SeatOptions } from "../dist/network/connections/seat.js";

type Connection = ReturnType<SeatOptions["open"]>;
type Ending = Parameters<Seat["ended"]>[1];

const REFUSED: Ending = {
  reason: "connect ECONNREFUSED 127.0.0.1:6667",
  wasReady: false,
  reached: false,
  answered: false,
  barred: false,
  rejected: false,
};
const CUT_OFF: Ending = { ...REFUSED, reason: "socket closed", wasReady: true, reached: true, answered: true };
const SENT_AWAY: Ending = { ...REFUSED, reason: "Closing link: come later", reached: true, answered: true };

/** One of those who connect, and what a server makes of it. */
class Place {
  readonly opened: { readonly at: number; readonly connection: Connection }[] = [];
  readonly seat: Seat;

  constructor(
    readonly name: string,
    readonly turns: string[],
    options: Pick<SeatOptions, "connects"> & Partial<SeatOptions>,
  ) {
    this.seat = new Seat({
      priority: Priority.query,
      comingBack: Priority.channel,
      retryMin: 300,
      retryMax: 300_000,
      report: () => undefined,
      open: () => {
        // Of a connection the seat only asks whether it is ready.
        const standIn: unknown = { ready: false };
        const connection = standIn as Connection;
        this.opened.push({ at: performance.now(), connection });
        turns.push(name);
        return connection;
      },
      ...options,
    });
  }

  /** The open connection ends. */
  end(ending: Ending): void {
    const { current } = this.seat;
    if (!current) throw new Error(`${this.name} has no connection`);
    this.seat.ended(current, ending);
  }

  letIn(): void {
    Object.assign(this.seat.current ?? {}, { ready: true });
    this.seat.isReady();
  }
}

let turns: string[];
let connects: FloodControl;

beforeEach(() => {
  jest.useFakeTimers();
  turns = [];
  connects = new FloodControl({ burst: 5, linesPerSecond: 1 });
});

afterEach(() => {
  connects.close();
  jest.useRealTimers();
});

/** Lets time pass; whoever tries to connect meanwhile is refused at once. */
function pass(ms: number, ...places: readonly Place[]): void {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    jest.advanceTimersByTime(10);
    for (const place of places) if (place.seat.current) place.end(REFUSED);
  }
}

describe("while a server is away", () => {
  it("the bot looks for it again and again, less often the longer it is away, and whatever connecting may cost", () => {
    const bot = new Place("bot", turns, { connects, isLookout: true });
    bot.seat.connect();
    pass(3_000, bot);
    // One look every 300 ms, though the network allows a connection a second after the first five.
    expect(bot.opened.length).toBeGreaterThanOrEqual(9);
    pass(600_000, bot);
    const times = bot.opened.map(({ at }) => at);
    const began = times[0] ?? 0;
    for (const [index, at] of times.entries()) {
      const before = times[index - 1] ?? began;
      expect(at - before).toBeLessThanOrEqual(Math.max(330, (before - began) * 0.11));
    }
    expect(times.length).toBeLessThan(100);
  });

  it("nobody else does, and all go at once when it is found", async () => {
    const bot = new Place("bot", turns, { connects, isLookout: true });
    const others = ["a", "b", "c", "d"].map(
      (name) => new Place(name, turns, { connects, isLookedFor: () => bot.seat.isLooking }),
    );
    for (const place of [bot, ...others]) {
      place.seat.connect();
      place.letIn();
    }
    pass(20_000);
    for (const place of [bot, ...others]) place.end(CUT_OFF);
    turns.length = 0;
    const speaking = new AbortController();
    const used = others[2]?.seat.use(10_000, speaking.signal);
    pass(3_000, bot, ...others);
    expect(new Set(turns)).toEqual(new Set(["bot"]));
    turns.length = 0;
    for (const { seat } of others) seat.serverIsBack();
    expect(turns).toEqual(["a", "b", "c", "d"]);
    others[2]?.letIn();
    expect(await used).toBe(others[2]?.seat.connection);
  });

  it("a puppet that has just been let in when it goes comes back with the others", () => {
    const often = new FloodControl({ burst: 100, linesPerSecond: 100 });
    const other = new Place("a", turns, { connects: often });
    other.seat.connect();
    for (let time = 0; time < 8; time++) {
      other.letIn();
      other.end(CUT_OFF);
      other.seat.serverIsAway();
      other.seat.serverIsBack();
      expect(other.seat.current).toBeDefined();
    }
    other.letIn();
    // Cut off by a server that is there: that is meant for it alone.
    other.end(CUT_OFF);
    other.seat.serverIsBack();
    expect(other.seat.current).toBeUndefined();
    often.close();
  });

  it("who is waited for goes first where not all can go at once", () => {
    const bot = new Place("bot", turns, { connects, isLookout: true });
    const few = new FloodControl({ burst: 1, linesPerSecond: 0.001 });
    const others = ["a", "b", "c"].map(
      (name) => new Place(name, turns, { connects: few, isLookedFor: () => bot.seat.isLooking }),
    );
    bot.seat.connect();
    bot.end(REFUSED);
    for (const place of others) {
      place.seat.connect();
      place.end(REFUSED);
    }
    turns.length = 0;
    void others[2]?.seat.use(10_000, new AbortController().signal);
    // The only turn there is, is taken.
    few.schedule(Priority.control, 1, () => undefined);
    for (const { seat } of others) seat.serverIsBack();
    expect(turns).toEqual([]);
    pass(1_000_100);
    expect(turns.filter((name) => name !== "bot")).toEqual(["c"]);
    few.close();
  });

  it("a bot that the server does not want is not waited for", () => {
    const bot = new Place("bot", turns, { connects, isLookout: true });
    const other = new Place("a", turns, { connects, isLookedFor: () => bot.seat.isLooking });
    bot.seat.connect();
    other.seat.connect();
    other.end(REFUSED);
    bot.end({ ...SENT_AWAY, reason: "Closing link: you are banned from this server", barred: true });
    pass(10_000, other);
    expect(other.opened.length).toBeGreaterThan(2);
  });
});

describe("a server that is there and lets nobody in", () => {
  it("is asked less and less often, also while others find it there", () => {
    const bot = new Place("bot", turns, { connects, isLookout: true });
    bot.seat.connect();
    for (let time = 0; time < 6_000; time++) {
      jest.advanceTimersByTime(10);
      if (bot.seat.current) bot.end(SENT_AWAY);
      bot.seat.serverIsBack();
    }
    // 0.3 s, doubled each time, of a minute.
    expect(bot.opened.length).toBeLessThan(10);
  });
});

describe("a seat that gets no turn because too many wait", () => {
  it("asks for one later", () => {
    const full = new FloodControl({ burst: 1, linesPerSecond: 0.001 });
    const waits: (() => void)[] = [];
    for (let taken = full.schedule(Priority.channel, 1, () => undefined); taken;) {
      waits.push(taken);
      taken = full.schedule(Priority.channel, 1, () => undefined);
    }
    const place = new Place("a", turns, { connects: full, retryMax: 1_000 });
    place.seat.connect();
    for (const takeBack of waits) takeBack();
    pass(1_000_000);
    expect(turns).toEqual(["a"]);
    full.close();
  });
});
