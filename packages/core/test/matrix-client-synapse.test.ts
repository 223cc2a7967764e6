import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { until } from "../../../test/support/bounded.js";
import { Synapse } from "../../../test/support/servers/synapse.js";
import { realServer } from "../../../test/support/servers/index.js";
import { ContentUri, EventId, RoomAlias, RoomId, UserId } from "../dist/connector/ids.js";
import { MatrixClient } from "../dist/matrix/client.js";
import { classify } from "../dist/matrix/failure.js";
import type { MatrixResult } from "../dist/matrix/result.js";
import { httpServer, json, type TestServer } from "./support/wire-server.js";

jest.setTimeout(90_000);

const registration = {
  as_token: "as-irc",
  hs_token: "hs-irc",
  id: "irc",
  sender_localpart: "bridge",
  rate_limited: false,
  namespaces: {
    users: [{ regex: "^@irc_.*:trestle\\.test$", exclusive: true }],
    aliases: [{ regex: "^#irc_.*:trestle\\.test$", exclusive: true }],
    rooms: [],
  },
};
/** The same as an operator writes it who forgets `rate_limited`. */
const limited = {
  ...registration,
  id: "limited",
  as_token: "as-limited",
  hs_token: "hs-limited",
  sender_localpart: "limited",
  rate_limited: true,
  namespaces: { users: [{ regex: "^@limited_.*:trestle\\.test$", exclusive: true }], aliases: [], rooms: [] },
};

function body<Body>(result: MatrixResult<Body>): Body {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.body;
}

const text = (content: string): Record<string, unknown> => ({ msgtype: "m.text", body: content });

