import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import { content, list, record, text } from "./homeserver-support.js";

const ROOM = (roomId: string): string => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;

describe.each(["11", "12"] as const)("rooms of version %s", (version) => {
  let hs: Homeserver;
  let alice: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    hs = await Homeserver.start({ defaultRoomVersion: version });
    alice = hs.createClient("alice");
    bob = hs.createClient("bob");
  });
  afterEach(() => hs.stop());

  it("creates a room whose state follows the preset", async () => {
    const roomId = await alice.createRoom({
      preset: "public_chat",
      name: "Lounge",
      topic: "Talk",
      room_alias_name: "lounge",
    });
    expect(roomId.includes(":")).toBe(version === "11");
    const room = hs.room(roomId);
    expect(content(room.state("m.room.join_rules"))).toEqual({ join_rule: "public" });
    expect(content(room.state("m.room.name"))).toEqual({ name: "Lounge" });
    expect(content(room.state("m.room.topic"))).toMatchObject({ topic: "Talk" });
    expect(content(room.state("m.room.create"))).toMatchObject({ room_version: version });
    const users = record(content(room.state("m.room.power_levels"))["users"]);
    expect(users).toEqual(version === "11" ? { [alice.userId]: 100 } : {});
    expect(hs.roomIdOfAlias("#lounge:localhost.test")).toBe(roomId);
    if (version === "12") expect(room.timeline()[0]!["event_id"]).toBe(`$${roomId.slice(1)}`);
  });

  it("joins by id and alias, and refuses strangers of a private room", async () => {
    const open = await alice.createRoom({ preset: "public_chat", room_alias_name: "open" });
    expect(await bob.join("#open:localhost.test", ["localhost.test"])).toBe(open);
    const closed = await alice.createRoom({ preset: "private_chat" });
    await expect(bob.join(closed)).rejects.toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
    await alice.invite(closed, bob.userId);
    expect(hs.room(closed).members()[bob.userId]).toBe("invite");
    await bob.join(closed);
    expect(hs.room(closed).joined().sort()).toEqual([alice.userId, bob.userId]);
    expect((await bob.joinedRooms()).sort()).toEqual([open, closed].sort());
  });

  it("walks through leave, kick, ban, unban, knock", async () => {
    const roomId = await alice.createRoom({
      preset: "public_chat",
      initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }],
    });
    const membership = (): string | undefined => hs.room(roomId).members()[bob.userId];
    await bob.knock(roomId, "please");
    expect(membership()).toBe("knock");
    await alice.invite(roomId, bob.userId);
    await bob.join(roomId);
    await alice.kick(roomId, bob.userId, "out");
    expect(content(hs.room(roomId).state("m.room.member", bob.userId))).toEqual({ membership: "leave", reason: "out" });
    await expect(alice.kick(roomId, bob.userId)).rejects.toMatchObject({ status: 403 });
    await alice.ban(roomId, bob.userId);
    await expect(bob.knock(roomId)).rejects.toMatchObject({ status: 403 });
    await expect(bob.join(roomId)).rejects.toMatchObject({ status: 403, errcode: "M_BAD_STATE" });
    await alice.unban(roomId, bob.userId);
    expect(membership()).toBe("leave");
    await alice.invite(roomId, bob.userId);
    await bob.leave(roomId, "no thanks");
    expect(membership()).toBe("leave");
  });

  it("lets members of the space join a restricted room", async () => {
    const space = await alice.createRoom({ preset: "public_chat", creation_content: { type: "m.space" } });
    const roomId = await alice.createRoom({
      initial_state: [
        {
          type: "m.room.join_rules",
          content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: space }] },
        },
      ],
    });
    await expect(bob.join(roomId)).rejects.toMatchObject({ status: 403 });
    await bob.join(space);
    await bob.join(roomId);
    expect(content(hs.room(roomId).state("m.room.member", bob.userId))).toMatchObject({
      membership: "join",
      join_authorised_via_users_server: alice.userId,
    });
  });

  it("holds power levels: sending, changing, creators", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    await expect(bob.setTopic(roomId, "mine")).rejects.toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
    await alice.setPower(roomId, bob.userId, 50);
    await bob.setTopic(roomId, "mine");
    await expect(bob.setPower(roomId, bob.userId, 60)).rejects.toMatchObject({ status: 403 });
    await expect(bob.kick(roomId, alice.userId)).rejects.toMatchObject({ status: 403 });
    await expect(bob.setState(roomId, "m.room.member", { membership: "join" }, alice.userId)).rejects.toMatchObject({
      status: 403,
    });
    if (version === "12") {
      await expect(alice.setPower(roomId, alice.userId, 100)).rejects.toMatchObject({ status: 400 });
    } else {
      await alice.setPower(roomId, alice.userId, 40);
      await expect(alice.kick(roomId, bob.userId)).rejects.toMatchObject({ status: 403 });
    }
  });

  it("gives the same event for the same state, and the content or the event on request", async () => {
    const roomId = await alice.createRoom();
    const first = await alice.setTopic(roomId, "one");
    expect(await alice.setTopic(roomId, "one")).toBe(first);
    expect(await alice.state(roomId, "m.room.topic")).toEqual({ topic: "one" });
    const whole = await alice.request("GET", `${ROOM(roomId)}/state/m.room.topic/`, { query: { format: "event" } });
    expect(whole).toMatchObject({ event_id: first, state_key: "", room_id: roomId, content: { topic: "one" } });
    await expect(alice.state(roomId, "m.room.avatar")).rejects.toMatchObject({ status: 404, errcode: "M_NOT_FOUND" });
    const all = list(await alice.requestJson("GET", `${ROOM(roomId)}/state`)) ?? [];
    expect(all.map((event) => event["type"])).toContain("m.room.power_levels");
  });

  it("redacts by both ways, prunes, and needs power for others' events", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const one = await bob.sendText(roomId, "one");
    const two = await bob.sendText(roomId, "two");
    const hers = await alice.sendText(roomId, "hers");
    await expect(bob.redact(roomId, hers)).rejects.toMatchObject({ status: 403 });
    const because = await alice.redact(roomId, one, "spam");
    const sent = await bob.send(roomId, "m.room.redaction", { redacts: two });
    expect(await alice.event(roomId, one)).toMatchObject({
      content: {},
      unsigned: { redacted_because: { event_id: because, content: { reason: "spam", redacts: one }, redacts: one } },
    });
    expect(await alice.event(roomId, two)).toMatchObject({ content: {}, unsigned: { redacted_by: sent } });
  });

  it("pages through the timeline in both directions", async () => {
    const roomId = await alice.createRoom();
    for (let index = 0; index < 25; index++) await alice.sendText(roomId, String(index));
    const bodies: unknown[] = [];
    let from: string | undefined;
    do {
      const query = {
        dir: "b",
        limit: 7,
        filter: '{"types":["m.room.message"]}',
        ...(from === undefined ? {} : { from }),
      };
      const answer = await alice.request("GET", `${ROOM(roomId)}/messages`, { query });
      bodies.push(...(list(answer["chunk"]) ?? []).map((event) => content(event)["body"]));
      from = typeof answer["end"] === "string" ? answer["end"] : undefined;
    } while (from !== undefined);
    expect(bodies).toEqual(Array.from({ length: 25 }, (_, index) => String(24 - index)));
    const start = await alice.request("GET", `${ROOM(roomId)}/messages`, { query: { dir: "f", limit: 1 } });
    expect(list(start["chunk"])![0]).toMatchObject({ type: "m.room.create" });
    const middle = hs.room(roomId).messages()[12]!;
    const around = await alice.request(
      "GET",
      `${ROOM(roomId)}/context/${encodeURIComponent(text(middle["event_id"]))}`,
      {
        query: { limit: 4 },
      },
    );
    expect(list(around["events_before"])!.map((event) => content(event)["body"])).toEqual(["11", "10"]);
    expect(list(around["events_after"])!.map((event) => content(event)["body"])).toEqual(["13", "14"]);
  });

  it("hides what came before an invitation where the history says so", async () => {
    const roomId = await alice.createRoom({
      initial_state: [{ type: "m.room.history_visibility", content: { history_visibility: "joined" } }],
    });
    const early = await alice.sendText(roomId, "early");
    await alice.invite(roomId, bob.userId);
    await bob.join(roomId);
    const late = await alice.sendText(roomId, "late");
    await expect(bob.event(roomId, early)).rejects.toMatchObject({ status: 404 });
    expect(await bob.event(roomId, late)).toMatchObject({ content: { body: "late" } });
    await bob.leave(roomId);
    await alice.sendText(roomId, "after");
    const seen = (await bob.messages(roomId)).filter((event) => event["type"] === "m.room.message");
    expect(seen.map((event) => content(event)["body"])).toEqual(["late"]);
  });

  it("knows members, relations, edits and refuses the same reaction twice", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.setDisplayName("Bobby");
    await bob.join(roomId);
    const eventId = await alice.sendText(roomId, "first");
    const reaction = await bob.react(roomId, eventId, "👍");
    await expect(bob.react(roomId, eventId, "👍")).rejects.toMatchObject({
      status: 400,
      errcode: "M_DUPLICATE_ANNOTATION",
    });
    await bob.redact(roomId, reaction);
    await bob.react(roomId, eventId, "👍");
    const edit = await alice.edit(roomId, eventId, "second");
    expect(await bob.event(roomId, eventId)).toMatchObject({
      unsigned: { "m.relations": { "m.replace": { event_id: edit } } },
    });
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/relations/${encodeURIComponent(eventId)}`;
    expect(list((await bob.request("GET", path))["chunk"])).toHaveLength(2);
    expect(list((await bob.request("GET", `${path}/m.annotation/m.reaction`))["chunk"])).toHaveLength(1);
    const joined = record((await alice.request("GET", `${ROOM(roomId)}/joined_members`))["joined"]);
    expect(joined[bob.userId]).toEqual({ display_name: "Bobby" });
    await bob.setDisplayName("Robert");
    expect(content(hs.room(roomId).state("m.room.member", bob.userId))["displayname"]).toBe("Robert");
    const left = await alice.request("GET", `${ROOM(roomId)}/members`, { query: { not_membership: "join" } });
    expect(left["chunk"]).toEqual([]);
  });

  it("upgrades to version 12: tombstone, predecessor, aliases, silence", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat", room_alias_name: "old", name: "Old" });
    await bob.join(roomId);
    const replacement = await alice.upgrade(roomId, "12");
    expect(content(hs.room(roomId).state("m.room.tombstone"))).toMatchObject({ replacement_room: replacement });
    const create = content(hs.room(replacement).state("m.room.create"));
    expect(create).toMatchObject({ room_version: "12", predecessor: { room_id: roomId } });
    expect(hs.roomIdOfAlias("#old:localhost.test")).toBe(replacement);
    expect(content(hs.room(replacement).state("m.room.name"))).toEqual({ name: "Old" });
    await expect(bob.sendText(roomId, "still here?")).rejects.toMatchObject({ status: 403 });
    await bob.join(replacement);
  });
});

describe("rooms of version 12", () => {
  it("keep creators, also additional ones, out of the power levels and above everyone", async () => {
    const hs = await Homeserver.start();
    const alice = hs.createClient("alice");
    const bob = hs.createClient("bob");
    const carol = hs.createClient("carol");
    const roomId = await alice.createRoom({
      room_version: "12",
      preset: "public_chat",
      creation_content: { additional_creators: [bob.userId] },
      power_level_content_override: { users: { [carol.userId]: 100 } },
    });
    await bob.join(roomId);
    await carol.join(roomId);
    await expect(carol.kick(roomId, bob.userId)).rejects.toMatchObject({ status: 403 });
    await expect(
      carol.setState(roomId, "m.room.tombstone", { body: "x", replacement_room: roomId }),
    ).rejects.toMatchObject({
      status: 403,
    });
    await bob.setTopic(roomId, "creators may");
    for (const listed of [alice.userId, bob.userId]) {
      const request = alice.createRoom({
        room_version: "12",
        creation_content: { additional_creators: [bob.userId] },
        power_level_content_override: { users: { [listed]: 100 } },
      });
      await expect(request).rejects.toMatchObject({ status: 400 });
    }
    await expect(alice.createRoom({ room_version: "99" })).rejects.toMatchObject({
      errcode: "M_UNSUPPORTED_ROOM_VERSION",
    });
    await hs.stop();
  });
});
