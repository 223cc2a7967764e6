import { beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { HomeserverWatch } from "../dist/bridge/homeserver-watch.js";
import { Slots } from "../dist/bridge/slots.js";

const seed = 20261122;

describe("the watch on the homeserver", () => {
  let signs: string[];
  let watch: HomeserverWatch;
  beforeEach(() => {
    signs = [];
    watch = new HomeserverWatch({
      restarted: (why, surely) => signs.push(`${surely ? "surely" : "perhaps"}: ${why}`),
      back: (surely) => signs.push(surely ? "surely back" : "back"),
    });
  });
  const request = (status: number, route = "/rooms/{roomId}/send/{eventType}/{txnId}"): void =>
    watch.exchange({ method: "PUT", route, status, ms: 1 });

  it("takes one unanswered request for a hiccup and three in a row for an outage, each once", () => {
    for (const status of [200, 403, 429, 500, 0, 200, 502, 503, 504, 0, 0, 0, 200, 200]) request(status);
    expect(signs).toEqual([
      "perhaps: it did not answer",
      "back",
      "perhaps: it did not answer",
      "surely: it was away",
      "surely back",
    ]);
  });

  it("takes a transaction for a sign that it is back", () => {
    for (let count = 0; count < 4; count++) request(0);
    watch.transaction("7");
    watch.transaction("8");
    expect(signs.slice(2)).toEqual(["surely back"]);
  });

  it("does not take for its absence that it cannot reach us, or that a file was given up", () => {
    for (const status of [502, 504]) request(status, "/appservice/{appserviceId}/ping");
    for (const route of ["/media/download/{serverName}/{mediaId}", "/media/upload"]) request(0, route);
    expect(signs).toEqual([]);
    request(0, "/appservice/{appserviceId}/ping");
    expect(signs).toEqual(["perhaps: it did not answer"]);
  });

  it("looks into the first numbers that are left out, and not into all: several services may share them", () => {
    for (const id of ["4", "5", "7", "8", "10", "12", "14", "16"]) watch.transaction(id);
    expect(signs).toEqual(Array.from({ length: 3 }, () => "perhaps: it left out a transaction"));
    request(0);
    request(200);
    watch.transaction("18");
    expect(signs.at(-1)).toBe("perhaps: it left out a transaction");
  });

  it("notices every fall of the transaction ids", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 50 }), (ids) => {
        signs.length = 0;
        const counted = new HomeserverWatch({ restarted: (why) => signs.push(why), back: () => undefined });
        for (const id of ids) counted.transaction(String(id));
        const falls = ids.filter((id, index) => id < (ids[index - 1] ?? 0)).length;
        expect(signs.filter((why) => why === "its transaction ids begin again")).toHaveLength(falls);
      }),
      { seed },
    );
  });

  it("reads nothing into ids that are times or hashes", () => {
    for (const id of ["1767225600000000000", "9", "hPz3", "1767225600000000001", "8a", "-1", "", "9"])
      watch.transaction(id);
    expect(signs).toEqual([]);
  });

  it("tells a connection that was closed from one that broke", () => {
    watch.hungUp(false);
    watch.hungUp(true);
    expect(signs).toEqual(["perhaps: it closed its connection", "surely: it broke off a transaction"]);
  });
});

describe("slots", () => {
  it("run everything, in order, never more at once than there are, whatever fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.record({ turns: fc.nat({ max: 4 }), fails: fc.boolean() }), { maxLength: 20 }),
        async (count, works) => {
          const slots = new Slots(count);
          const begun: number[] = [];
          let running = 0;
          let most = 0;
          const results = works.map(({ turns, fails }, index) =>
            slots.run(async () => {
              begun.push(index);
              most = Math.max(most, ++running);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              running--;
              if (fails) throw new Error(`work ${index}`);
              return index;
            }),
          );
          const ends = await Promise.allSettled(results);
          expect(ends.map(({ status }) => status === "rejected")).toEqual(works.map(({ fails }) => fails));
          expect(begun).toEqual(works.map((_, index) => index));
          expect(most).toBeLessThanOrEqual(count);
        },
      ),
      { seed },
    );
  });
});
