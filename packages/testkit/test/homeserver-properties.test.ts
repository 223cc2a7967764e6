import { describe, expect, it } from "@jest/globals";
import { Homeserver } from "@trestle/testkit";
import fc from "fast-check";
import { Deque } from "../dist/homeserver/deque.js";
import { SeededRandom } from "../dist/homeserver/faults/random.js";
import { Router } from "../dist/homeserver/http/router.js";
import { hasLoneSurrogate, jsonEquals, nonCanonicalNumber, parseJson } from "../dist/homeserver/json.js";
import { readPowerLevels, refusedLevelChange } from "../dist/homeserver/rooms/power-levels.js";
import { content, FakeService, registration } from "./homeserver-support.js";

const SEED = 20240601;

describe("rules of the homeserver", () => {
  it("a deque is a list, whatever is done to it", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("push" as const), item: fc.nat() }),
      fc.record({ kind: fc.constant("take" as const), count: fc.nat(2_000) }),
      fc.record({ kind: fc.constant("unshift" as const), items: fc.array(fc.nat(), { maxLength: 5 }) }),
      fc.record({ kind: fc.constant("fill" as const), count: fc.nat(3_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const deque = new Deque<number>();
        let model: number[] = [];
        for (const each of steps) {
          if (each.kind === "push") {
            deque.push(each.item);
            model.push(each.item);
          } else if (each.kind === "take") {
            expect(deque.take(each.count)).toEqual(model.splice(0, each.count));
          } else if (each.kind === "unshift") {
            deque.unshift(each.items);
            model = [...each.items, ...model];
          } else {
            for (let index = 0; index < each.count; index++) {
              deque.push(index);
              model.push(index);
            }
          }
          expect(deque.length).toBe(model.length);
          expect(deque.peek()).toBe(model[0]);
        }
        expect(deque.toArray()).toEqual(model);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it("a route gives back any path parameters, decoded", () => {
    const router = new Router();
    const handler = (): { status: number } => ({ status: 200 });
    router.add("PUT", "/rooms/{room}/state/{type}/{key}", handler);
    router.add("PUT", "/rooms/{room}/state/{type}", handler);
    const word = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(word, word, word, (room, type, key) => {
        const path = `/rooms/${encodeURIComponent(room)}/state/${encodeURIComponent(type)}/${encodeURIComponent(key)}`;
        expect(router.match("PUT", path)).toMatchObject({ values: [room, type, key] });
      }),
      { seed: SEED },
    );
    expect(router.match("GET", "/rooms/a/state/b")).toBe("unknown-method");
    expect(router.match("PUT", "/rooms/a/state")).toBe("unknown-path");
    expect(router.match("PUT", "/rooms/%ff/state/b")).toBe("bad-encoding");
  });

  it("canonical JSON admits integers and whole characters alone", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseJson(JSON.stringify(value)) ?? null;
        const numbers =
          JSON.stringify(parsed)
            .replace(/"(?:[^"\\]|\\.)*"/gu, "")
            .match(/-?\d[\d.e+-]*/gu) ?? [];
        expect(nonCanonicalNumber(parsed) === undefined).toBe(
          numbers.every((number) => Number.isSafeInteger(Number(number))),
        );
        expect(jsonEquals(parsed, parseJson(JSON.stringify(parsed)))).toBe(true);
      }),
      { seed: SEED },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(hasLoneSurrogate({ [text]: [text] })).toBe(!text.isWellFormed());
      }),
      { seed: SEED },
    );
  });

  it("nobody raises anyone above himself, or changes who stands as high", () => {
    const level = fc.integer({ min: 0, max: 100 });
    const users = fc.dictionary(fc.constantFrom("@a:x", "@b:x", "@c:x"), level);
    fc.assert(
      fc.property(users, users, level, (before, after, usersDefault) => {
        const contentBefore = { users: before, users_default: usersDefault };
        const own = readPowerLevels(contentBefore, new Set(), undefined).user("@a:x");
        const refusal = refusedLevelChange(contentBefore, { users: after, users_default: usersDefault }, "@a:x", own);
        const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
          (id) => before[id] !== after[id],
        );
        const bad = changed.some(
          (id) => (after[id] ?? 0) > own || (before[id] ?? -1) > own || (id !== "@a:x" && before[id] === own),
        );
        expect(refusal !== undefined).toBe(bad);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("chances are what they say, and the same for the same seed", () => {
    const draw = (seed: number): boolean[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 10_000 }, () => random.happens(0.25));
    };
    expect(draw(7)).toEqual(draw(7));
    const hits = draw(7).filter(Boolean).length;
    expect(Math.abs(hits - 2_500)).toBeLessThan(200);
    const random = new SeededRandom(1);
    expect([random.repeats(0), random.repeats(3), random.happens(1), random.happens(0)]).toEqual([0, 3, true, false]);
  });

  it("a long backlog reaches the application service whole and in order", async () => {
    const service = await FakeService.start();
    const hs = await Homeserver.start({ registrations: [registration(service.url)], validate: false });
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat", invite: ["@irc_x:localhost.test"] });
    hs.sendEvent(roomId, {
      sender: "@irc_x:localhost.test",
      type: "m.room.member",
      stateKey: "@irc_x:localhost.test",
      content: { membership: "join" },
    });
    const total = 20_000;
    for (let index = 0; index < total; index++) {
      hs.sendEvent(roomId, {
        sender: alice.userId,
        type: "m.room.message",
        content: { msgtype: "m.text", body: String(index) },
      });
    }
    await hs.delivered("irc", 60_000);
    const bodies = service.events.flatMap((event) => content(event)["body"] ?? []);
    expect(bodies).toHaveLength(total);
    expect(bodies.every((body, index) => body === String(index))).toBe(true);
    expect(hs.room(roomId).messages()).toHaveLength(total);
    await hs.stop();
    await service.close();
  }, 60_000);
});
