import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** The room that a conversation got. */
async function directRoom(opened: SlackStage): Promise<string> {
  return until(8_000, "a direct room", async () => {
    const links = await opened.trestle.services.list();
    return links.find(({ kind }) => kind === "direct")?.room;
  });
}

const said = (opened: SlackStage, room: string): [string, string][] =>
  opened.homeserver
    .room(room)
    .messages()
    .map(({ sender, content }) => [sender as string, String((content as { body?: unknown }).body)]);

async function heard(opened: SlackStage, room: string, body: string): Promise<string> {
  return until(
    8_000,
    `"${body}" in the direct room`,
    () => said(opened, room).find(([, text]) => text === body)?.[0],
    () => JSON.stringify(said(opened, room)),
  );
}

describe("a direct message in Slack to somebody who signed in", () => {
  it("gets a room with them, and answers go back as theirs", async () => {
    stage = await SlackStage.open({ doublePuppets: true });
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.person("alice").post("@bob", "psst");
    const room = await directRoom(stage);
    expect(await heard(stage, room, "psst")).toMatch(/^@slack_/);
    const members = stage.homeserver.room(room).members();
    expect(members[alice.userId]).toBe("join");
    expect(stage.homeserver.room(room).state("m.room.name")?.content).toMatchObject({ name: "alice" });

    await alice.sendText(room, "what is it?");
    const direct = acme.person("bob").openDirect("alice");
    await stage.eventually(() => direct.texts().includes("what is it?"), "the answer arrives");
    expect(direct.messages().at(-1)?.author).toBe("bob");

    acme.person("bob").post("@alice", "typed in Slack");
    expect(await heard(stage, room, "typed in Slack")).toBe(alice.userId);
    acme.person("alice").upload("@bob", { name: "note.txt", content: "a note" });
    await heard(stage, room, "note.txt");
    expect(said(stage, room).map(([, body]) => body)).toEqual(["psst", "what is it?", "typed in Slack", "note.txt"]);
    // The room of the channel hears nothing of it.
    expect(stage.bodies()).toEqual([]);
  });

  it("gets none while a policy list bans them, whose token is good again afterwards", async () => {
    stage = await SlackStage.open({
      config: { policyLists: ["#bans:slack.test"] },
      prepare: async ({ alice }) => {
        await alice.createRoom({ room_alias_name: "bans", preset: "public_chat" });
      },
    });
    const { slack, alice, homeserver, trestle } = stage;
    const opened = stage;
    const list = homeserver.roomIdOfAlias("#bans:slack.test") ?? "";
    await stage.eventually(() => homeserver.room(list).members()["@slackbot:slack.test"] === "join", "it is followed");
    const mallory = homeserver.createClient("mallory");
    await stage.signIn(mallory, "bob");
    const acme = slack.workspace("acme");
    const flow = async () => (await trestle.services.status()).bridges[0]!.toNetwork;
    /** Changes the rule, and waits until the account was looked at because of it. */
    const settled = async (change: object): Promise<void> => {
      await until(8_000, "nothing waits", async () => ((await flow()).queued === 0 ? true : undefined));
      const { delivered } = await flow();
      await alice.setState(list, "m.policy.rule.user", { ...change }, "rule");
      await until(8_000, "it is looked at", async () => ((await flow()).delivered > delivered ? true : undefined));
    };
    await settled({ entity: mallory.userId, recommendation: "m.ban", reason: "" });
    acme.person("alice").post("@bob", "psst");
    acme.person("alice").post("general", "behind it");
    await stage.eventually(() => opened.bodies().includes("behind it"), "what was said behind it arrives");
    expect(slack.calls().some(({ method }) => method === "auth.revoke")).toBe(false);

    await settled({});
    acme.person("alice").post("@bob", "psst again");
    const room = await directRoom(stage);
    await heard(stage, room, "psst again");
    expect(said(stage, room).map(([, body]) => body)).toEqual(["psst again"]);
  });

  it("in a group too, with everybody in it", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.addPerson({ name: "carol" });
    const group = acme.person("carol").openDirect("alice", "bob");
    acme.person("carol").post(group.id, "the three of us");
    const room = await directRoom(stage);
    await heard(stage, room, "the three of us");
    const members = Object.entries(stage.homeserver.room(room).members());
    expect(members.filter(([user, membership]) => user.startsWith("@slack_") && membership === "join")).toHaveLength(2);
    await alice.join(room);
    await alice.sendText(room, "hello you two");
    await stage.eventually(() => group.texts().includes("hello you two"), "the answer arrives");
  });

  it("is made up for when it came while the bridge was away", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const person = slack.workspace("acme").person("alice");
    person.post("@bob", "first");
    const room = await directRoom(stage);
    await heard(stage, room, "first");
    await stage.stop();
    person.post("@bob", "meanwhile");
    await stage.start();
    await heard(stage, room, "meanwhile");
    person.post("@bob", "later");
    await heard(stage, room, "later");
    expect(said(stage, room).map(([, body]) => body)).toEqual(["first", "meanwhile", "later"]);
  });

  it("is made up for where it began a conversation while the bridge was away, before what is said next", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.addPerson({ name: "carol" });
    const carol = acme.person("carol");
    await stage.stop();
    for (const text of ["are you there?", "it is me", "well then"]) carol.post("@bob", text);
    await stage.start();
    for (const text of ["so you are back", "at last"]) carol.post("@bob", text);
    const room = await directRoom(stage);
    await heard(stage, room, "at last");
    const all = ["are you there?", "it is me", "well then", "so you are back", "at last"];
    expect(said(stage, room).map(([, body]) => body)).toEqual(all);
    await stage.stop();
    carol.post("@bob", "again");
    await stage.start();
    carol.post("@bob", "and again");
    await heard(stage, room, "and again");
    expect(said(stage, room).map(([, body]) => body)).toEqual([...all, "again", "and again"]);
  });

  it("is made up for where it began a conversation while the bridge was away, and nothing is said next", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    for (const name of ["carol", "dave"]) acme.addPerson({ name });
    await stage.stop();
    acme.person("carol").post("@dave", "not for the bridge");
    for (const text of ["are you there?", "call me"]) acme.person("carol").post("@bob", text);
    await stage.start();
    const room = await directRoom(stage);
    await heard(stage, room, "call me");
    expect(said(stage, room).map(([, body]) => body)).toEqual(["are you there?", "call me"]);
    await alice.join(room);
    await alice.sendText(room, "I am back");
    const direct = acme.person("bob").openDirect("carol");
    await stage.eventually(() => direct.texts().includes("I am back"), "the answer arrives");
    expect((await stage.trestle.services.list()).filter(({ kind }) => kind === "direct")).toHaveLength(1);
  });

  it("is made up for where it began a conversation while the connection was broken", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.addPerson({ name: "carol" });
    acme.person("alice").post("general", "heard");
    await stage.saidOnMatrix("heard");
    await slack.goDown();
    acme.person("carol").post("@bob", "during the outage");
    await slack.comeBack();
    const room = await directRoom(stage);
    await heard(stage, room, "during the outage");
  });

  it("is answered when Slack has said whose the app's new token is", async () => {
    stage = await SlackStage.open();
    const { slack, alice, directory } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.person("alice").post("@bob", "psst");
    const room = await directRoom(stage);
    await heard(stage, room, "psst");
    await alice.join(room);
    await stage.stop();
    const file = join(directory, "trestle.yaml");
    const botToken = "xoxb-another-token-of-the-same-app";
    const config = await readFile(file, "utf8");
    await writeFile(file, config.replace(slack.app().botToken(), botToken));
    slack.app().install({ workspace: "acme", botToken });
    const silence = slack.faults.api({ kind: "status", method: "auth.test", status: 503 });
    await alice.sendText(room, "what is it?");
    await stage.start();
    const { trestle } = stage;
    await until(8_000, "a try", async () => {
      const queue = await trestle.services.queue.list({});
      return queue.some(({ direction, attempts }) => direction === "toNetwork" && attempts > 0) || undefined;
    });
    silence.lift();
    const direct = acme.person("bob").openDirect("alice");
    await stage.eventually(() => direct.texts().includes("what is it?"), "the answer arrives");
    expect(direct.messages().at(-1)?.author).toBe("bob");
  });

  it("is not told from before they signed in", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    const acme = slack.workspace("acme");
    acme.person("alice").post("general", "heard");
    await stage.saidOnMatrix("heard");
    await stage.stop();
    acme.person("alice").post("@bob", "long ago");
    await stage.start();
    await stage.signIn(alice, "bob");
    acme.person("alice").post("@bob", "now");
    const room = await directRoom(stage);
    await heard(stage, room, "now");
    expect(said(stage, room).map(([, body]) => body)).toEqual(["now"]);
  });

  it("stays with Slack where it is nobody's who signed in", async () => {
    stage = await SlackStage.open();
    const { slack } = stage;
    const acme = slack.workspace("acme");
    await stage.signIn(stage.alice, "bob");
    acme.addPerson({ name: "carol" });
    acme.person("carol").post("@alice", "not for the bridge");
    acme.person("carol").post("@bob", "for bob");
    const room = await directRoom(stage);
    await heard(stage, room, "for bob");
    expect((await stage.trestle.services.list()).filter(({ kind }) => kind === "direct")).toHaveLength(1);
  });
});

