import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { Person } from "../support/person.js";
import { realServer } from "../support/servers/index.js";
import { Synapse } from "../support/servers/synapse.js";

jest.setTimeout(90_000);

const real = await realServer("synapse");
real.describe("a person on Synapse", (install) => {
  let synapse: Synapse;
  let ann: Person;
  let bob: Person;
  const ends: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    synapse = await Synapse.start(install);
    ends.push(() => synapse.stop());
    [ann, bob] = await Promise.all([Person.register(synapse.url, "ann"), Person.register(synapse.url, "bob")]);
    ends.push(
      () => ann.stop(),
      () => bob.stop(),
    );
  });
  afterAll(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function sharedRoom(version?: string): Promise<string> {
    const room = await ann.createRoom({
      name: "Test",
      invite: [bob.userId],
      ...(version === undefined ? {} : { version }),
    });
    await bob.waitFor(
      "the invitation",
      (event) => event.roomId === room && event.type === "m.room.member" && event.stateKey === bob.userId,
    );
    await bob.join(room);
    return room;
  }

  it("talks, edits, reacts and redacts", async () => {
    const room = await sharedRoom();
    const first = await ann.sendText(room, "helo");
    expect(await bob.waitForMessage(room, "a text", ({ body }) => body === "helo")).toMatchObject({
      sender: ann.userId,
      eventId: first,
    });
    await ann.edit(room, first, "hello");
    expect(
      (await bob.waitForMessage(room, "an edit", ({ event }) => "m.new_content" in event.content)).content,
    ).toMatchObject({ "m.relates_to": { rel_type: "m.replace", event_id: first } });
    await bob.react(room, first, "👍");
    await ann.waitFor("a reaction", (event) => event.type === "m.reaction" && event.sender === bob.userId);
    await ann.redact(room, first, "gone");
    expect(await bob.waitFor("a redaction", (event) => event.type === "m.room.redaction")).toMatchObject({
      redacts: first,
    });
    await ann.sendHtml(room, "bold", "<b>bold</b>");
    await bob.waitForMessage(room, "html", ({ html }) => html === "<b>bold</b>");
  });

  it("sends an image", async () => {
    const room = await sharedRoom();
    await ann.sendImage(room, {
      name: "dot.png",
      bytes: new Uint8Array([0x89, 0x50, 0x4e, 0x47]),
      mimeType: "image/png",
      width: 1,
      height: 1,
    });
    const seen = await bob.waitForMessage(room, "an image", ({ body }) => body === "dot.png");
    expect(seen.content["url"]).toMatch(/^mxc:\/\/trestle\.test\//);
  });

  it("upgrades a room and follows", async () => {
    const room = await sharedRoom("11");
    const next = await ann.upgrade(room, "12");
    expect(
      (await bob.waitFor("the tombstone", (event) => event.roomId === room && event.type === "m.room.tombstone"))
        .content["replacement_room"],
    ).toBe(next);
    await ann.invite(next, bob.userId);
    await bob.join(next);
    await bob.sendText(next, "here");
    await ann.waitForMessage(next, "a text", ({ body }) => body === "here");
  });

  it("goes on when the homeserver comes back, and sends once", async () => {
    const room = await sharedRoom();
    await synapse.kill();
    const sent = bob.send(room, "m.room.message", { msgtype: "m.text", body: "patient" }, 60_000);
    await synapse.start();
    ann.reconnect();
    const id = await sent;
    await ann.waitForMessage(room, "the text", ({ body }) => body === "patient");
    const history = await ann.history(room);
    expect(history.filter((event) => event.content["body"] === "patient").map((event) => event.eventId)).toEqual([id]);
    expect(history[0]?.type).toBe("m.room.create");
  });
});