const servers = await realServer("synapse");
servers.describe("the client and Synapse", (install) => {
  const bot = UserId("@bridge:trestle.test");
  const ghost = UserId("@irc_alice:trestle.test");
  const stranger = UserId("@irc_stranger:trestle.test");
  let synapse: Synapse;
  let appservice: TestServer;
  let client: MatrixClient;
  let room: RoomId;

  beforeAll(async () => {
    appservice = await httpServer((_request, response) => json(response, 200, {}));
    synapse = await Synapse.start(install, {
      rateLimits: true,
      registrations: [registration, limited].map((one) => JSON.stringify({ ...one, url: appservice.url })),
    });
    client = new MatrixClient({ url: synapse.url, asToken: "as-irc" });
    body(await client.register("bridge"));
    body(await client.register("irc_alice"));
    room = body(await client.createRoom({ preset: "public_chat", name: "a room", aliasLocalpart: "irc_room" })).roomId;
    body(await client.joinRoom(room, { asUser: ghost }));
  });

  afterAll(async () => {
    await client.close();
    await appservice.close();
    await synapse.stop();
  });

  it("know each other", async () => {
    expect(body(await client.whoami()).userId).toBe(bot);
    expect(body(await client.versions()).versions).toContain("v1.12");
    expect(body(await client.ping("irc", "t")).durationMs).toBeGreaterThanOrEqual(0);
    expect(body(await client.register("irc_alice"))).toEqual({ existed: true });
    const wrong = new MatrixClient({ url: synapse.url, asToken: "wrong" });
    const refused = await wrong.whoami();
    expect(refused.ok ? undefined : classify(refused.failure)).toMatchObject({
      action: "retry",
      advice: expect.stringContaining("as_token"),
    });
    await wrong.close();
  });

  it("tell why the application service cannot be reached", async () => {
    const { port } = appservice;
    await appservice.close();
    expect(await client.ping("irc", "t")).toMatchObject({ failure: { status: 502, errcode: "M_CONNECTION_FAILED" } });
    appservice = await httpServer((_request, response) => json(response, 403, { errcode: "M_FORBIDDEN" }), port);
    expect(await client.ping("irc", "t")).toMatchObject({ failure: { status: 502, errcode: "M_BAD_STATUS" } });
    await appservice.close();
    appservice = await httpServer((_request, response) => json(response, 200, {}), port);
  });

  it("send once, find it again, and redact it", async () => {
    const message = { room, type: "m.room.message", content: text("héllo"), txnId: "s-1", asUser: ghost, ts: 1_000 };
    const { eventId } = body(await client.sendEvent(message));
    expect(body(await client.sendEvent(message)).eventId).toBe(eventId);
    expect(body(await client.getEvent(room, eventId))).toMatchObject({ sender: ghost, at: 1_000 });
    const page = body(await client.messages({ room, dir: "b", limit: 5, filter: { types: ["m.room.message"] } }));
    expect(page.events.map((event) => event.eventId)).toEqual([eventId]);
    body(await client.redact({ room, eventId, txnId: "s-2", reason: "spam", asUser: ghost }));
    expect(body(await client.getEvent(room, eventId))?.content).toEqual({});
    expect(body(await client.getEvent(room, EventId(`$${"x".repeat(43)}`)))).toBeNull();
  });

  it("store text with lone surrogates, which Synapse alone answers with 500", async () => {
    const content = text("broken \ud800 text");
    const { eventId } = body(
      await client.sendEvent({ room, type: "m.room.message", content, txnId: "s-3", asUser: ghost }),
    );
    expect(body(await client.getEvent(room, eventId))?.content["body"]).toBe("broken \ufffd text");
  });

  it("agree on what a refusal means", async () => {
    const actionOf = async (result: Promise<MatrixResult<unknown>>): Promise<string> => {
      const answer = await result;
      return answer.ok ? "ok" : classify(answer.failure).action;
    };
    const message = { room, type: "m.room.message", content: text("x") };
    expect(await actionOf(client.sendEvent({ ...message, txnId: "a-1", asUser: stranger }))).toBe("rejoin");
    body(await client.register("irc_stranger"));
    expect(await actionOf(client.sendEvent({ ...message, txnId: "a-2", asUser: stranger }))).toBe("rejoin");
    body(await client.joinRoom(room, { asUser: stranger }));
    expect(await actionOf(client.sendEvent({ ...message, txnId: "a-3", asUser: stranger }))).toBe("ok");
    expect(
      await actionOf(client.sendState({ room, type: "m.room.topic", content: { topic: "x" }, asUser: stranger })),
    ).toBe("permanent");
    expect(
      await actionOf(client.sendEvent({ ...message, content: text("x".repeat(70_000)), txnId: "a-4", asUser: ghost })),
    ).toBe("permanent");
    body(await client.ban(room, stranger));
    expect(await actionOf(client.joinRoom(room, { asUser: stranger }))).toBe("permanent");
  });

  it("make a space, find it again by its creation, and put rooms in and take them out", async () => {
    const space = body(
      await client.createRoom({
        name: "a space",
        preset: "private_chat",
        creationContent: { type: "m.space", "dev.trestle.space": "slack T1" },
        powerLevels: { events_default: 50 },
      }),
    ).roomId;
    expect(body(await client.joinedRooms())).toContain(space);
    const creation = body(await client.getState({ room: space, type: "m.room.create" }));
    expect(creation).toMatchObject({ type: "m.space", "dev.trestle.space": "slack T1" });
    const childOf = { room: space, type: "m.space.child", stateKey: room };
    const hierarchy = async (): Promise<string> => {
      const path = `/_matrix/client/v1/rooms/${encodeURIComponent(space)}/hierarchy`;
      const answer = await fetch(`${synapse.url}${path}`, { headers: { authorization: "Bearer as-irc" } });
      return JSON.stringify(await answer.json());
    };
    body(await client.sendState({ ...childOf, content: { via: ["trestle.test"] } }));
    expect(await hierarchy()).toContain("a room");
    body(await client.sendState({ ...childOf, content: {} }));
    expect(await hierarchy()).not.toContain("a room");
  });

  it("tell absent state from state that cannot be read", async () => {
    expect(body(await client.getState({ room, type: "m.room.name" }))).toEqual({ name: "a room" });
    expect(body(await client.getState({ room, type: "m.room.encryption" }))).toBeNull();
    body(await client.sendState({ room, type: "m.bridge", stateKey: "irc://net/#é", content: { x: 1 } }));
    expect(body(await client.getState({ room, type: "m.bridge", stateKey: "irc://net/#é" }))).toEqual({ x: 1 });
    const unknown = await client.getState({ room: RoomId("!unknown:trestle.test"), type: "m.room.encryption" });
    expect(unknown).toMatchObject({ ok: false });
    expect(body(await client.getRoomState(room)).some(({ type }) => type === "m.room.create")).toBe(true);
  });

  it("handle members, profiles, aliases and ephemeral data", async () => {
    body(await client.setDisplayName(ghost, "Alice ☃"));
    expect(body(await client.getProfile(ghost))).toEqual({ displayName: "Alice ☃" });
    // Synapse carries a new name into the rooms in the background.
    await until(10_000, "the new name in the room", async () =>
      body(await client.joinedMembers(room)).get(ghost)?.displayName === "Alice ☃" ? true : undefined,
    );
    expect(body(await client.joinedRooms({ asUser: ghost }))).toEqual([room]);
    expect(body(await client.members(room, { membership: "join" })).map(({ stateKey }) => stateKey)).toContain(ghost);
    expect(body(await client.directory.resolveAlias(RoomAlias("#irc_room:trestle.test")))?.roomId).toBe(room);
    const alias = RoomAlias("#irc_#second/é:trestle.test");
    body(await client.directory.setAlias(alias, room));
    expect(body(await client.directory.aliasesOf(room)).toSorted()).toEqual(
      [alias, "#irc_room:trestle.test"].toSorted(),
    );
    expect(body(await client.joinRoom(alias, { asUser: ghost, via: ["trestle.test"] })).roomId).toBe(room);
    body(await client.directory.deleteAlias(alias));
    body(await client.directory.deleteAlias(alias));
    expect(body(await client.directory.resolveAlias(alias))).toBeNull();
    const { eventId } = body(
      await client.sendEvent({ room, type: "m.room.message", content: text("x"), txnId: "e-1" }),
    );
    body(await client.setTyping({ room, user: ghost, typing: true }));
    body(await client.sendReceipt({ room, eventId, asUser: ghost }));
    body(await client.directory.setNetworkVisibility("libera", room, "public"));
  });

  it("pass files, and report what is missing", async () => {
    const data = Buffer.alloc(300_000, 5);
    const one = body(
      await client.uploadMedia({ data, contentType: "application/zip", fileName: "ä.zip", asUser: ghost }),
    );
    const media = body(await client.downloadMedia(one.uri));
    expect(media).toMatchObject({ contentType: "application/zip", size: data.length });
    expect((await buffer(media.stream)).equals(data)).toBe(true);
    const two = body(
      await client.uploadMedia({
        data: Readable.from([data, data]),
        bytes: 600_000,
        contentType: "text/plain",
        asUser: ghost,
      }),
    );
    expect((await buffer(body(await client.downloadMedia(two.uri)).stream)).length).toBe(600_000);
    expect(await client.downloadMedia(ContentUri("mxc://trestle.test/missing"))).toMatchObject({
      failure: { status: 404, errcode: "M_NOT_FOUND" },
    });
  });

  it("upload on where Synapse limits the first of two steps for 24 hours", async () => {
    const slow = new MatrixClient({ url: synapse.url, asToken: "as-limited" });
    body(await slow.register("limited"));
    // Files that were announced and never came: five are too many.
    for (let pending = 0; pending < 5; pending += 1) {
      body(await slow.http.request({ method: "POST", path: "/_matrix/media/v1/create", body: {} }));
    }
    const refused = await slow.http.request({ method: "POST", path: "/_matrix/media/v1/create", body: {} });
    expect(refused.ok ? undefined : classify(refused.failure)).toMatchObject({ action: "retry", afterMs: 60_000 });
    for (const name of ["one", "two"]) {
      body(await slow.uploadMedia({ data: Buffer.from(name), contentType: "text/plain" }));
    }
    await slow.close();
  });

  it("survive a restart of Synapse on their kept connections", async () => {
    await synapse.restart();
    const result = await client.sendEvent({
      room,
      type: "m.room.message",
      content: text("after"),
      txnId: "r-1",
      asUser: ghost,
    });
    expect(result).toMatchObject({ ok: true });
  });
});
