import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import type { RawReceived } from "@trestle/core";
import fc from "fast-check";
import { pino } from "pino";
import { Intake, type IntakeOptions, type Taken } from "../../dist/link/index.js";
import { readFrame } from "../../dist/link/socket/frames.js";
import { readWire } from "../../dist/link/intake/wire.js";

const samples = fileURLToPath(new URL("../../../../../shared/data/slack-samples/events/", import.meta.url));
const present = existsSync(samples);
if (!present)
  process.stderr.write(
    "SKIPPED: Slack's recorded events are not beside the project (../shared/data/slack-samples): the intake is not held against them.\n",
  );

const log = pino({ level: "silent" });

function open(options: Partial<IntakeOptions> = {}) {
  const kept: RawReceived[] = [];
  const intake = new Intake({
    receive: (raws) => {
      kept.push(...raws);
      return Promise.resolve();
    },
    log,
    appId: () => "A1",
    knowsTeam: (team) => team.startsWith("T"),
    ...options,
  });
  const take = (body: unknown, kind: "event" | "command" = "event"): Promise<Taken> => intake.take({ kind, body });
  return { intake, kept, take };
}

const message = (changes: Readonly<Record<string, unknown>> = {}, event: Readonly<Record<string, unknown>> = {}) => ({
  type: "event_callback",
  event_id: "Ev1",
  api_app_id: "A1",
  team_id: "T1",
  event: { type: "message", channel: "C1", ts: "1.0", event_ts: "1.0", ...event },
  ...changes,
});

describe("the place of an event in the order", () => {
  const laneOf = async (event: Readonly<Record<string, unknown>>, changes = {}): Promise<string | undefined> => {
    const { kept, take } = open();
    await take({ ...message(), ...changes, event });
    return kept[0]?.channel;
  };

  it("is its channel's, wherever the event names it, and otherwise the workspace's", async () => {
    expect(await laneOf({ type: "message", channel: "C1" })).toBe("T1/C1");
    expect(await laneOf({ type: "reaction_added", item: { type: "message", channel: "C2", ts: "1.0" } })).toBe("T1/C2");
    expect(await laneOf({ type: "channel_rename", channel: { id: "C3", name: "x" } })).toBe("T1/C3");
    expect(await laneOf({ type: "file_shared", channel_id: "C4", file_id: "F1" })).toBe("T1/C4");
    expect(await laneOf({ type: "member_joined_channel", channel: "C5", user: "U1" })).toBe("T1/C5");
    for (const type of ["user_change", "emoji_changed", "tokens_revoked", "channel_id_changed"])
      expect(await laneOf({ type })).toBe("T1");
    expect(await laneOf({ type: "reaction_added", item: { type: "file", file: "F1" } })).toBe("T1");
    expect(await laneOf({ type: "message", channel: 7 })).toBe("T1");
  });

  it("is in the workspace in which the app is installed, where the event began in another", async () => {
    const shared = {
      team_id: "T2",
      authorizations: [{ team_id: "T1", enterprise_id: null, user_id: "U", is_bot: true }],
    };
    expect(await laneOf({ type: "message", channel: "C1" }, shared)).toBe("T1/C1");
    expect(await laneOf({ type: "message", channel: "C1" }, { team_id: "T2", context_team_id: "T1" })).toBe("T1/C1");
  });
});

