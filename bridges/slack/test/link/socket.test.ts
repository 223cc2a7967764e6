import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage, until, type StageOptions } from "./support/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(options: StageOptions = {}): Promise<Stage> {
  stage = await Stage.open(options);
  await stage.start();
  return stage;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index + 1}`);
const states = (on: Stage): string[] =>
  on.slack
    .app()
    .deliveries()
    .map(({ state }) => state);

describe("Socket Mode", () => {
  it("acknowledges what is on disk, and nothing before", async () => {
    const on = await open();
    let keep = (): void => undefined;
    const disk = new Promise<void>((resolve) => (keep = resolve));
    on.core.beforeKeeping = () => disk;
    on.alice.post("general", "hello");
    await until(20_000, "the event", () => (on.slack.app().deliveries().length === 1 ? true : undefined));
    // Slack waits a second for an acknowledgement, sends the event again, and has none for that either.
    await until(20_000, "a second attempt", () =>
      (on.slack.app().deliveries()[0]?.attempts.length ?? 0) > 1 ? true : undefined,
    );
    expect(states(on)).toEqual(["pending"]);
    keep();
    await on.hears("hello");
    await on.slack.settled();
    expect(states(on)).toEqual(["delivered"]);
    expect(on.heard()).toEqual(["hello"]);
  });

  it("gets again what the disk refused, before what came after it", async () => {
    const on = await open();
    let refused = 0;
    const full = (): Promise<void> => {
      refused += 1;
      return Promise.reject(new Error("the disk is full"));
    };
    on.core.beforeKeeping = full;
    for (const text of numbers(3)) on.alice.post("general", text);
    await until(20_000, "that the disk refuses all", () => (refused >= 3 ? true : undefined));
    on.core.beforeKeeping = () => Promise.resolve();
    // Slack has not sent the first ones again yet when the next ones come.
    for (const text of numbers(6).slice(3)) on.alice.post("general", text);
    await on.hears(...numbers(6));
    await on.slack.settled();
    expect(on.heard()).toEqual(numbers(6));
    expect(new Set(states(on))).toEqual(new Set(["delivered"]));
  });

  it("drops what comes twice, and puts in order what two connections bring", async () => {
    // Slack is patient: what it sends again because the machine is slow would be counted as well.
    const on = await open({ config: { sockets: 4 }, slack: { ackTimeout: 60_000 } });
    on.slack.faults.events({ kind: "duplicate", times: 50 });
    const texts = numbers(100);
    for (const text of texts) on.alice.post("general", text);
    await on.hears(...texts);
    await on.slack.settled();
    expect(on.heard()).toEqual(texts);
    expect(on.core.repetitions).toBe(50);
  });

  it("renews its connections under load, and every event arrives at the first attempt", async () => {
    const on = await open({ slack: { ackTimeout: 60_000 } });
    const app = on.slack.app();
    const texts = numbers(400);
    for (const [index, text] of texts.entries()) {
      if (index % 50 === 25) {
        const opened = 2 + Math.floor(index / 50);
        await until(20_000, "the last renewal", () =>
          app.connectionsMade === opened && app.connections === 2 ? true : undefined,
        );
        app.askToLeave("refresh_requested", "oldest");
      }
      on.alice.post("general", text);
      if (index % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await on.hears("message 400");
    await on.slack.settled();
    expect(on.heard()).toEqual(texts);
    await app.waitForConnections(2);
    expect(on.slack.calls("apps.connections.open").length).toBe(10);
    expect(app.deliveries().filter(({ attempts }) => attempts.length !== 1).length).toBe(0);
    const connections = on.core.reported.filter(({ connection }) => connection.startsWith("socket"));
    expect(connections.filter(({ state }) => state === "waiting")).toEqual([]);
  });

  it("opens the new connection before the old one is closed, with one connection too", async () => {
    const on = await open({ config: { sockets: 1 } });
    const app = on.slack.app();
    const counts: number[] = [];
    const timer = setInterval(() => counts.push(app.connections), 1);
    for (let round = 0; round < 5; round += 1) {
      const before = app.connectionsMade;
      app.askToLeave("warning");
      await until(20_000, "the renewal", () =>
        app.connectionsMade > before && app.connections === 1 ? true : undefined,
      );
    }
    clearInterval(timer);
    expect(Math.min(...counts)).toBe(1);
    expect(Math.max(...counts)).toBe(2);
  });

  it("survives frames that make no sense, and answers those that it has no use for", async () => {
    const on = await open();
    const app = on.slack.app();
    for (const frame of [
      "{",
      "null",
      "[]",
      '"text"',
      '{"type":7}',
      '{"type":"events_api"}',
      '{"type":"disconnect","reason":5}',
    ])
      app.sendFrame(frame);
    app.sendFrame({ type: "events_api", envelope_id: "e1", payload: { type: "app_rate_limited", team_id: on.team } });
    app.sendFrame({ type: "events_api", envelope_id: "e2", payload: null });
    app.sendFrame({ type: "interactive", envelope_id: "e3", payload: {} });
    on.alice.post("general", "after all that");
    await on.hears("after all that");
    await app.waitForConnections(2);
  });

  it("comes back after its connections were cut and Slack was away, and makes up for what it missed", async () => {
    const on = await open();
    on.alice.post("general", "before");
    await on.hears("before");
    const away = on.slack.faults.api({ kind: "status", status: 503, method: "apps.connections.open" });
    on.slack.app().cutConnections();
    await until(20_000, "several tries", () => (away.hits >= 4 ? true : undefined));
    expect(on.core.reported.some(({ connection, state }) => connection === "socket 1" && state === "waiting")).toBe(
      true,
    );
    for (const text of ["one", "two"]) on.alice.post("general", text);
    await on.slack.settled();
    away.lift();
    await on.slack.app().waitForConnections(2);
    on.alice.post("general", "three");
    await on.hears("one", "two", "three");
    expect(on.heard()).toEqual(["before", "one", "two", "three"]);
  });

  it("says loudly that the app's token was revoked, ends nothing, and comes back when it is good again", async () => {
    const on = await open({ tuning: { hopelessMs: 30 } });
    const app = on.slack.app();
    const token = app.appToken;
    app.revoke(token);
    await until(20_000, "the failure", () => (on.core.statuses.get("socket 1")?.state === "failed" ? true : undefined));
    expect(on.core.statuses.get("socket 1")?.detail).toMatch(/link_disabled|install the app again/);
    on.alice.post("general", "meanwhile");
    await on.slack.settled();
    app.restore(token);
    await until(20_000, "the connections", () =>
      on.core.statuses.get("socket 1")?.state === "connected" ? true : undefined,
    );
    await on.hears("meanwhile");
  });

  it("closes with a connection that answers nothing", async () => {
    const on = await open({ tuning: { pingMs: 20 } });
    on.slack.app().sendFrame({ type: "hello" });
    await on.link.close();
    expect(on.core.statuses.get("socket 1")?.state).toBe("closed");
    await until(20_000, "no connection", () => (on.slack.app().connections === 0 ? true : undefined));
  });
});
