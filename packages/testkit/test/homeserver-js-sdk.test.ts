import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Homeserver } from "@trestle/testkit";
import type { MatrixClient, MatrixEvent } from "matrix-js-sdk";
import { ClientEvent, createClient, EventType, MsgType, RelationType, SyncState } from "matrix-js-sdk";
import { content, poll } from "./homeserver-support.js";

describe("matrix-js-sdk as the client", () => {
  let hs: Homeserver;
  const clients: MatrixClient[] = [];

  beforeAll(async () => {
    // The SDK leaves a timer of 80 s behind every request; it must not keep the test process alive.
    const setTimer = globalThis.setTimeout;
    jest.spyOn(globalThis, "setTimeout").mockImplementation((callback, ms) => setTimer(callback, ms).unref());
    // It complains of the state of rooms it is about to make; nothing of its log is of use here.
    jest.spyOn(console, "error").mockImplementation(() => undefined);
    for (const method of ["debug", "info", "warn", "log"] as const)
      jest.spyOn(console, method).mockImplementation(() => undefined);
    hs = await Homeserver.start();
    hs.createUser("alice", "wonderland");
    hs.createUser("bob", "builder");
  });
  afterAll(async () => {
    for (const client of clients) client.stopClient();
    await hs.stop();
    jest.restoreAllMocks();
  });

  const login = async (user: string, password: string): Promise<MatrixClient> => {
    const anonymous = createClient({ baseUrl: hs.url });
    const session = await anonymous.loginRequest({
      type: "m.login.password",
      identifier: { type: "m.id.user", user },
      password,
    });
    const client = createClient({
      baseUrl: hs.url,
      userId: session.user_id,
      accessToken: session.access_token,
      deviceId: session.device_id,
    });
    clients.push(client);
    const synced = new Promise<void>((resolve) => {
      client.on(ClientEvent.Sync, (state) => {
        if (state === SyncState.Prepared) resolve();
      });
    });
    await client.startClient({ initialSyncLimit: 20, pollTimeout: 2_000 });
    await synced;
    return client;
  };

  it("logs in, syncs, sends, edits, reacts, redacts, uploads, invites, leaves", async () => {
    const alice = await login("alice", "wonderland");
    const bob = await login("bob", "builder");
    const { room_id: roomId } = await alice.createRoom({ name: "Meeting", invite: ["@bob:localhost.test"] });
    await poll(() => bob.getRoom(roomId)?.getMyMembership() === "invite");
    await bob.joinRoom(roomId);
    await poll(() => bob.getRoom(roomId)?.getMyMembership() === "join");
    expect(bob.getRoom(roomId)!.name).toBe("Meeting");

    const seen = (): MatrixEvent[] => bob.getRoom(roomId)!.getLiveTimeline().getEvents();
    const body = (eventId: string): unknown =>
      seen()
        .find((event) => event.getId() === eventId)
        ?.getContent()["body"];
    const { event_id: eventId } = await alice.sendTextMessage(roomId, "first");
    await poll(() => body(eventId) === "first");
    await alice.sendEvent(roomId, EventType.RoomMessage, {
      msgtype: MsgType.Text,
      body: "* second",
      "m.new_content": { msgtype: MsgType.Text, body: "second" },
      "m.relates_to": { rel_type: RelationType.Replace, event_id: eventId },
    });
    await poll(() => body(eventId) === "second");

    await bob.sendEvent(roomId, EventType.Reaction, {
      "m.relates_to": { rel_type: RelationType.Annotation, event_id: eventId, key: "👍" },
    });
    const reactions = (): number =>
      alice
        .getRoom(roomId)!
        .getUnfilteredTimelineSet()
        .relations.getChildEventsForEvent(eventId, RelationType.Annotation, EventType.Reaction)
        ?.getRelations().length ?? 0;
    await poll(() => reactions() === 1);

    const { content_uri: mxc } = await alice.uploadContent(Buffer.from("picture"), {
      type: "image/png",
      name: "p.png",
      includeFilename: true,
    });
    const { event_id: imageId } = await alice.sendMessage(roomId, { msgtype: MsgType.Image, body: "p.png", url: mxc });
    await poll(() => body(imageId) === "p.png");

    await alice.sendTyping(roomId, true, 10_000);
    await poll(() => bob.getRoom(roomId)!.getMember("@alice:localhost.test")?.typing === true);
    await bob.sendReadReceipt(seen().at(-1)!);
    await poll(() => alice.getRoom(roomId)!.getEventReadUpTo("@bob:localhost.test") === imageId);

    await alice.redactEvent(roomId, eventId, undefined, { reason: "oops" });
    await poll(
      () =>
        seen()
          .find((event) => event.getId() === eventId)
          ?.isRedacted() === true,
    );

    await alice.setRoomTopic(roomId, "agenda");
    await bob.setDisplayName("Bob the Builder");
    await poll(() => alice.getRoom(roomId)!.getMember("@bob:localhost.test")?.name === "Bob the Builder");
    await bob.leave(roomId);
    await poll(() => alice.getRoom(roomId)!.getMember("@bob:localhost.test")?.membership === "leave");

    const room = hs.room(roomId);
    expect(content(room.state("m.room.topic"))["topic"]).toBe("agenda");
    expect(room.members()["@bob:localhost.test"]).toBe("leave");
    expect(hs.specDeviations).toEqual([]);
  }, 20_000);
});
