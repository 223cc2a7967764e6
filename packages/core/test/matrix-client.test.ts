import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { ContentUri, EventId, RoomAlias, RoomId, UserId } from "../dist/connector/ids.js";
import { Homeserver, type TestClient } from "@trestle/testkit";
import { MatrixClient } from "../dist/matrix/client.js";
import type { MatrixResult } from "../dist/matrix/result.js";
import { httpServer, json } from "./support/wire-server.js";

const bot = UserId("@bridge:localhost.test");
const ghost = UserId("@irc_alice:localhost.test");
let homeserver: Homeserver;
let appservice: Awaited<ReturnType<typeof httpServer>>;
let client: MatrixClient;
let person: TestClient;

beforeAll(async () => {
  appservice = await httpServer((_request, response) => json(response, 200, {}));
  homeserver = await Homeserver.start({
    registrations: [
      {
        id: "irc",
        url: appservice.url,
        as_token: "as",
        hs_token: "hs",
        sender_localpart: "bridge",
        rate_limited: false,
        namespaces: {
          users: [{ regex: "^@irc_.*:localhost\\.test$", exclusive: true }],
          aliases: [{ regex: "^#irc_.*:localhost\\.test$", exclusive: true }],
          rooms: [],
        },
      },
    ],
  });
  client = new MatrixClient({ url: homeserver.url, asToken: "as" });
  person = homeserver.createClient("person");
  expect(await client.register("bridge")).toMatchObject({ ok: true });
  expect(await client.register("irc_alice")).toMatchObject({ ok: true });
});

afterAll(async () => {
  await client.close();
  await appservice.close();
  await homeserver.stop();
});

function body<Body>(result: MatrixResult<Body>): Body {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.body;
}

async function room(options: Parameters<MatrixClient["createRoom"]>[0] = {}): Promise<RoomId> {
  return body(await client.createRoom({ preset: "public_chat", ...options })).roomId;
}

const text = (content: string): Record<string, unknown> => ({ msgtype: "m.text", body: content });

