import { afterEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { SlackStage, type StageOptions } from "./support/stage.js";
import { roomOf } from "../dist/commands/room-text.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@slackbot:slack.test";
const slack = {
  apps: [
    {
      name: "Test App",
      commands: ["/matrix"],
      installations: [{ workspace: "acme", channels: ["general", "random"] }],
    },
  ],
};

function open(options: StageOptions = {}): Promise<SlackStage> {
  return SlackStage.open({ ...options, slack });
}

/** Gives a command in #random; resolves to what only this person is shown. */
async function give(opened: SlackStage, person: string, line: string): Promise<string> {
  const who = opened.slack.workspace("acme").person(person);
  const before = who.ephemerals("random").length;
  expect((await who.command("random", line)).answered).toBe(true);
  await opened.eventually(() => who.ephemerals("random").length > before, `an answer to ${line}`);
  return who.ephemerals("random").at(-1) ?? "";
}

async function roomWithBot(opened: SlackStage, owner: TestClient): Promise<string> {
  const room = await owner.createRoom({ invite: [bot] });
  await opened.eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  return room;
}

const linkedRooms = async (opened: SlackStage): Promise<string[]> =>
  (await opened.trestle.services.list()).map(({ room }) => room);

describe.each(["socket", "http"] as const)("the slash command over %s", (mode) => {
  it("links a channel once a moderator of the room agrees, and unlinks it", async () => {
    stage = await open({ mode });
    const room = await roomWithBot(stage, stage.alice);
    const link = `https://matrix.to/#/${encodeURIComponent(room)}`;
    expect(await give(stage, "alice", `/matrix link ${link}`)).toMatch(/a moderator there must agree/);
    const asked = await stage.botSays(room, /alice on Slack asks to link this room to #random/);
    expect(await linkedRooms(stage)).not.toContain(room);

    // Asking again does not flood the room.
    await give(stage, "alice", `/matrix link ${room}`);
    const notices = stage.homeserver.room(room).messages();
    expect(notices.filter(({ sender }) => sender === bot)).toHaveLength(1);

    await stage.alice.sendText(room, /!slack link \S+/.exec(asked)?.[0] ?? "");
    await stage.botSays(room, /now linked to #random/);
    expect(await give(stage, "bob", "/matrix status")).toContain(room.slice(1, 10));

    expect(await give(stage, "alice", "/matrix unlink")).toContain(room);
    await stage.botSays(room, /alice has removed the link of this room to #random/);
    expect(await linkedRooms(stage)).not.toContain(room);
    expect(await give(stage, "bob", "/matrix status")).toMatch(/not linked/);
    expect(await give(stage, "bob", "/matrix")).toContain("/matrix link &lt;room&gt;");
  });
});

describe("the slash command", () => {
  it("is refused to those who may not decide about the channel", async () => {
    stage = await open();
    const room = await roomWithBot(stage, stage.alice);
    expect(await give(stage, "bob", `/matrix link ${room}`)).toMatch(/You may not link this channel/);
    expect(await give(stage, "bob", "/matrix unlink")).toMatch(/You may not link this channel/);
    expect(stage.homeserver.room(room).messages()).toEqual([]);
  });

  it("lets every member do it where the operator says so, but no guest", async () => {
    stage = await open({ network: { commands: { who: "members" } } });
    const room = await roomWithBot(stage, stage.alice);
    stage.slack.workspace("acme").addPerson({ name: "guest", guest: "restricted" }).join("random");
    expect(await give(stage, "guest", `/matrix link ${room}`)).toMatch(/You may not link this channel/);
    expect(await give(stage, "bob", `/matrix link ${room}`)).toMatch(/was asked/);
  });

  it("makes the bot enter no room, and says so", async () => {
    stage = await open();
    const room = await stage.alice.createRoom({ preset: "public_chat" });
    expect(await give(stage, "alice", `/matrix link ${room}`)).toMatch(/not in the room/);
    expect(stage.homeserver.room(room).members()[bot]).toBeUndefined();
    expect(await give(stage, "alice", "/matrix link #nowhere:slack.test")).toMatch(/no room/);
    expect(await give(stage, "alice", "/matrix link nonsense")).toMatch(/Say which room/);
  });

  it("links at once for somebody who is signed in and may link the room", async () => {
    stage = await open();
    const carol = stage.homeserver.createClient("carol");
    const hers = await roomWithBot(stage, carol);
    await stage.signIn(carol, "alice");
    expect(await give(stage, "alice", `/matrix link ${hers}`)).toMatch(/is now linked/);
    expect(await linkedRooms(stage)).toContain(hers);
    // Elsewhere she may not.
    const foreign = await roomWithBot(stage, stage.alice);
    expect(await give(stage, "alice", `/matrix link ${foreign}`)).not.toMatch(/is now linked/);
    expect(await linkedRooms(stage)).not.toContain(foreign);
  });
});

describe("the room that somebody types", () => {
  it.each([
    ["!abc:example.org", "!abc:example.org"],
    ["#room:example.org", "#room:example.org"],
    ["https://matrix.to/#/#room:example.org?via=example.org", "#room:example.org"],
    ["<https://matrix.to/#/!abc%3Aexample.org?via=a&amp;via=b|matrix.to/…>", "!abc:example.org"],
  ])("%s", (typed, room) => expect(roomOf(typed)).toBe(room));
  it.each(["", "general", "https://example.org/", "@alice:example.org", "https://matrix.to/#/@alice:example.org"])(
    "is none: %s",
    (typed) => expect(roomOf(typed)).toBeUndefined(),
  );
});

describe("the command in Matrix", () => {
  it("says what to do about a channel that Slack does not show, and links it then", async () => {
    stage = await open();
    const acme = stage.slack.workspace("acme");
    acme.addChannel("hidden", { private: true });
    const room = await roomWithBot(stage, stage.alice);
    await stage.alice.sendText(room, "!slack link #hidden");
    await stage.botSays(room, /sees no channel #hidden in Slack\. If it is a private one, type \/invite @\S+ there/);
    stage.slack.app().joinChannel("acme", "hidden");
    await stage.alice.sendText(room, "!slack link #hidden");
    await stage.botSays(room, /now linked to #hidden/);
  });
});
