import { describe, expect, it, jest } from "@jest/globals";
import { type NetworkEvent, ChannelId, RemoteMessageId, RemoteUserId } from "@trestle/core";
import { pino } from "pino";
import { FloodControl, Priority } from "../dist/session/flood-control.js";
import { Intake } from "../dist/session/intake.js";

describe("flood control", () => {
  it("lets a burst through, then keeps the rate, the urgent first", () => {
    jest.useFakeTimers();
    try {
      const flood = new FloodControl({ burst: 3, linesPerSecond: 2 });
      const sent: string[] = [];
      const started = performance.now();
      const times: number[] = [];
      const say = (priority: Priority, text: string) =>
        flood.schedule(priority, 1, () => {
          sent.push(text);
          times.push(performance.now() - started);
        });
      for (const text of ["c1", "c2", "c3", "c4", "c5"]) say(Priority.channel, text);
      say(Priority.query, "q1");
      say(Priority.control, "x1");
      expect(sent).toEqual(["c1", "c2", "c3"]);
      jest.advanceTimersByTime(2_100);
      expect(sent).toEqual(["c1", "c2", "c3", "x1", "q1", "c4", "c5"]);
      // Two a second.
      expect(times.slice(3).map((time) => Math.round(time / 500))).toEqual([1, 2, 3, 4]);
      flood.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it("tells whoever waits when it is closed, and takes back what is no longer wanted", () => {
    const flood = new FloodControl({ burst: 1, linesPerSecond: 0.01 });
    const sent: string[] = [];
    flood.schedule(Priority.channel, 1, () => sent.push("a"));
    const back = flood.schedule(
      Priority.channel,
      1,
      () => sent.push("b"),
      () => sent.push("b dropped"),
    );
    flood.schedule(
      Priority.channel,
      1,
      () => sent.push("c"),
      () => sent.push("c dropped"),
    );
    back?.();
    flood.close();
    expect(sent).toEqual(["a", "c dropped"]);
    expect(flood.schedule(Priority.channel, 1, () => sent.push("d"))).toBeUndefined();
  });

  it("is bounded", () => {
    const flood = new FloodControl({ burst: 1, linesPerSecond: 0.01 });
    let taken = 0;
    while (flood.schedule(Priority.channel, 1, () => undefined)) taken++;
    expect(taken).toBeLessThan(5_000);
    flood.close();
  });
});

describe("the intake", () => {
  const event = (id: string): NetworkEvent => ({
    kind: "profile",
    id: RemoteMessageId(id),
    channel: ChannelId("net/#c"),
    user: { id: RemoteUserId("net/x") },
  });
  const log = pino({ level: "silent" });

  it("acknowledges only what is on disk, in order, a batch at a time", async () => {
    const calls: string[][] = [];
    const done: (() => void)[] = [];
    const acknowledged: [string, number, string[]][] = [];
    const intake = new Intake({
      receive: (events) => {
        calls.push(events.map(({ id }) => id));
        return new Promise((resolve) => done.push(resolve));
      },
      acknowledge: (connection, line, changes) => acknowledged.push([connection, line, changes.map(([key]) => key)]),
      log,
    });
    intake.take({ connection: "c", line: 1, events: [event("1")], changes: [["a", "1"]] });
    intake.take({ connection: "c", line: 2, events: [], changes: [["b", "1"]] });
    intake.take({ connection: "d", line: 7, events: [event("7")], changes: [] });
    await Promise.resolve();
    await Promise.resolve();
    intake.take({ connection: "c", line: 3, events: [event("3")], changes: [] });
    intake.tell([event("told")]);
    expect([calls, acknowledged]).toEqual([[["1", "7"]], []]);
    done[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toEqual([
      ["c", 2, ["a", "b"]],
      ["d", 7, []],
    ]);
    expect(calls).toEqual([
      ["1", "7"],
      ["3", "told"],
    ]);
    done[1]!();
    expect(await intake.idle()).toBe(true);
    expect(acknowledged.at(-1)).toEqual(["c", 3, []]);
  });

  it("gives again what the disk refused, before what came later, and acknowledges nothing until then", async () => {
    const calls: string[][] = [];
    const acknowledged: number[] = [];
    const intake = new Intake({
      receive: (events) => {
        calls.push(events.map(({ id }) => id));
        if (calls.length > 2) return Promise.resolve();
        intake.take({ connection: "c", line: 3, events: [event("3")], changes: [] });
        return Promise.reject(new Error("full"));
      },
      acknowledge: (_, line) => acknowledged.push(line),
      log,
    });
    intake.take({ connection: "c", line: 1, events: [event("1")], changes: [] });
    intake.take({ connection: "c", line: 2, events: [event("2")], changes: [] });
    expect(await intake.idle()).toBe(true);
    expect(calls).toEqual([
      ["1", "2"],
      ["1", "2"],
      ["1", "2"],
      ["3", "3"],
    ]);
    expect(acknowledged).toEqual([2, 3]);
  });

  it("leaves out what the core will never take, and nothing else", async () => {
    const taken: string[] = [];
    const acknowledged: number[] = [];
    const intake = new Intake({
      receive: (events) => {
        if (events.some(({ id }) => id === "")) return Promise.reject(new TypeError("no usable id"));
        taken.push(...events.map(({ id }) => id));
        return Promise.resolve();
      },
      acknowledge: (_, line) => acknowledged.push(line),
      log,
    });
    for (const [index, id] of ["1", "", "3"].entries())
      intake.take({ connection: "c", line: index, events: [event(id)], changes: [] });
    expect(await intake.idle()).toBe(true);
    expect([taken, acknowledged]).toEqual([["1", "3"], [2]]);
  });

  it("acknowledges nothing after it was stopped", async () => {
    const acknowledged: number[] = [];
    let finish: () => void = () => undefined;
    const intake = new Intake({
      receive: () => new Promise((resolve) => (finish = resolve)),
      acknowledge: (_, line) => acknowledged.push(line),
      log,
    });
    intake.take({ connection: "c", line: 1, events: [event("1")], changes: [] });
    const idle = intake.idle();
    await new Promise((resolve) => setImmediate(resolve));
    intake.stop();
    finish();
    expect(await idle).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toEqual([]);
  });
});
