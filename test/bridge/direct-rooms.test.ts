import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, refused, RemoteMessageId } from "@trestle/core";
import { until } from "../support/bounded.js";
import { bodyOf, Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder, text } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const ghost = "@fake_zoe:faults.test";
const channel = ChannelId("direct zoe");

async function open(resolvesAfterMs = 0): Promise<{ opened: Stage; recorder: Recorder }> {
  const recorder = new Recorder({
    directChannel: async () => {
      await new Promise((resolve) => setTimeout(resolve, resolvesAfterMs));
      return channel;
    },
    resolveUser: (id) => Promise.resolve(person(id)),
  });
  stage = await Stage.open({ places: 0, network: { handlers: recorder.handlers } });
  return { opened: stage, recorder };
}

const said = (opened: Stage): string[] =>
  opened.network.taken.filter((taken) => taken.channel === channel).map((taken) => taken.text);
const roomsOf = (opened: Stage): string[] =>
  opened.homeserver.roomIds().filter((room) => ghost in opened.homeserver.room(room).members());
const membership = (opened: Stage, room: string, user: string): string | undefined =>
  opened.homeserver.room(room).members()[user];

describe("a direct conversation", () => {
  it("has what was said in the moment between her coming and its link, in order", async () => {
    const { opened } = await open(150);
    const room = await opened.alice.createRoom({ is_direct: true, invite: [ghost] });
    await eventually(() => membership(opened, room, ghost) === "join", "she is there");
    const texts = ["are you", "there", "zoe?"];
    for (const each of texts) await opened.alice.sendText(room, each);
    await eventually(() => said(opened).length >= texts.length, "all of it arrives");
    expect(said(opened)).toEqual(texts);
  });

  it("is begun in the room in which it could not be at first", async () => {
    let isSignedIn = false;
    const recorder = new Recorder({
      directChannel: () => (isSignedIn ? Promise.resolve(channel) : Promise.reject(new Error("Sign in first."))),
      resolveUser: (id) => Promise.resolve(person(id)),
    });
    stage = await Stage.open({ places: 0, network: { handlers: recorder.handlers } });
    const opened = stage;
    const room = await opened.alice.createRoom({ is_direct: true, invite: [ghost] });
    await eventually(() => membership(opened, room, ghost) === "leave", "she leaves");
    isSignedIn = true;
    await opened.alice.invite(room, ghost);
    await eventually(() => membership(opened, room, ghost) === "join", "she is there");
    await opened.alice.sendText(room, "hello");
    await eventually(() => said(opened).length > 0, "it arrives");
    expect(said(opened)).toEqual(["hello"]);
  });

  it("has what is said before and after its link in order", async () => {
    const { opened, recorder } = await open(100);
    const room = await opened.alice.createRoom({ is_direct: true, invite: [ghost] });
    const texts: string[] = [];
    for (let left = 20; left > 0; left -= recorder.linked.length) {
      texts.push(`line ${texts.length}`);
      await opened.alice.sendText(room, `line ${texts.length - 1}`);
    }
    await eventually(() => said(opened).length >= texts.length, "all of it arrives");
    expect(said(opened)).toEqual(texts);
  });

  it("has nothing of what was said before she was asked into the room", async () => {
    const { opened } = await open();
    const room = await opened.alice.createRoom({});
    await opened.alice.sendText(room, "what do you think of zoe?");
    await opened.alice.invite(room, ghost);
    await opened.alice.sendText(room, "hello zoe");
    await eventually(() => said(opened).includes("hello zoe"), "what is said to her arrives");
    expect(said(opened)).toEqual(["hello zoe"]);
  });

  it("has it corrected and taken back where that happened in that moment, too", async () => {
    const { opened, recorder } = await open(150);
    const room = await opened.alice.createRoom({ is_direct: true, invite: [ghost] });
    await eventually(() => membership(opened, room, ghost) === "join", "she is there");
    const event = await opened.alice.sendText(room, "a secret");
    const content = { msgtype: "m.text", body: "another secret" };
    await opened.alice.send(room, "m.room.message", {
      ...content,
      "m.new_content": content,
      "m.relates_to": { rel_type: "m.replace", event_id: event },
    });
    await opened.alice.redact(room, event);
    await opened.alice.sendText(room, "hello");
    await eventually(() => said(opened).includes("hello"), "what was said last arrives");
    expect(said(opened)).toEqual(["a secret", "hello"]);
    expect(recorder.calls).toEqual(["edit 1 to another secret", "redact 1"]);
  });

  it("is never told what replaced something that was taken back before the bridge saw it", async () => {
    const { opened } = await open();
    const room = await opened.alice.createRoom({ is_direct: true });
    const event = await opened.alice.sendText(room, "a secret");
    await opened.alice.redact(room, event);
    await opened.alice.invite(room, ghost);
    await eventually(() => membership(opened, room, ghost) === "join", "she is there");
    const content = { msgtype: "m.text", body: "another secret" };
    await opened.alice.send(room, "m.room.message", {
      ...content,
      "m.new_content": content,
      "m.relates_to": { rel_type: "m.replace", event_id: event },
    });
    await opened.alice.sendText(room, "hello");
    await eventually(() => said(opened).includes("hello"), "what was said last arrives");
    expect(said(opened)).toEqual(["hello"]);
  });

  it("tells its user what was not delivered, though no bot is in it, and answers commands", async () => {
    const { opened } = await open();
    const room = await opened.alice.createRoom({ is_direct: true, invite: [ghost] });
    await eventually(() => membership(opened, room, ghost) === "join", "she is there");
    await opened.alice.sendText(room, "hello");
    await eventually(() => said(opened).length === 1, "it is linked");
    expect(membership(opened, room, "@fakebot:faults.test")).toBeUndefined();
    opened.network.react = () => ({ answer: refused("zoe is away for good") });
    const lost = await opened.alice.sendText(room, "are you there?");
    const answers = () =>
      opened.homeserver
        .room(room)
        .messages()
        .filter(({ sender }) => sender === ghost);
    await eventually(() => answers().length > 0, "alice is told");
    expect(answers()[0]?.content).toMatchObject({
      msgtype: "m.notice",
      body: "This was not delivered to direct zoe: zoe is away for good",
      "m.relates_to": { "m.in_reply_to": { event_id: lost } },
    });
    await opened.alice.sendText(room, "!fake list");
    await eventually(() => answers().length > 1, "the command is answered");
    expect(answers()[1]?.content).toMatchObject({ msgtype: "m.notice", body: "linked to zoe" });
    // The only entry given up is the message itself.
    const dead = await opened.trestle.services.queue.list({ state: "dead" });
    expect(dead.map(({ error }) => error)).toEqual([expect.stringContaining("zoe is away for good")]);
  });

  it("goes on in the room that takes the place of its own, without the bot", async () => {
    const { opened } = await open();
    const { alice } = opened;
    const room = await alice.createRoom({ is_direct: true, invite: [ghost] });
    await alice.sendText(room, "before");
    await eventually(() => said(opened).length === 1, "it arrives");
    const next = await alice.upgrade(room, "12");
    await alice.sendText(next, "in the new room, before her");
    await alice.invite(next, ghost);
    await alice.sendText(next, "and after she was asked");
    await eventually(() => said(opened).length === 3, "all of it arrives");
    expect(said(opened)).toEqual(["before", "in the new room, before her", "and after she was asked"]);
    await opened.network.say(channel, "zoe", "here I am");
    await eventually(
      () =>
        opened.homeserver
          .room(next)
          .messages()
          .some((event) => bodyOf(event.content) === "here I am"),
      "she answers there",
    );
    expect((await opened.trestle.services.list()).map((link) => link.room)).toEqual([next]);
  });

  it("that its user has left is another one with the next message of its person", async () => {
    const { opened, recorder } = await open();
    const first = await opened.alice.createRoom({ is_direct: true, invite: [ghost] });
    await eventually(() => recorder.linked.length === 1, "it is linked");
    await opened.alice.leave(first);
    await eventually(() => membership(opened, first, ghost) === "leave", "nobody stays behind");
    await opened.network.port.receive({
      ...happens({ kind: "message", sender: person("zoe"), content: text("hello?"), directTo: opened.alice.userId }),
      channel,
    });
    const invited = () => roomsOf(opened).find((room) => membership(opened, room, opened.alice.userId) === "invite");
    await eventually(() => invited() !== undefined, "alice is invited again");
    expect(invited()).not.toBe(first);
  });

  describe("that a person of the network begins", () => {
    const zoe = (opened: Stage, id: string, body: string): Promise<void> =>
      opened.network.port.receive({
        ...happens({ kind: "message", sender: person("zoe"), content: text(body), directTo: opened.alice.userId }, id),
        channel,
      });
    const heard = (opened: Stage): string[][] =>
      roomsOf(opened).map((room) =>
        opened.homeserver
          .room(room)
          .messages()
          .map(({ content }) => bodyOf(content)),
      );

    it("has what she says while its room is made, in order", async () => {
      const { opened } = await open();
      const slow = opened.homeserver.faults.delay(60, { fromAppService: true });
      const texts = Array.from({ length: 200 }, (_, number) => `part ${number}`);
      for (const [number, body] of texts.entries()) await zoe(opened, `part${number}`, body);
      slow.remove();
      await eventually(() => heard(opened).flat().length >= texts.length, "all of it arrives");
      expect(heard(opened)).toEqual([texts]);
    });

    it.each([
      ["the answer about the room is lost", "/createRoom", "drop"],
      ["the homeserver is away when she comes in", "/join", "answer"],
    ] as const)("has one room, also where %s", async (_, route, how) => {
      const { opened } = await open();
      const { faults } = opened.homeserver;
      const filter = { route, fromAppService: true, times: 1 };
      const fault = how === "drop" ? faults.drop("after", filter) : faults.answer({ status: 502 }, filter);
      await zoe(opened, "first", "hello");
      await zoe(opened, "second", "are you there?");
      await eventually(() => heard(opened).flat().length >= 2, "all of it arrives");
      expect(fault.applied).toBe(1);
      expect(heard(opened)).toEqual([["hello", "are you there?"]]);
    });

    it("is told to her where it cannot be", async () => {
      const { opened } = await open();
      opened.homeserver.faults.answer({ status: 403, errcode: "M_FORBIDDEN", error: "No" }, { route: "/createRoom" });
      await zoe(opened, "first", "hello");
      await eventually(() => said(opened).length > 0, "the answer");
      expect(said(opened)).toEqual([expect.stringMatching(/^zoe: what you wrote was not delivered to Matrix: .*No/)]);
    });

    it("has one room, also where the bridge ends while it is made", async () => {
      const { opened } = await open();
      const unanswered = opened.homeserver.faults.hold({ route: "/createRoom", fromAppService: true });
      await zoe(opened, "first", "hello");
      await until(5_000, "the room", () => unanswered.applied > 0 || undefined);
      await opened.stop();
      unanswered.remove();
      await opened.start();
      await zoe(opened, "second", "are you there?");
      await eventually(() => heard(opened).flat().length >= 2, "all of it arrives");
      expect(heard(opened)).toEqual([["hello", "are you there?"]]);
    });

    it("has what she corrects before there is a room", async () => {
      const { opened } = await open();
      const slow = opened.homeserver.faults.delay(100, { fromAppService: true });
      const correction = { sender: person("zoe"), target: RemoteMessageId("typo"), content: text("hello") };
      await Promise.all([
        zoe(opened, "typo", "helo"),
        opened.network.port.receive({ ...happens({ kind: "edit", ...correction }), channel }),
      ]);
      slow.remove();
      await eventually(() => heard(opened).flat().length >= 2, "all of it arrives");
      expect(heard(opened)).toEqual([["helo", "* hello"]]);
    });
  });
});
