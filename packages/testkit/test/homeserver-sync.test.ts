import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import type { Body } from "./homeserver-support.js";
import { content, list, poll, record, text } from "./homeserver-support.js";

describe("GET /sync", () => {
  let hs: Homeserver;
  let alice: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    hs = await Homeserver.start();
    alice = hs.createClient("alice");
    bob = hs.createClient("bob");
  });
  afterEach(() => hs.stop());

  const section = (answer: Body, kind: string, roomId: string): Body =>
    record(record(record(answer["rooms"])[kind])[roomId]);
  const events = (room: Body, part: string): Body[] => list(record(room[part])["events"]) ?? [];
  const bodies = (room: Body): unknown[] => events(room, "timeline").flatMap((event) => content(event)["body"] ?? []);

  it("gives the whole state at first, then what is new", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    for (let index = 0; index < 15; index++) await alice.sendText(roomId, String(index));
    const first = await alice.sync();
    const room = section(first, "join", roomId);
    expect(bodies(room)).toEqual(Array.from({ length: 10 }, (_, index) => String(index + 5)));
    expect(record(room["timeline"])["limited"]).toBe(true);
    expect(events(room, "state").map((event) => event["type"])).toContain("m.room.create");
    expect(record(await alice.sync(text(first["next_batch"])))["rooms"]).toEqual({
      join: {},
      invite: {},
      knock: {},
      leave: {},
    });
    await alice.sendText(roomId, "new");
    const second = await alice.sync(text(first["next_batch"]));
    expect(bodies(section(second, "join", roomId))).toEqual(["new"]);
    expect(events(section(second, "join", roomId), "state")).toEqual([]);
  });

  it("tells the changed state of a gap, and the token before it", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const { next_batch: since } = await alice.sync();
    await alice.setTopic(roomId, "in the gap");
    for (let index = 0; index < 12; index++) await alice.sendText(roomId, String(index));
    const room = section(await alice.sync(text(since)), "join", roomId);
    expect(events(room, "state").map((event) => content(event)["topic"])).toEqual(["in the gap"]);
    expect(bodies(room)).toHaveLength(10);
    const before = await alice.request("GET", `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages`, {
      query: { dir: "b", from: text(record(room["timeline"])["prev_batch"]), limit: 3 },
    });
    expect(list(before["chunk"])!.map((event) => content(event)["body"] ?? content(event)["topic"])).toEqual([
      "1",
      "0",
      "in the gap",
    ]);
  });

  it("waits for news and is woken by them", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const { next_batch: since } = await alice.sync();
    const waiting = alice.sync(text(since), 30_000);
    await bob.join(roomId);
    const room = section(await waiting, "join", roomId);
    expect(events(room, "timeline")[0]).toMatchObject({ type: "m.room.member", state_key: bob.userId });
  });

  it("shows invitations, knocks and departures", async () => {
    const { next_batch: start } = await bob.sync();
    const roomId = await alice.createRoom({ name: "Private", invite: [bob.userId], is_direct: true });
    const invited = await bob.sync(text(start));
    const state = list(record(section(invited, "invite", roomId)["invite_state"])["events"]) ?? [];
    expect(state.map((event) => event["type"])).toEqual(
      expect.arrayContaining(["m.room.name", "m.room.member", "m.room.create"]),
    );
    expect(state.find((event) => event["state_key"] === bob.userId)).toMatchObject({ content: { is_direct: true } });
    await bob.join(roomId);
    const joined = await bob.sync(text(invited["next_batch"]));
    expect(events(section(joined, "join", roomId), "timeline").length).toBeGreaterThan(0);
    await alice.kick(roomId, bob.userId);
    const left = await bob.sync(text(joined["next_batch"]));
    expect(events(section(left, "leave", roomId), "timeline").at(-1)).toMatchObject({
      content: { membership: "leave" },
    });
    const open = await alice.createRoom({
      initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
    });
    await bob.knock(open);
    const knocking = await bob.sync(text(left["next_batch"]));
    expect(list(record(section(knocking, "knock", open)["knock_state"])["events"])!.length).toBeGreaterThan(0);
  });

  it("carries typing, receipts, presence, account data, and transaction ids to the device that sent", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const { next_batch: since } = await alice.sync();
    const eventId = await alice.send(roomId, "m.room.message", { msgtype: "m.text", body: "x" }, "my-txn");
    await bob.setTyping(roomId, true);
    await bob.sendReceipt(roomId, eventId);
    await bob.sendReceipt(roomId, eventId, "m.read.private");
    await bob.request("PUT", `/_matrix/client/v3/presence/${encodeURIComponent(bob.userId)}/status`, {
      body: { presence: "online" },
    });
    const user = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}`;
    await alice.request("PUT", `${user}/account_data/org.example.x`, { body: { a: 1 } });
    await alice.request("POST", `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/read_markers`, {
      body: { "m.fully_read": eventId },
    });
    const answer = await alice.sync(text(since));
    const room = section(answer, "join", roomId);
    expect(record(events(room, "timeline")[0]!["unsigned"])["transaction_id"]).toBe("my-txn");
    const ephemeral = events(room, "ephemeral");
    expect(ephemeral[0]).toEqual({ type: "m.typing", content: { user_ids: [bob.userId] } });
    expect(JSON.stringify(ephemeral[1])).toContain('"m.read"');
    expect(JSON.stringify(ephemeral)).not.toContain("m.read.private");
    expect(events(room, "account_data")).toEqual([{ type: "m.fully_read", content: { event_id: eventId } }]);
    expect(list(record(answer["presence"])["events"])![0]).toMatchObject({
      sender: bob.userId,
      content: { presence: "online" },
    });
    expect(list(record(answer["account_data"])["events"])).toEqual([{ type: "org.example.x", content: { a: 1 } }]);
    const his = section(await bob.sync(), "join", roomId);
    const message = events(his, "timeline").find((event) => event["event_id"] === eventId);
    expect(record(message!["unsigned"])["transaction_id"]).toBeUndefined();
  });

  it("lets typing lapse", async () => {
    const roomId = await alice.createRoom();
    await alice.setTyping(roomId, true, 20);
    expect(hs.room(roomId).typing()).toEqual([alice.userId]);
    await poll(() => hs.room(roomId).typing().length === 0);
  });

  it("passes messages from device to device, once", async () => {
    const { next_batch: since } = await bob.sync();
    await alice.request("PUT", "/_matrix/client/v3/sendToDevice/m.test/t1", {
      body: { messages: { [bob.userId]: { "*": { hello: 1 } } } },
    });
    const answer = await bob.sync(text(since));
    expect(list(record(answer["to_device"])["events"])).toEqual([
      { type: "m.test", sender: alice.userId, content: { hello: 1 } },
    ]);
    const next = await bob.sync(text(answer["next_batch"]));
    expect(list(record(next["to_device"])["events"])).toEqual([]);
  });

  it("serves a stored filter", async () => {
    const roomId = await alice.createRoom();
    await alice.sendText(roomId, "x");
    const user = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}`;
    const filter = { room: { timeline: { limit: 1, types: ["m.room.message"] } } };
    const { filter_id: id } = await alice.request("POST", `${user}/filter`, { body: filter });
    expect(await alice.request("GET", `${user}/filter/${text(id)}`)).toEqual(filter);
    const answer = await alice.request("GET", "/_matrix/client/v3/sync", { query: { filter: text(id) } });
    expect(events(section(answer, "join", roomId), "timeline").map((event) => event["type"])).toEqual([
      "m.room.message",
    ]);
  });
});

describe("the door", () => {
  it("waits for events that are there and that come, and says when none does", async () => {
    const hs = await Homeserver.start();
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom();
    await alice.sendText(roomId, "there");
    const there = await hs.waitFor((event) => content(event)["body"] === "there");
    expect(there["sender"]).toBe(alice.userId);
    const coming = hs.waitFor((event) => content(event)["body"] === "coming", { roomId });
    hs.sendEvent(roomId, {
      sender: alice.userId,
      type: "m.room.message",
      content: { msgtype: "m.text", body: "coming" },
    });
    expect((await coming)["room_id"]).toBe(roomId);
    await expect(hs.waitFor(() => false, { timeoutMs: 10, what: "nothing" })).rejects.toThrow("nothing within 10 ms");
    expect(() => hs.room("!none")).toThrow("!none");
    await hs.stop();
  });
});
