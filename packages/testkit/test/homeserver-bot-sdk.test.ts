import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Homeserver } from "@trestle/testkit";
import {
  Appservice,
  AutojoinRoomsMixin,
  LogService,
  MatrixAuth,
  MatrixClient,
  MemoryStorageProvider,
} from "matrix-bot-sdk";
import type { TestClient } from "@trestle/testkit";
import { freePort } from "../../../test/tools/free-port.js";
import { content, poll, record, registration, text } from "./homeserver-support.js";

// It logs every answer that is not 2xx, also those it asks for.
const silent = (): void => undefined;
beforeAll(() => LogService.setLogger({ info: silent, warn: silent, error: silent, debug: silent, trace: silent }));

describe("matrix-bot-sdk as the client", () => {
  let hs: Homeserver;
  let bot: MatrixClient;
  let alice: TestClient;
  const seen: { roomId: string; event: unknown }[] = [];

  beforeAll(async () => {
    hs = await Homeserver.start({ expectDeviations: true });
    // It reads media from the endpoints without a token.
    hs.faults.legacyMedia = true;
    alice = hs.createClient("alice");
    hs.createUser("robot", "secret");
    const session = await new MatrixAuth(hs.url).passwordLogin("robot", "secret", "Robot");
    bot = new MatrixClient(hs.url, session.accessToken, new MemoryStorageProvider());
    AutojoinRoomsMixin.setupOnClient(bot);
    bot.on("room.message", (roomId: string, event: unknown) => seen.push({ roomId, event }));
    await bot.start();
  });
  afterAll(async () => {
    bot.stop();
    await hs.stop();
  });

  it("logs in, syncs, joins when invited, sends and receives", async () => {
    const roomId = await alice.createRoom({ name: "Lab", invite: ["@robot:localhost.test"] });
    await poll(() => hs.room(roomId).joined().includes("@robot:localhost.test"));
    await alice.sendText(roomId, "hello robot");
    await poll(() => seen.some(({ event }) => content(event)["body"] === "hello robot"));
    const eventId = await bot.sendText(roomId, "hello alice");
    expect(await bot.getEvent(roomId, eventId)).toMatchObject({ content: { body: "hello alice", msgtype: "m.text" } });
    expect(await bot.getJoinedRooms()).toEqual([roomId]);
    expect(await bot.getJoinedRoomMembers(roomId)).toEqual(
      expect.arrayContaining([alice.userId, await bot.getUserId()]),
    );
  });

  it("edits, replies, reacts, redacts", async () => {
    const roomId = await bot.createRoom({ preset: "public_chat" });
    const first = await bot.sendMessage(roomId, { msgtype: "m.text", body: "first" });
    await bot.sendMessage(roomId, {
      msgtype: "m.text",
      body: "* second",
      "m.new_content": { msgtype: "m.text", body: "second" },
      "m.relates_to": { rel_type: "m.replace", event_id: first },
    });
    await bot.replyText(roomId, await bot.getEvent(roomId, first), "an answer");
    await bot.unstableApis.addReactionToEvent(roomId, first, "👍");
    const relations = await bot.getRelationsForEvent(roomId, first, "m.annotation", "m.reaction");
    expect(relations.chunk).toHaveLength(1);
    await bot.redactEvent(roomId, first, "oops");
    expect(record(await bot.getEvent(roomId, first))["content"]).toEqual({});
  });

  it("reads and sets state, profiles, power, account data, presence", async () => {
    const roomId = await bot.createRoom({ preset: "public_chat", room_alias_name: "lab" });
    await bot.sendStateEvent(roomId, "m.room.topic", "", { topic: "Experiments" });
    expect(await bot.getRoomStateEvent(roomId, "m.room.topic", "")).toMatchObject({ topic: "Experiments" });
    expect((await bot.lookupRoomAlias("#lab:localhost.test")).roomId).toBe(roomId);
    await bot.setDisplayName("The Robot");
    expect(await bot.getUserProfile("@robot:localhost.test")).toMatchObject({ displayname: "The Robot" });
    expect(await bot.userHasPowerLevelFor(await bot.getUserId(), roomId, "m.room.topic", true)).toBe(true);
    await bot.setUserPowerLevel(alice.userId, roomId, 50);
    expect(await bot.userHasPowerLevelFor(alice.userId, roomId, "m.room.topic", true)).toBe(true);
    await bot.setAccountData("org.example.notes", { a: 1 });
    expect(await bot.getAccountData("org.example.notes")).toEqual({ a: 1 });
    await bot.setRoomAccountData("org.example.notes", roomId, { b: 2 });
    expect(await bot.getRoomAccountData("org.example.notes", roomId)).toEqual({ b: 2 });
    await bot.setPresenceStatus("online", "working");
    expect((await bot.getPresenceStatus()).statusMessage).toBe("working");
    await bot.setDirectoryVisibility(roomId, "public");
    expect(await bot.getDirectoryVisibility(roomId)).toBe("public");
    expect(text(record(await bot.getOpenIDConnectToken())["access_token"])).toMatch(/.+/);
  });

  it("uploads and downloads, types, reads", async () => {
    const roomId = await bot.createRoom({ preset: "public_chat" });
    const mxc = await bot.uploadContent(Buffer.from("picture"), "image/png", "p.png");
    const file = await bot.downloadContent(mxc);
    expect([file.data.toString(), file.contentType]).toEqual(["picture", "image/png"]);
    const eventId = await bot.sendMessage(roomId, { msgtype: "m.image", body: "p.png", url: mxc });
    await bot.setTyping(roomId, true);
    expect(hs.room(roomId).typing()).toEqual(["@robot:localhost.test"]);
    await bot.sendReadReceipt(roomId, eventId);
    expect(hs.room(roomId).receipt("@robot:localhost.test")).toBe(eventId);
  });

  it("invites, kicks, bans, unbans, makes spaces, leaves", async () => {
    const roomId = await bot.createRoom({ preset: "private_chat" });
    const membership = (): string | undefined => hs.room(roomId).members()[alice.userId];
    await bot.inviteUser(alice.userId, roomId);
    await alice.join(roomId);
    await bot.kickUser(alice.userId, roomId, "out");
    expect(membership()).toBe("leave");
    await bot.banUser(alice.userId, roomId);
    await bot.unbanUser(alice.userId, roomId);
    expect(membership()).toBe("leave");
    const space = await bot.createSpace({ name: "House", isPublic: true });
    await space.addChildRoom(roomId);
    expect(Object.keys(await space.getChildEntities())).toEqual([roomId]);
    await bot.leaveRoom(roomId);
    await bot.forgetRoom(roomId);
    expect(await bot.getJoinedRooms()).not.toContain(roomId);
    // What the SDK itself sends is its own affair: it writes null where it has no reason.
    expect(hs.specDeviations.filter(({ side }) => side === "response")).toEqual([]);
  });
});