describe("the client and a homeserver", () => {
  it("asks who we are and what the server can do", async () => {
    expect(body(await client.whoami())).toMatchObject({ userId: bot });
    expect(body(await client.whoami({ asUser: ghost }))).toMatchObject({ userId: ghost });
    expect(body(await client.versions()).versions).toContain("v1.12");
  });

  it("registers a ghost once, and finds it there the second time", async () => {
    expect(body(await client.register("irc_new"))).toEqual({ existed: false });
    expect(body(await client.register("irc_new"))).toEqual({ existed: true });
    expect(await client.register("outsider")).toMatchObject({ ok: false, failure: { errcode: "M_EXCLUSIVE" } });
  });

  it("pings itself through the homeserver", async () => {
    expect(body(await client.ping("irc", "t1")).durationMs).toBeGreaterThanOrEqual(0);
    expect(await client.ping("other", "t1")).toMatchObject({ ok: false });
    homeserver.faults.missingPing = true;
    expect(await client.ping("irc", "t1")).toMatchObject({ failure: { errcode: "M_UNRECOGNIZED" } });
    homeserver.faults.missingPing = false;
  });

  it.each(["11", "12"])("sends, repeats and redacts a message in a room of version %s", async (roomVersion) => {
    const id = await room({ roomVersion });
    body(await client.joinRoom(id, { asUser: ghost }));
    const message = {
      room: id,
      type: "m.room.message",
      content: text("hello"),
      txnId: `once-${roomVersion}`,
      asUser: ghost,
      ts: 1_000,
    };
    const { eventId } = body(await client.sendEvent(message));
    expect(body(await client.sendEvent(message)).eventId).toBe(eventId);
    expect(homeserver.room(id).messages()).toHaveLength(1);
    expect(body(await client.getEvent(id, eventId))).toMatchObject({
      type: "m.room.message",
      sender: ghost,
      at: 1_000,
      content: text("hello"),
    });
    body(await client.redact({ room: id, eventId, txnId: `gone-${roomVersion}`, reason: "spam", asUser: ghost }));
    expect(body(await client.getEvent(id, eventId))?.content).toEqual({});
    expect(body(await client.getEvent(id, EventId("$unknown")))).toBeNull();
  });

  it("sends one event although the answer was lost on the way", async () => {
    const id = await room();
    homeserver.faults.drop("after", { route: "/send/", times: 1 });
    const result = await client.sendEvent({
      room: id,
      type: "m.room.message",
      content: text("x"),
      txnId: "lost-answer",
    });
    expect(result).toMatchObject({ ok: true });
    expect(homeserver.room(id).messages()).toHaveLength(1);
    homeserver.faults.clear();
  });

  it("tells absent state from state that cannot be read", async () => {
    const id = await room({ name: "named" });
    const encryption = { room: id, type: "m.room.encryption" };
    expect(body(await client.getState({ room: id, type: "m.room.name" }))).toEqual({ name: "named" });
    expect(body(await client.getState(encryption))).toBeNull();
    for (const answer of [
      { status: 502, html: true },
      { status: 404, html: true },
      { status: 403, errcode: "M_FORBIDDEN" },
      { status: 404, errcode: "M_UNRECOGNIZED" },
    ]) {
      homeserver.faults.answer(answer, { times: 1 });
      expect(await client.getState(encryption)).toMatchObject({
        ok: false,
        failure: { kind: "answered", status: answer.status },
      });
    }
    homeserver.faults.drop("before", { times: 2 });
    expect(await client.getState(encryption)).toMatchObject({ ok: false, failure: { kind: "unanswered" } });
    homeserver.faults.clear();
  });

  it("writes state under any key and reads the whole of it", async () => {
    const id = await room();
    body(await client.sendState({ room: id, type: "m.room.topic", content: { topic: "about" } }));
    body(await client.sendState({ room: id, type: "m.bridge", stateKey: "irc://net/#chan é", content: { x: 1 } }));
    expect(body(await client.getState({ room: id, type: "m.bridge", stateKey: "irc://net/#chan é" }))).toEqual({
      x: 1,
    });
    const state = body(await client.getRoomState(id));
    expect(state.find(({ type }) => type === "m.room.topic")).toMatchObject({
      stateKey: "",
      content: { topic: "about" },
      sender: bot,
    });
  });

  it("reads history backwards", async () => {
    const id = await room();
    for (const index of [1, 2, 3]) {
      body(
        await client.sendEvent({ room: id, type: "m.room.message", content: text(String(index)), txnId: `h${index}` }),
      );
    }
    const page = body(await client.messages({ room: id, dir: "b", limit: 2, filter: { types: ["m.room.message"] } }));
    expect(page.events.map(({ content }) => content["body"])).toEqual(["3", "2"]);
    const rest = body(
      await client.messages({ room: id, dir: "b", limit: 50, ...(page.end === undefined ? {} : { from: page.end }) }),
    );
    expect(rest.events.some(({ content }) => content["body"] === "1")).toBe(true);
  });

  it("moves members in and out", async () => {
    const id = await room({ preset: "private_chat" });
    expect(await client.joinRoom(id, { asUser: ghost })).toMatchObject({ ok: false, failure: { status: 403 } });
    body(await client.invite(id, ghost, { reason: "come in" }));
    expect(body(await client.joinRoom(id, { asUser: ghost, via: ["localhost.test", "other.test"] })).roomId).toBe(id);
    expect([...body(await client.joinedMembers(id)).keys()]).toEqual(expect.arrayContaining([bot, ghost]));
    expect(body(await client.joinedRooms({ asUser: ghost }))).toContain(id);
    expect(body(await client.members(id, { membership: "join" })).map(({ stateKey }) => stateKey)).toEqual(
      expect.arrayContaining([bot, ghost]),
    );
    body(await client.leave(id, { asUser: ghost }));
    body(await client.invite(id, ghost));
    body(await client.kick(id, ghost, { reason: "out" }));
    body(await client.ban(id, ghost));
    expect(homeserver.room(id).members()[ghost]).toBe("ban");
    body(await client.unban(id, ghost));
    expect(homeserver.room(id).members()[ghost]).toBe("leave");
  });

  it("creates a room with everything it was asked for", async () => {
    const id = await room({
      name: "n",
      topic: "t",
      aliasLocalpart: "irc_made",
      visibility: "public",
      invite: [UserId(person.userId)],
      isDirect: false,
      creationContent: { "m.federate": false },
      powerLevels: { events_default: 10 },
      initialState: [{ type: "m.room.guest_access", content: { guest_access: "forbidden" } }],
    });
    const made = homeserver.room(id);
    expect(made.state("m.room.create")).toMatchObject({ content: { "m.federate": false } });
    expect(made.state("m.room.power_levels")).toMatchObject({ content: { events_default: 10 } });
    expect(made.members()[person.userId]).toBe("invite");
    expect(homeserver.roomIdOfAlias("#irc_made:localhost.test")).toBe(id);
  });

  it("manages aliases", async () => {
    const id = await room();
    const alias = RoomAlias("#irc_#chan/é:localhost.test");
    expect(body(await client.directory.resolveAlias(alias))).toBeNull();
    body(await client.directory.setAlias(alias, id));
    expect(await client.directory.setAlias(alias, id)).toMatchObject({ ok: false, failure: { status: 409 } });
    expect(body(await client.directory.resolveAlias(alias))?.roomId).toBe(id);
    expect(body(await client.directory.aliasesOf(id))).toEqual([alias]);
    expect(body(await client.joinRoom(alias, { asUser: ghost })).roomId).toBe(id);
    body(await client.directory.deleteAlias(alias));
    body(await client.directory.deleteAlias(alias));
    expect(body(await client.directory.resolveAlias(alias))).toBeNull();
  });

  it("shows rooms in the directories", async () => {
    const id = await room();
    body(await client.directory.setNetworkVisibility("libera", id, "public"));
    body(await client.directory.setVisibility(id, "private"));
  });

  it("sets and reads profiles", async () => {
    body(await client.setDisplayName(ghost, "Alice ☃"));
    body(await client.setAvatarUrl(ghost, ContentUri("mxc://localhost.test/abc")));
    expect(body(await client.getProfile(ghost))).toEqual({
      displayName: "Alice ☃",
      avatarUrl: "mxc://localhost.test/abc",
    });
    body(await client.setAvatarUrl(ghost, null));
    expect(body(await client.getProfile(ghost))).toEqual({ displayName: "Alice ☃" });
    expect(body(await client.getProfile(UserId("@nobody:localhost.test")))).toBeNull();
  });

  it("passes on typing and receipts", async () => {
    const id = await room();
    body(await client.joinRoom(id, { asUser: ghost }));
    const { eventId } = body(
      await client.sendEvent({ room: id, type: "m.room.message", content: text("x"), txnId: "for-receipt" }),
    );
    body(await client.setTyping({ room: id, user: ghost, typing: true, forMs: 30_000 }));
    expect(homeserver.room(id).typing()).toEqual([ghost]);
    body(await client.setTyping({ room: id, user: ghost, typing: false }));
    expect(homeserver.room(id).typing()).toEqual([]);
    body(await client.sendReceipt({ room: id, eventId, asUser: ghost, threadId: "main" }));
  });

  it("tells the presence of a ghost", async () => {
    body(await client.setPresence({ user: ghost, presence: "unavailable", status: "lunch" }));
    const status = await fetch(
      `${homeserver.url}/_matrix/client/v3/presence/${encodeURIComponent(ghost)}/status?user_id=${encodeURIComponent(ghost)}`,
      { headers: { authorization: `Bearer as` } },
    );
    expect(await status.json()).toMatchObject({ presence: "unavailable", status_msg: "lunch" });
  });

  it("uploads and downloads a file, by a ghost, from memory and from a stream", async () => {
    const data = Buffer.from("a file of a few bytes");
    const one = body(await client.uploadMedia({ data, contentType: "text/plain", fileName: "ä b.txt", asUser: ghost }));
    const media = body(await client.downloadMedia(one.uri));
    expect(media).toMatchObject({ contentType: "text/plain", size: data.length });
    expect(await buffer(media.stream)).toEqual(data);
    const two = body(
      await client.uploadMedia({
        data: Readable.from([data, data]),
        bytes: 2 * data.length,
        contentType: "image/png",
        asUser: ghost,
      }),
    );
    expect(two.uri).not.toBe(one.uri);
    expect(await buffer(body(await client.thumbnail(two.uri, { width: 32, height: 32 })).stream)).toHaveLength(
      2 * data.length,
    );
    expect(await client.downloadMedia(ContentUri("mxc://localhost.test/missing"))).toMatchObject({
      failure: { status: 404, errcode: "M_NOT_FOUND" },
    });
  });

  it("uploads in one step where the homeserver limits or lacks the two", async () => {
    const upload = (): ReturnType<MatrixClient["uploadMedia"]> =>
      client.uploadMedia({ data: Buffer.from("x"), contentType: "text/plain", asUser: ghost });
    const limit = homeserver.faults.answer({ status: 429, retryAfterMs: 86_400_000 }, { route: "/media/v1/create" });
    body(await upload());
    body(await upload());
    expect(limit.applied).toBe(1);
    homeserver.faults.clear();
    homeserver.faults.missingAsyncUpload = true;
    const fresh = new MatrixClient({ url: homeserver.url, asToken: "as" });
    body(await fresh.uploadMedia({ data: Buffer.from("x"), contentType: "text/plain", asUser: ghost }));
    await fresh.close();
    homeserver.faults.clear();
  });

  it("survives a restart of the homeserver on its kept connections", async () => {
    const id = await room();
    await homeserver.restart();
    expect(
      await client.sendEvent({ room: id, type: "m.room.message", content: text("after"), txnId: "after-restart" }),
    ).toMatchObject({ ok: true });
  });

  it("refuses what cannot be an identifier, without a request", async () => {
    const before = homeserver.requests.total;
    expect(await client.getState({ room: RoomId(".."), type: "x" })).toMatchObject({ failure: { kind: "invalid" } });
    expect(await client.downloadMedia(ContentUri("https://example.org/x"))).toMatchObject({
      failure: { kind: "invalid" },
    });
    expect(await client.downloadMedia(ContentUri("mxc://host/../../x"))).toMatchObject({
      failure: { kind: "invalid" },
    });
    expect(await client.sendEvent({ room: RoomId("!a\0b:x"), type: "x", content: {}, txnId: "1" })).toMatchObject({
      failure: { kind: "invalid" },
    });
    expect(homeserver.requests.total).toBe(before);
  });

  it("kept to the specification all the while", () => {
    expect(homeserver.specDeviations).toEqual([]);
  });
});

