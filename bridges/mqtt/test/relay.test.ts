import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { realServer } from "../../../test/support/servers/index.js";
import { channel, Stage } from "./support/stage.js";
import { patiently } from "../../../test/support/bounded.js";

const mosquitto = await realServer("mosquitto");

mosquitto.describe("the MQTT bridge with a real broker", (install) => {
  jest.setTimeout(120_000);
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open(install);
  });

  afterAll(async () => {
    await stage.close();
  });

  it("publishes readable JSON, and takes its own echo for no message", async () => {
    await stage.alice.send(stage.room, "m.room.message", {
      msgtype: "m.text",
      body: "hello **world**",
      format: "org.matrix.custom.html",
      formatted_body: "hello <b>world</b>",
      "m.mentions": {},
    });
    const { said, retained } = await stage.person.hear(channel, "hello **world**");
    expect(said).toEqual({
      id: expect.stringMatching(/^[\w-]{1,40}$/),
      from: "alice",
      text: "hello **world**",
      style: "text",
      at: expect.any(Number),
      via: "trestle-mqtt.test-mqtt",
    });
    expect(retained).toBe(false);
    await stage.person.publish(channel, { from: "bob", text: "after the echo" });
    await stage.shown("after the echo");
    expect(stage.said()).toEqual(["after the echo"]);
  });

  it("shows what is said on MQTT under the name that says it, and what is not JSON as it stands", async () => {
    await stage.person.publish(channel, { from: "bob", text: "waves", style: "emote" });
    const event = await stage.shown("waves");
    expect(event).toMatchObject({ sender: "@mqtt_bob:mqtt.test", content: { msgtype: "m.emote" } });
    const name = await stage.alice.state(stage.room, "m.room.member", "@mqtt_bob:mqtt.test");
    expect(name).toMatchObject({ displayname: "bob" });
    await stage.person.publish(channel, "21.5");
    expect(await stage.shown("21.5")).toMatchObject({ sender: "@mqtt_anonymous:mqtt.test" });
    await stage.person.publish(channel, '{"temperature": 21.5}');
    await stage.shown('{"temperature": 21.5}');
  });

  it("takes a message that comes again under the same id once", async () => {
    for (const _ of [1, 2, 3])
      await stage.person.publish(channel, { id: "once", from: "bob", text: "said three times" });
    await stage.person.publish(channel, { from: "bob", text: "after it" });
    await stage.shown("after it");
    expect(stage.said().filter((body) => body === "said three times")).toHaveLength(1);
  });

  it("replaces what MQTT has not: an edit, a reply and a file become lines; a reaction and a redaction leave it alone", async () => {
    const event = await stage.alice.send(stage.room, "m.room.message", {
      msgtype: "m.text",
      body: "mistke",
      "m.mentions": {},
    });
    await stage.person.hear(channel, "mistke");
    await stage.alice.edit(stage.room, event, "mistake");
    await stage.person.hear(channel, "* mistake");
    await stage.alice.react(stage.room, event, "👍");
    await stage.alice.redact(stage.room, event);
    await stage.person.publish(channel, { from: "bob", text: "which mistake?" });
    const question = await stage.shown("which mistake?");
    await stage.alice.reply(stage.room, String(question["event_id"]), "the one above");
    await stage.person.hear(channel, "bob: the one above");
    await stage.alice.sendFile(stage.room, "m.file", {
      content: new TextEncoder().encode("plan"),
      contentType: "text/plain",
      filename: "plan.txt",
    });
    const file = await stage.person.inbox.take("the file", 30_000, ({ payload }) => payload.includes("plan.txt"));
    expect(file.said["text"]).toMatch(/^plan\.txt \(file, 4 B\): .*http:\/\/127\.0\.0\.1:\d+\//);
    expect(stage.person.texts(channel).slice(-4)).toEqual([
      "* mistake",
      "which mistake?",
      "bob: the one above",
      file.said["text"],
    ]);
  });

  it("keeps the room's topic as retained state, either way, and says it to nobody twice", async () => {
    await stage.alice.setState(stage.room, "m.room.topic", { topic: "From Matrix" });
    await stage.person.hear(`${channel}/topic`, "From Matrix");
    await stage.person.publish(`${channel}/topic`, { from: "bob", text: "From MQTT" }, true);
    await stage.homeserver.waitFor(
      ({ type, content }) => type === "m.room.topic" && JSON.stringify(content).includes("From MQTT"),
      { timeoutMs: patiently(30_000) },
    );
    // A bridge that starts anew subscribes again, to what is retained as well.
    await stage.bridge.shutdown();
    await stage.bridge.start();
    await stage.linked();
    const topics = stage.homeserver
      .room(stage.room)
      .messages("m.room.topic")
      .map(({ content }) => (content as { topic?: unknown }).topic);
    expect(topics.filter((topic) => typeof topic === "string")).toEqual(["From Matrix", "From MQTT"]);
    expect(stage.person.texts(`${channel}/topic`)).toEqual(["From Matrix", "From MQTT"]);
  });

  it("refuses a channel that is no topic for a room, and says what to type", async () => {
    for (const wrong of ["chat/#", "chat/+/x", "$SYS/broker", "chat/lobby/topic"]) {
      const { code, output } = await stage.bridge.command("link", "mqtt", stage.room, wrong);
      expect(output).toContain("such as chat/lobby");
      expect(code).not.toBe(0);
    }
  });
});
