import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(60_000);

const poison: readonly unknown[] = [
  null,
  7,
  "text",
  [],
  {},
  { type: "m.room.message" },
  { type: 5, event_id: "$a", room_id: "!x", sender: "@a:b", content: {} },
  { type: "m.room.message", event_id: "$b", room_id: "!x", sender: "@a:b", content: null },
  { type: "m.room.message", event_id: "$c", room_id: null, sender: "@a:b", content: {}, origin_server_ts: "yesterday" },
  { type: "m.room.member", event_id: "$d", room_id: "!x", sender: "@a:b", state_key: 9, content: { membership: [] } },
  { type: "__proto__", event_id: "$e", room_id: "!x", sender: "@a:b", content: {}, origin_server_ts: 1 },
];

/** Contents that no client should send, in a linked room. */
const contents: readonly unknown[] = [
  {},
  { msgtype: 7, body: "x" },
  { msgtype: "m.text", body: { deep: true } },
  { msgtype: "m.text", body: "\u0000\ud800" },
  { msgtype: "m.text", body: "x", format: "org.matrix.custom.html", formatted_body: "<b>".repeat(20_000) },
  { msgtype: "m.image", body: "x", url: 5 },
  { msgtype: "m.text", body: "x", "m.relates_to": "reply" },
  { msgtype: "m.text", body: "x", "m.relates_to": { rel_type: "m.replace" } },
];

describe("events that nobody can make sense of", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  async function push(id: string, events: readonly unknown[]): Promise<number> {
    const answer = await fetch(`${stage.trestle.url}/_matrix/app/v1/transactions/${id}`, {
      method: "PUT",
      headers: { authorization: "Bearer hs-token-of-the-fault-tests", "content-type": "application/json" },
      body: JSON.stringify({ events }),
    });
    return answer.status;
  }

  function message(id: string, content: unknown): unknown {
    return {
      type: "m.room.message",
      event_id: id,
      room_id: stage.room(),
      sender: stage.alice.userId,
      origin_server_ts: Date.now(),
      content,
    };
  }

  it("are taken, and their neighbours in the same transaction arrive", async () => {
    stage = await Stage.open({ places: 1 });
    const events = poison.flatMap((event, index) => [
      message(`$before${index}`, { msgtype: "m.text", body: `neighbour ${index}` }),
      event,
    ]);
    expect(await push("poison1", events)).toBe(200);
    for (const index of poison.keys()) stage.expectOnNetwork(`neighbour ${index}`);
    await expectAllOnceInOrder(stage);
    expect(await push("poison2", events)).toBe(200);
    await stage.sayOnMatrix(3);
    await expectAllOnceInOrder(stage);
  });

  it("never stop a room", async () => {
    stage = await Stage.open({ places: 1 });
    const events = contents.map((content, index) => message(`$bad${index}`, content));
    expect(await push("bad", events)).toBe(200);
    await stage.sayOnMatrix(3);
    await until(
      10_000,
      "what came after them",
      () => stage.network.taken.some(({ text }) => text === "matrix 3") || undefined,
    );
    expect(stage.network.taken.filter(({ text }) => text.startsWith("matrix")).map(({ text }) => text)).toEqual([
      "matrix 1",
      "matrix 2",
      "matrix 3",
    ]);
  });

  it.each(["{", "[]", "null", '{"events":{}}', '{"events":null}', "\u0000"])(
    "a body that is %j is refused and nothing stops",
    async (body) => {
      stage = await Stage.open({ places: 1 });
      const answer = await fetch(`${stage.trestle.url}/_matrix/app/v1/transactions/odd`, {
        method: "PUT",
        headers: { authorization: "Bearer hs-token-of-the-fault-tests" },
        body,
      });
      expect([200, 400]).toContain(answer.status);
      await stage.sayOnMatrix(3);
      await expectAllOnceInOrder(stage);
    },
  );
});