describe("an answer of another shape than specified", () => {
  it("is a failure, and Synapse's nulls are none", async () => {
    const answers: Record<string, unknown> = {
      "/_matrix/client/v3/rooms/!r/joined_members": {
        joined: { "@a:b": { display_name: null, avatar_url: null }, "@c:d": { display_name: "C" } },
      },
      "/_matrix/client/v3/rooms/!r/send/t/1": { event: "none" },
      "/_matrix/client/v3/rooms/!r/state": [{ type: 1 }],
      "/_matrix/client/v3/joined_rooms": [],
    };
    const server = await httpServer((request, response) =>
      json(response, 200, answers[decodeURIComponent(request.url ?? "")]),
    );
    const odd = new MatrixClient({ url: server.url, asToken: "t" });
    const id = RoomId("!r");
    expect([...body(await odd.joinedMembers(id))]).toEqual([
      ["@a:b", {}],
      ["@c:d", { displayName: "C" }],
    ]);
    for (const result of [
      await odd.sendEvent({ room: id, type: "t", content: {}, txnId: "1" }),
      await odd.getRoomState(id),
      await odd.joinedRooms(),
    ]) {
      expect(result).toMatchObject({ ok: false, failure: { kind: "answered", status: 200, errcode: "M_UNKNOWN" } });
    }
    await odd.close();
    await server.close();
  });
});