describe("a Matrix user who invites a ghost", () => {
  it("talks to them alone where they signed in", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.person("alice").post("general", "here I am");
    const ghost = (await stage.saidOnMatrix("here I am")).sender;
    const room = await alice.createRoom({ invite: [ghost], is_direct: true, preset: "trusted_private_chat" });
    await directRoom(stage);
    await alice.sendText(room, "hello");
    const direct = acme.person("bob").openDirect("alice");
    await stage.eventually(() => direct.texts().includes("hello"), "the message arrives");
    acme.person("alice").post("@bob", "hello too");
    expect(await heard(stage, room, "hello too")).toBe(ghost);
  });

  it("is told to sign in first, and the ghost leaves", async () => {
    stage = await SlackStage.open();
    const { slack, alice } = stage;
    slack.workspace("acme").person("alice").post("general", "here I am");
    const ghost = (await stage.saidOnMatrix("here I am")).sender;
    const room = await alice.createRoom({ invite: [ghost], is_direct: true, preset: "trusted_private_chat" });
    await stage.eventually(() => stage!.homeserver.room(room).members()[ghost] === "leave", "the ghost leaves");
    expect(stage.homeserver.room(room).state("m.room.member", ghost)?.content).toMatchObject({
      reason: expect.stringMatching(/Sign in to Slack first/),
    });
  });
});