describe("matrix-bot-sdk as an application service", () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const start = async (): Promise<{ hs: Homeserver; service: Appservice; alice: TestClient }> => {
    const port = await freePort();
    const hs = await Homeserver.start({ expectDeviations: true });
    ends.push(() => hs.stop());
    const given = hs.addAppService(
      registration(`http://127.0.0.1:${port}`, {
        protocols: ["irc"],
        "de.sorunome.msc2409.push_ephemeral": true,
        // The SDK reads the prefix of its ghosts from the text of the regex.
        namespaces: {
          users: [{ regex: "@irc_.*:localhost.test", exclusive: true }],
          aliases: [{ regex: "#irc_.*:localhost.test", exclusive: true }],
          rooms: [],
        },
      }),
    );
    const service = new Appservice({
      port,
      bindAddress: "127.0.0.1",
      homeserverName: "localhost.test",
      homeserverUrl: hs.url,
      registration: {
        id: given.id,
        url: given.url ?? "",
        as_token: given.as_token,
        hs_token: given.hs_token,
        sender_localpart: given.sender_localpart,
        namespaces: {
          users: [...(given.namespaces.users ?? [])],
          aliases: [...(given.namespaces.aliases ?? [])],
          rooms: [],
        },
        protocols: ["irc"],
      },
    });
    await service.begin();
    ends.push(() => service.stop());
    return { hs, service, alice: hs.createClient("alice") };
  };

  it("registers its bot and ghosts, joins, speaks, and hears what is said", async () => {
    const { hs, service, alice } = await start();
    expect(hs.userIds()).toContain("@ircbot:localhost.test");
    const heard: unknown[] = [];
    service.on("room.message", (_roomId: string, event: unknown) => heard.push(event));
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const ghost = service.getIntentForSuffix("bob");
    await ghost.ensureRegisteredAndJoined(roomId);
    await ghost.underlyingClient.setDisplayName("Bob (IRC)");
    await ghost.sendText(roomId, "from the other side");
    await alice.sendText(roomId, "welcome");
    await poll(() => heard.some((event) => content(event)["body"] === "welcome"));
    await poll(() => heard.some((event) => content(event)["body"] === "from the other side"));
    expect(hs.room(roomId).messages()[0]).toMatchObject({
      sender: "@irc_bob:localhost.test",
      content: { body: "from the other side" },
    });
    expect(await ghost.getJoinedRooms()).toEqual([roomId]);
    await ghost.leaveRoom(roomId);
    expect(hs.room(roomId).joined()).toEqual([alice.userId]);
    await hs.delivered("irc");
  });

  it("is invited, and asked for users, aliases and third parties", async () => {
    const { hs, service, alice } = await start();
    service.on("query.user", (userId: string, create: (profile: object) => void) =>
      create({ display_name: `Made ${userId.slice(1, 9)}` }),
    );
    service.on("query.room", (_alias: string, create: (room: object) => void) => create({ preset: "public_chat" }));
    service.on("thirdparty.protocol", (_name: string, answer: (protocol: object) => void) =>
      answer({
        user_fields: ["nick"],
        location_fields: ["channel"],
        icon: "mxc://a/b",
        field_types: {},
        instances: [],
      }),
    );
    const invited: string[] = [];
    service.on("room.invite", (roomId: string) => invited.push(roomId));
    const roomId = await alice.createRoom({ preset: "private_chat" });
    await alice.invite(roomId, "@irc_new:localhost.test");
    await poll(() => hs.userIds().includes("@irc_new:localhost.test"));
    await poll(() => invited.includes(roomId));
    const made = await alice.join("#irc_channel:localhost.test");
    expect(hs.roomIdOfAlias("#irc_channel:localhost.test")).toBe(made);
    const protocols = await alice.request("GET", "/_matrix/client/v3/thirdparty/protocols");
    expect(record(protocols["irc"])["user_fields"]).toEqual(["nick"]);
    await service.setRoomDirectoryVisibility("net", made, "public");
  });

  it("gets typing notifications under the names it reads", async () => {
    const { service, alice } = await start();
    const seen: unknown[] = [];
    service.on("ephemeral.event", (event: unknown) => seen.push(event));
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await service.botIntent.ensureRegisteredAndJoined(roomId);
    await alice.setTyping(roomId, true);
    await poll(() => seen.some((event) => record(event)["type"] === "m.typing"));
  });
});
