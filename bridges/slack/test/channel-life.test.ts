import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@slackbot:slack.test";
const state = (opened: SlackStage, type: string): Record<string, unknown> =>
  (opened.homeserver.room(opened.room).state(type)?.content ?? {}) as Record<string, unknown>;
const isClosed = (opened: SlackStage): boolean => state(opened, "m.room.power_levels")["events_default"] === 50;
const notices = (opened: SlackStage): string[] =>
  opened
    .events()
    .filter(({ sender }) => sender === bot)
    .map(({ content }) => String(content["body"]));
const members = (opened: SlackStage): string[] =>
  Object.entries(opened.homeserver.room(opened.room).members())
    .filter(([user, membership]) => membership === "join" && user.startsWith("@slack_"))
    .map(([user]) => user);

describe("a linked channel", () => {
  it("is archived, and its room is closed until that ends", async () => {
    stage = await SlackStage.open();
    const person = stage.slack.workspace("acme").person("alice");
    person.archive("general");
    await stage.eventually(() => isClosed(stage!), "the room is closed");
    expect(notices(stage)).toEqual([expect.stringMatching(/was archived on Slack by alice/)]);
    person.unarchive("general");
    await stage.eventually(() => !isClosed(stage!), "the room is open");
    expect(notices(stage)).toHaveLength(2);
    person.post("general", "back again");
    await stage.saidOnMatrix("back again");
  });

  it("is archived while the bridge is away, and found so", async () => {
    stage = await SlackStage.open();
    await stage.stop();
    stage.slack.workspace("acme").person("alice").archive("general");
    await stage.start();
    await stage.eventually(() => isClosed(stage!), "the room is closed");
    await stage.stop();
    stage.slack.workspace("acme").person("alice").unarchive("general");
    await stage.start();
    await stage.eventually(() => !isClosed(stage!), "the room is open");
    expect(notices(stage)).toHaveLength(2);
  });

  it("is renamed, gets a topic, another id, and is deleted", async () => {
    stage = await SlackStage.open();
    const acme = stage.slack.workspace("acme");
    const person = acme.person("alice");
    person.rename("general", "lobby");
    await stage.eventually(() => state(stage!, "m.room.name")["name"] === "#lobby", "the room is renamed");
    person.setTopic("lobby", "tea &amp; cake");
    await stage.eventually(() => state(stage!, "m.room.topic")["topic"] === "tea & cake", "the topic arrives");
    const said = person.post("lobby", "before");
    const first = await stage.saidOnMatrix("before");
    const id = acme.changeChannelId("lobby");
    person.edit({ ...said, channel: id }, "after");
    await stage.eventually(() => stage!.bodies().includes("* after"), "the correction arrives under the new id");
    const correction = stage.events().find(({ content }) => content["body"] === "* after");
    expect(correction?.content["m.relates_to"]).toMatchObject({ event_id: first.event_id });
    await stage.alice.sendText(stage.room, "to the new one");
    await stage.saidOnSlack("to the new one", "lobby");

    person.deleteChannel("lobby");
    await stage.eventually(() => isClosed(stage!), "the room is closed");
    expect(notices(stage)).toEqual([expect.stringMatching(/^#lobby was deleted on Slack by alice/)]);
    await until(8_000, "the link ends", async () =>
      (await stage!.trestle.services.list()).length === 0 ? true : undefined,
    );
  });

  it("tells its room when the app is removed from it", async () => {
    stage = await SlackStage.open();
    const app = stage.slack.app();
    stage.slack.workspace("acme").person("alice").kick("general", app.botUserId());
    await stage.eventually(() => notices(stage!).some((line) => line.includes("/invite")), "the room is told");
  });
});

describe("who is in a linked channel", () => {
  it("is in its room too, and out of it when they leave, where everybody is to be", async () => {
    stage = await SlackStage.open({ bridge: () => ({ membership: "full" }) });
    const acme = stage.slack.workspace("acme");
    acme.addPerson({ name: "carol" }).join("general");
    await stage.eventually(() => members(stage!).length === 3, "all are in the room");
    acme.person("bob").leave("general");
    await stage.eventually(() => members(stage!).length === 2, "bob has left");
    await stage.stop();
    acme.person("bob").join("general");
    acme.person("alice").leave("general");
    await stage.start();
    await stage.eventually(
      () => members(stage!).join().includes(acme.person("bob").id.toLowerCase()) && members(stage!).length === 2,
      "what was missed is made up for",
    );
  });

  it("comes into the room when they speak where the channel is large", async () => {
    stage = await SlackStage.open({ bridge: () => ({ membership: "full" }), network: { mostMembers: 1 } });
    stage.slack.workspace("acme").person("bob").post("general", "hello");
    await stage.saidOnMatrix("hello");
    expect(members(stage)).toHaveLength(1);
    expect(stage.slack.calls("conversations.members")).toEqual([]);
  });
});
