import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { until } from "../../../test/support/bounded.js";
import { channelNameOf } from "../dist/channels/channel-name.js";
import { SlackStage, type StageOptions } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@slackbot:slack.test";
const state = (opened: SlackStage, type: string): Record<string, unknown> =>
  (opened.homeserver.room(opened.room).state(type)?.content ?? {}) as Record<string, unknown>;

/** A room of alice's with the bot in it, linked to nothing. */
async function freshRoom(opened: SlackStage): Promise<string> {
  const room = await opened.alice.createRoom({ invite: [bot] });
  await opened.eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  return room;
}

/** A room linked to #tea, which the bot has made. */
async function withTea(opened: SlackStage): Promise<string> {
  const room = await freshRoom(opened);
  await opened.alice.sendText(room, "!slack create tea");
  await opened.botSays(room, /^#tea was made, and this room is linked to it\.$/);
  return room;
}

const open = async (options: StageOptions = {}): Promise<SlackStage> => (stage = await SlackStage.open(options));

describe("a channel made from Matrix", () => {
  it("is made in Slack under a name that Slack takes, and bridged", async () => {
    const opened = await open();
    const room = await freshRoom(opened);
    await opened.alice.sendText(room, "!slack create Tea & Cake private");
    await opened.botSays(room, /^#tea-cake was made/);
    const channel = opened.slack.workspace("acme").channel("tea-cake");
    expect(channel.private).toBe(true);
    await opened.alice.sendText(room, "anybody here?");
    await opened.saidOnSlack("anybody here?", "tea-cake");
    await opened.alice.sendText(room, "!slack list");
    await opened.botSays(room, /^linked to #tea-cake$/);
  });

  it("has in it who asked for it, where they are signed in", async () => {
    const opened = await open();
    await opened.signIn(opened.alice, "alice");
    await withTea(opened);
    const acme = opened.slack.workspace("acme");
    expect(acme.channel("tea").members).toContain(acme.person("alice").id);
  });

  it("is not made where Slack has it, or the operator does not let it be linked", async () => {
    const opened = await open({ network: { channels: { deny: ["secret-*"] } } });
    const room = await freshRoom(opened);
    await opened.alice.sendText(room, "!slack create general");
    await opened.botSays(room, /^There is a channel #general in Slack already: link it with link general$/);
    await opened.alice.sendText(room, "!slack create secret plans");
    await opened.botSays(room, /^The operator does not let #secret-plans be linked\.$/);
    await opened.alice.sendText(room, "!slack create !!!");
    await opened.botSays(room, /cannot be the name of a channel/);
  });

  it("is made once although Slack's answer is lost", async () => {
    const opened = await open();
    opened.slack.faults.api({ kind: "drop_after", method: "conversations.create", times: 1 });
    const room = await withTea(opened);
    const person = opened.slack.workspace("acme").person("alice");
    person.join("tea");
    person.post("tea", "found it");
    await until(8_000, "it is bridged", () =>
      opened.homeserver
        .room(room)
        .messages()
        .find(({ content }) => (content as { body?: unknown }).body === "found it"),
    );
    expect(opened.slack.calls("conversations.create").length).toBeGreaterThanOrEqual(1);
    expect(
      opened.slack
        .workspace("acme")
        .channels()
        .filter(({ name }) => name.startsWith("tea")),
    ).toHaveLength(1);
  });
});

describe("a channel", () => {
  it("is renamed, described, archived and opened again from Matrix", async () => {
    const opened = await open();
    const room = await withTea(opened);
    const { alice } = opened;
    const channel = opened.slack.workspace("acme").channel("tea");
    await alice.sendText(room, "!slack rename Coffee Break");
    await opened.botSays(room, /^The channel is called #coffee-break\.$/);
    expect(channel.name).toBe("coffee-break");
    const name = (): unknown =>
      (opened.homeserver.room(room).state("m.room.name")?.content as { name?: unknown } | undefined)?.name;
    await alice.sendText(room, "!slack purpose <!channel> & friends");
    await opened.botSays(room, /^The channel's purpose is set\.$/);
    expect(channel.purpose).toBe("&lt;!channel&gt; &amp; friends");
    await alice.sendText(room, "!slack archive");
    await opened.botSays(room, /^The channel is archived\.$/);
    expect(channel.archived).toBe(true);
    await alice.sendText(room, "!slack unarchive");
    await opened.botSays(room, /^The channel is open again\.$/);
    expect(channel.archived).toBe(false);
    // The bot has no power in this room of alice's: its name stays hers.
    expect(name()).toBeUndefined();
  });

  it("tells why Slack refuses", async () => {
    const opened = await open();
    await opened.alice.sendText(opened.room, "!slack archive");
    await opened.botSays(opened.room, /general channel cannot be archived/);
    await opened.alice.sendText(opened.room, "!slack rename lobby");
    await opened.botSays(opened.room, /only in channels that it made itself/);
  });

  it("is renamed with its room where the operator wants it", async () => {
    const opened = await open({ network: { rename: true } });
    const room = await withTea(opened);
    await opened.alice.setPower(room, bot, 100);
    const channel = opened.slack.workspace("acme").channel("tea");
    await opened.alice.setName(room, "Coffee Break");
    await opened.eventually(() => channel.name === "coffee-break", "the channel is renamed");
    const shown = (): unknown =>
      (opened.homeserver.room(room).state("m.room.name")?.content as { name?: unknown }).name;
    await opened.eventually(() => shown() === "#coffee-break", "the room is called as Slack calls it");
  });

  it("is not renamed with its room otherwise", async () => {
    const opened = await open();
    const room = await withTea(opened);
    await opened.alice.setName(room, "Coffee Break");
    await opened.alice.sendText(room, "the end");
    await opened.saidOnSlack("the end", "tea");
    expect(opened.slack.calls("conversations.rename")).toEqual([]);
  });

  it("is found renamed and with another topic after the bridge was away", async () => {
    const opened = await open({ joins: false });
    const person = opened.slack.workspace("acme").person("alice");
    await opened.eventually(
      () => opened.slack.workspace("acme").channel("general").members.length > 2,
      "the bot is in the channel",
    );
    for (const [name, topic] of [
      ["lobby", "tea &amp; cake"],
      ["general", ""],
      ["lobby", "tea &amp; cake"],
    ] as const) {
      await opened.stop();
      const [channel] = opened.slack.workspace("acme").channels();
      person.rename(channel!.name, name);
      person.setTopic(name, topic);
      await opened.start();
      await opened.eventually(() => state(opened, "m.room.name")["name"] === `#${name}`, "the new name");
      const shown = topic === "" ? "" : "tea & cake";
      await opened.eventually(() => (state(opened, "m.room.topic")["topic"] ?? "") === shown, "the new topic");
    }
  });

  it("is come into however long Slack is away when it is linked, and what is changed from Matrix meanwhile waits", async () => {
    const opened = await open();
    const { slack, trestle, alice, room } = opened;
    const acme = slack.workspace("acme");
    acme.addChannel("attic");
    const attic = acme.channel("attic");
    const silence = slack.faults.api({ kind: "status", method: "conversations.join", status: 503 });
    await trestle.services.link("slack", room, "attic", "operator");
    await alice.setTopic(room, "tea");
    await until(8_000, "a try", async () => {
      const queue = await trestle.services.queue.list({});
      return queue.some(({ direction, attempts }) => direction === "toNetwork" && attempts > 0) || undefined;
    });
    expect(attic.topic).toBe("");
    acme.person("alice").post("attic", "said before the bot is in");
    silence.lift();
    await opened.eventually(() => attic.topic === "tea", "the new topic");
    acme.person("alice").post("attic", "hello");
    await opened.saidOnMatrix("hello");
    expect(opened.bodies().slice(-2)).toEqual(["said before the bot is in", "hello"]);
  });

  it("leaves a room its own name at a start without a change", async () => {
    const opened = await open();
    await opened.alice.setName(opened.room, "Our place");
    await opened.alice.setTopic(opened.room, "from Matrix");
    await opened.eventually(
      () => opened.slack.workspace("acme").channel("general").topic === "from Matrix",
      "the topic arrives in Slack",
    );
    await opened.stop();
    await opened.start();
    opened.slack.workspace("acme").person("bob").post("general", "the end");
    await opened.saidOnMatrix("the end");
    expect([state(opened, "m.room.name"), state(opened, "m.room.topic")["topic"]]).toEqual([
      { name: "Our place" },
      "from Matrix",
    ]);
  });
});

describe("a channel that the operator does not let be linked", () => {
  it("is neither linked by the configuration nor by name, id or URL", async () => {
    const opened = await open({ network: { channels: { allow: ["gen*"], deny: ["#general"] } }, joins: false });
    expect(await opened.trestle.services.list()).toEqual([]);
    const { id } = opened.slack.workspace("acme").channel("general");
    for (const text of ["general", "#general", id, `https://acme.slack.com/archives/${id}`])
      await expect(opened.trestle.services.link("slack", opened.room, text, "operator")).rejects.toMatchObject({
        message: "The operator does not let #general be linked.",
      });
  });

  it("is not bridged any more where it was linked before, or is called otherwise now", async () => {
    const opened = await open({ network: { channels: { deny: ["secret"] } } });
    const person = opened.slack.workspace("acme").person("alice");
    person.post("general", "before");
    await opened.saidOnMatrix("before");
    const asked = (): number => opened.slack.calls("conversations.info").length;
    const before = asked();
    person.rename("general", "secret");
    person.post("secret", "hidden");
    await opened.eventually(() => asked() > before, "the bridge looks what it is called");
    await opened.alice.sendText(opened.room, "hidden too");
    await until(8_000, "its sender is told", () =>
      opened.bodies().find((body) => body.includes("does not let this channel be bridged")),
    );
    person.rename("secret", "general");
    person.post("general", "after");
    await opened.saidOnMatrix("after");
    expect(opened.bodies()).not.toContain("hidden");
    expect(opened.slack.workspace("acme").channel("general").texts()).not.toContain("hidden too");
  });
});

describe("the name of a channel", () => {
  it.each([
    ["#General", "general"],
    ["Tea & Cake!", "tea-cake"],
    ["Größe 日本", "größe-日本"],
    ["  a.b/c ", "a-b-c"],
    ["--- ---", undefined],
    ["", undefined],
    ["<!channel>", "channel"],
  ])("is taken from %j", (text, name) => expect(channelNameOf(text)).toBe(name));

  it("is one that Slack takes, whatever is typed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        const name = channelNameOf(text);
        if (name === undefined) return;
        expect(name).toBe(name.toLowerCase());
        expect(Array.from(name).length).toBeLessThanOrEqual(80);
        expect(name).toMatch(/^[\p{L}\p{M}\p{N}_-]+$/u);
        expect(channelNameOf(name)).toBe(name);
      }),
      { seed: 11, numRuns: 500 },
    );
  });
});