describe("what Slack hands over", () => {
  it("is kept whole, but for the token", async () => {
    const { kept, take } = open();
    const body = message({ event_context: "4-x" }, { blocks: [{ type: "rich_text" }], odd: null });
    expect(await take({ ...body, token: "verification" })).toEqual({ outcome: "taken" });
    expect(kept).toEqual([
      { kind: "raw", id: "event:Ev1", channel: "T1/C1", wire: { from: "event", team: "T1", body } },
    ]);
    expect(readWire(JSON.parse(JSON.stringify(kept[0]?.wire)))).toEqual(kept[0]?.wire);
  });

  it("is not for us where nobody wants it, and forbidden where it is another app's", async () => {
    const { kept, take } = open({ wants: (_team, channel) => channel !== "C2" });
    expect((await take(message({}, { channel: "C2" }))).outcome).toBe("ignored");
    expect((await take(message({ team_id: "X1" }))).outcome).toBe("ignored");
    expect((await take(message({ api_app_id: "A2" }))).outcome).toBe("foreign");
    expect(kept).toEqual([]);
  });

  it("never makes it stumble, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.constantFrom("event", "command"), async (body, kind) => {
        const { kept, take } = open();
        expect((await take(body, kind)).outcome).toBe("ignored");
        expect(kept).toEqual([]);
      }),
      { seed: 4, numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (event) => {
        const { kept, take } = open();
        await take({ ...message(), event: { ...event, type: "message" } });
        expect(kept).toHaveLength(1);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it("is never an exception as a frame", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), (data) => {
        expect(["malformed", "hello", "disconnect", "envelope", "unused"]).toContain(readFrame(data).kind);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  (present ? it : it.skip)("is one of Slack's recorded events: each has a place and is kept", async () => {
    const files = readdirSync(samples).filter((name) => name.endsWith(".json"));
    expect(files.length).toBeGreaterThan(60);
    for (const name of files) {
      const body = JSON.parse(readFileSync(join(samples, name), "utf8")) as {
        readonly event?: { readonly type: string };
      };
      const { kept, take } = open({ appId: () => undefined });
      if (body.event === undefined) {
        expect([name, (await take(body)).outcome]).toEqual([name, "ignored"]);
        continue;
      }
      // Ids and some types were blanked in the recordings.
      const event = { ...body.event, type: body.event.type || "message" };
      const blanked = { type: "event_callback", event_id: "Ev1", team_id: "T1", authorizations: undefined };
      expect([name, (await take({ ...body, ...blanked, event })).outcome]).toEqual([name, "taken"]);
      expect(kept[0]?.channel).toMatch(/^T1(?:\/[A-Z0-9]+)?$/);
    }
  });
});

describe("the order on disk", () => {
  it("is that of the events within a moment, and of their arrival otherwise", async () => {
    const { kept, take } = open({ gatherMs: 5 });
    const at = (ts: string) => take(message({ event_id: `Ev${ts}` }, { ts, event_ts: ts }));
    await Promise.all(["3.000001", "1.000002", "1.000001", "10.000000", "2.5"].map(at));
    await at("1.5");
    expect(kept.map(({ id }) => id)).toEqual([
      "event:Ev1.000001",
      "event:Ev1.000002",
      "event:Ev2.5",
      "event:Ev3.000001",
      "event:Ev10.000000",
      "event:Ev1.5",
    ]);
  });

  it("is kept when the disk refuses: what it refused comes before what came later, and Slack hears of every failure", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), async (refusals) => {
        const kept: string[] = [];
        const { take } = open({
          receive: (raws) => {
            if (refusals.shift() === true) return Promise.reject(new Error("full"));
            for (const { id } of raws) if (!kept.includes(id)) kept.push(id);
            return Promise.resolve();
          },
        });
        const names = Array.from({ length: 6 }, (_, index) => `Ev${index}`);
        let open_ = [...names];
        // Slack sends what was not acknowledged again, some time after what came later.
        for (let round = 0; round < 60 && open_.length > 0; round += 1) {
          const failed: string[] = [];
          for (const id of open_) await take(message({ event_id: id })).catch(() => failed.push(id));
          open_ = failed;
        }
        expect(open_).toEqual([]);
        expect(kept).toEqual(names.map((id) => `event:${id}`));
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  it("does not stop at what the core can never take", async () => {
    const { kept, take } = open({
      receive: (raws) => {
        if (raws.some(({ id }) => id === "event:Ev1")) return Promise.reject(new TypeError("too long"));
        kept.push(...raws);
        return Promise.resolve();
      },
    });
    await expect(take(message())).rejects.toThrow("too long");
    expect((await take(message({ event_id: "Ev2" }))).outcome).toBe("taken");
    const together = ["Ev3", "Ev1", "Ev4"].map((event_id) => take(message({ event_id })));
    expect((await Promise.allSettled(together)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(kept.map(({ id }) => id)).toEqual(["event:Ev2", "event:Ev3", "event:Ev4"]);
  });

  it("is kept when the disk would refuse one event and take the next, also of those that come together", async () => {
    const kept: string[] = [];
    let refuses = true;
    const { take } = open({
      // Like a disk on which the larger one finds no room.
      receive: (raws) => {
        if (refuses && raws.some(({ id }) => id === "event:Ev2")) return Promise.reject(new Error("full"));
        for (const { id } of raws) if (!kept.includes(id)) kept.push(id);
        return Promise.resolve();
      },
    });
    const names = ["Ev1", "Ev2", "Ev3", "Ev4"];
    const first = await Promise.allSettled(names.map((event_id) => take(message({ event_id }))));
    refuses = false;
    // What was not taken Slack sends again, in any order.
    const again = names.filter((_, index) => first[index]?.status === "rejected").reverse();
    await Promise.all(again.map((event_id) => take(message({ event_id }))));
    expect(kept).toEqual(names.map((id) => `event:${id}`));
  });
});
