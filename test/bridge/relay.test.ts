import { afterEach, describe, expect, it } from "@jest/globals";
import { type Content, type NetworkHandlers, RemoteMessageId } from "@trestle/core";
import { toPlainText } from "@trestle/rich-text";
import { eventually, happens, person, Recorder, text } from "./recorder.js";
import { Stage } from "../faults/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const body = (event: { content?: unknown }): string => String((event.content as { body?: unknown }).body);

describe("from Matrix to the network", () => {
  it("brings edits, reactions, redactions, topics, names, joins, renames and leaves to a network that knows them, in order", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { alice, network } = stage;
    const room = stage.room();
    const message = await alice.sendText(room, "helo");
    await alice.edit(room, message, "hello");
    const reaction = await alice.react(room, message, "👍");
    await eventually(() => recorder.calls.includes("react 👍"), "the reaction arrives before it is taken back");
    await alice.redact(room, reaction);
    await alice.setTopic(room, "weather");
    await alice.setName(room, "The room");
    const bob = stage.homeserver.createClient("bob");
    await alice.invite(room, bob.userId);
    await bob.join(room);
    await bob.setDisplayName("Bobby");
    await alice.redact(room, message, "spam");
    await bob.leave(room);
    await eventually(() => recorder.calls.includes("leave Bobby"), "the last of it arrives");
    expect(network.taken.map((taken) => taken.text)).toEqual(["helo"]);
    expect(recorder.calls).toEqual([
      "edit 1 to hello",
      "react 👍",
      "unreact 👍",
      "topic weather",
      "name The room",
      "join bob",
      "rename Bobby",
      "redact 1 because spam",
      "leave Bobby",
    ]);
  });

  it("leaves out what others than its author make of a message", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { alice, network } = stage;
    const room = stage.room();
    const bob = stage.homeserver.createClient("bob");
    await alice.invite(room, bob.userId);
    await bob.join(room);
    const message = await alice.sendText(room, "mine");
    await bob.edit(room, message, "stolen");
    await alice.edit(room, message, "still mine");
    await eventually(() => recorder.calls.some((call) => call.startsWith("edit")), "the correction arrives");
    expect(recorder.calls.filter((call) => call.startsWith("edit"))).toEqual(["edit 1 to still mine"]);
    expect(network.taken.map((taken) => taken.text)).toEqual(["mine"]);
  });

  it("takes nothing for the room's state that only has its type", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { alice, network } = stage;
    const room = stage.room();
    await alice.send(room, "m.room.topic", { topic: "spam" });
    await alice.send(room, "m.room.name", { name: "spam" });
    await alice.send(room, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    await alice.setTopic(room, "weather");
    await alice.sendText(room, "still bridged");
    await eventually(() => network.taken.length === 1, "what is said afterwards arrives");
    expect(recorder.calls).toEqual(["topic weather"]);
  });

  it("says what a reaction is about to a network that wants to know", async () => {
    const about: unknown[] = [];
    const react: NetworkHandlers["react"] = (reaction) => {
      about.push(reaction.about);
      return Promise.resolve(undefined);
    };
    stage = await Stage.open({ places: 1, network: { handlers: { react, limits: { reactedTo: true } } } });
    const { alice } = stage;
    const room = stage.room();
    const message = await alice.sendText(room, "shall we meet?\nwhen?");
    await alice.react(room, message, "👍");
    await eventually(() => about.length === 1, "the reaction arrives");
    expect(about).toEqual([
      expect.objectContaining({ event: message, excerpt: "shall we meet?", matrixAuthor: alice.userId }),
    ]);
  });

  it("replaces what a network does not know: a corrected line, a named file, a reply with its author", async () => {
    stage = await Stage.open({ places: 1 });
    const { alice, network } = stage;
    const room = stage.room();
    const message = await alice.sendText(room, "helo");
    await alice.edit(room, message, "hello");
    await alice.reply(room, message, "yes");
    await alice.sendFile(room, "m.file", {
      content: Buffer.from("content"),
      contentType: "text/plain",
      filename: "notes.txt",
    });
    await eventually(() => network.taken.length === 4, "all of it arrives");
    expect(network.taken.map((taken) => taken.text)).toEqual([
      "helo",
      "* hello",
      "alice: yes",
      expect.stringContaining("notes.txt (file"),
    ]);
  });

  it("tells a network without edits what a corrected message said before", async () => {
    const told: (string | undefined)[][] = [];
    const firstSaid: (number | undefined)[] = [];
    const textOf = (content: Content | undefined) =>
      content?.type === "text" ? toPlainText(content.body) : content?.type;
    stage = await Stage.open({
      places: 1,
      network: {
        handlers: {
          split: ({ content, correction }) => {
            told.push([textOf(correction?.before), textOf(correction?.content), textOf(content)]);
            firstSaid.push(correction?.at);
            return [textOf(content)];
          },
        },
      },
    });
    const { alice } = stage;
    const room = stage.room();
    const message = await alice.sendText(room, "helo");
    await alice.edit(room, message, "hello");
    await alice.edit(room, message, "hello all");
    await eventually(() => told.length === 3, "the edits arrive");
    expect(told).toEqual([
      [undefined, undefined, "helo"],
      ["helo", "hello", "* hello"],
      ["hello", "hello all", "* hello all"],
    ]);
    const [first] = stage.homeserver.room(room).messages();
    const at = first?.["origin_server_ts"];
    expect(firstSaid).toEqual([undefined, expect.any(Number), at]);
  });

  it("leaves out edits of what was taken back, whether it was carried before or not", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { alice, network } = stage;
    const room = stage.room();
    const carried = await alice.sendText(room, "carried");
    await eventually(() => network.taken.length === 1, "the first message arrives");
    await stage.stop();
    await alice.redact(room, carried);
    await alice.edit(room, carried, "a secret");
    const never = await alice.sendText(room, "never carried");
    await alice.edit(room, never, "another secret");
    await alice.redact(room, never);
    await stage.start();
    await alice.sendText(room, "the end");
    await eventually(() => network.taken.some(({ text: said }) => said === "the end"), "the last message arrives");
    expect(network.taken.map((taken) => taken.text)).toEqual(["carried", "the end"]);
    expect(recorder.calls).toEqual(["redact 1"]);
  });

  it("kicks from the network whom a moderator kicks from the room", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    await stage.network.port.receive(happens({ kind: "message", sender: person("mallory"), content: text("hi") }));
    await eventually(() => stage?.homeserver.room(stage.room()).messages().length === 1, "the ghost speaks");
    await stage.alice.kick(stage.room(), "@fake_mallory:faults.test", "out");
    await eventually(() => recorder.calls.includes("kick mallory"), "the network hears of it");
    await stage.network.port.receive(happens({ kind: "message", sender: person("mallory"), content: text("again") }));
    await eventually(
      () => stage?.homeserver.room(stage.room()).messages().length === 2,
      "the ghost comes back when the person speaks",
    );
    await stage.alice.ban(stage.room(), "@fake_mallory:faults.test");
    await eventually(() => recorder.calls.includes("ban mallory"), "the network hears of the ban");
    await stage.alice.unban(stage.room(), "@fake_mallory:faults.test");
    await eventually(() => recorder.calls.includes("unban mallory"), "the network hears that they may come back");
    expect(recorder.calls.filter((call) => call === "kick mallory")).toHaveLength(1);
  });
});

describe("from the network to Matrix", () => {
  it("takes away what was deleted on the network, also where the bot is no moderator and nobody says who did it", async () => {
    stage = await Stage.open({ places: 0, config: { permissions: { "*": "user" } } });
    const { homeserver, network, alice } = stage;
    const room = await alice.createRoom({ invite: ["@fakebot:faults.test"] });
    await eventually(() => homeserver.room(room).members()["@fakebot:faults.test"] === "join", "the bot comes");
    await alice.sendText(room, "!fake link channel0");
    await eventually(
      () =>
        homeserver
          .room(room)
          .messages()
          .some(({ content }) => JSON.stringify(content).includes("now linked")),
      "the room is linked",
    );
    const [first, second] = [person("ann"), person("ben")];
    await network.port.receive(happens({ kind: "message", sender: first, content: text("one") }, "m1"));
    await network.port.receive(happens({ kind: "message", sender: second, content: text("two") }, "m2"));
    await network.port.receive(happens({ kind: "redaction", target: RemoteMessageId("m1") }));
    await network.port.receive(happens({ kind: "redaction", target: RemoteMessageId("m2"), sender: first }));
    const redactions = () =>
      homeserver
        .room(room)
        .timeline()
        .filter((event) => event.type === "m.room.redaction");
    await eventually(() => redactions().length === 2, "both are taken away");
    expect(redactions().map(({ sender }) => sender)).toEqual(["@fake_ann:faults.test", "@fake_ben:faults.test"]);
  });

  it("brings messages, edits, reactions, redactions, new names and topics to the room", async () => {
    stage = await Stage.open({ places: 1 });
    const { homeserver, network } = stage;
    const room = stage.room();
    const { port } = network;
    const ann = person("ann", "Ann");
    await port.receive(happens({ kind: "message", sender: ann, content: text("helo") }, "m1"));
    await port.receive(happens({ kind: "edit", sender: ann, target: RemoteMessageId("m1"), content: text("hello") }));
    await port.receive(
      happens({ kind: "message", sender: person("ben"), content: text("hi"), replyTo: RemoteMessageId("m1") }, "m2"),
    );
    await port.receive(happens({ kind: "reaction", sender: person("ben"), target: RemoteMessageId("m1"), key: "👍" }));
    await port.receive(
      happens({ kind: "reactionRemoved", sender: person("ben"), target: RemoteMessageId("m1"), key: "👍" }),
    );
    await port.receive(happens({ kind: "profile", user: person("ann", "Annabel") }));
    await port.receive(happens({ kind: "channel", topic: "weather" }));
    await port.receive(happens({ kind: "redaction", target: RemoteMessageId("m2"), sender: person("ben") }));
    await eventually(
      () =>
        homeserver
          .room(room)
          .timeline()
          .filter((event) => event.type === "m.room.redaction").length === 2,
      "the last of it arrives",
    );
    const timeline = homeserver
      .room(room)
      .timeline()
      .filter((event) => typeof event.sender === "string" && event.sender.startsWith("@fake_"));
    const [first, edit, reply, reaction] = timeline.filter(
      (event) => event.type === "m.room.message" || event.type === "m.reaction",
    );
    expect(first?.sender).toBe("@fake_ann:faults.test");
    expect(edit?.content).toMatchObject({
      "m.new_content": { body: "hello" },
      "m.relates_to": { rel_type: "m.replace", event_id: first?.event_id },
    });
    expect(reply?.sender).toBe("@fake_ben:faults.test");
    expect(reaction?.sender).toBe("@fake_ben:faults.test");
    expect(homeserver.room(room).state("m.room.topic", "")).toMatchObject({ content: { topic: "weather" } });
    expect(homeserver.room(room).state("m.room.member", "@fake_ann:faults.test")).toMatchObject({
      content: { displayname: "Annabel" },
    });
  });

  it("says on behalf of somebody else only as a message of its own", async () => {
    stage = await Stage.open({ places: 1 });
    const { homeserver, network } = stage;
    const room = stage.room();
    await network.port.receive(happens({ kind: "message", sender: person("ann"), content: text("mine") }, "m1"));
    await network.port.receive(
      happens({ kind: "edit", sender: person("eve"), target: RemoteMessageId("m1"), content: text("stolen") }),
    );
    await eventually(() => homeserver.room(room).messages().length === 2, "both arrive");
    const [, second] = homeserver.room(room).messages();
    expect(second?.content).not.toHaveProperty("m.new_content");
  });

  it("costs one request for a message of a known ghost, also after a restart, and writes no state", async () => {
    stage = await Stage.open({ places: 1 });
    const { homeserver } = stage;
    const say = (): Promise<void> => stage?.network.say("channel0", "ann", "hello") ?? Promise.resolve();
    await say();
    await eventually(() => homeserver.room(stage?.room() ?? "").messages().length === 1, "the first arrives");
    await stage.stop();
    await stage.start();
    homeserver.requests.reset();
    await say();
    await eventually(() => homeserver.room(stage?.room() ?? "").messages().length === 2, "the second arrives");
    expect(homeserver.requests.counters()).toEqual({
      "PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}": 1,
    });
  });

  it("joins and leaves with the people of the network where the bridge mirrors them all, and undoes what cancels out", async () => {
    stage = await Stage.open({ places: 1, bridge: { membership: "full" } });
    const { homeserver, network } = stage;
    const membershipOf = (name: string): unknown =>
      homeserver.room(stage?.room() ?? "").state("m.room.member", `@fake_${name}:faults.test`)?.content;
    for (let n = 0; n < 20; n += 1)
      await network.port.receive(happens({ kind: "membership", user: person(`p${n}`), change: "join" }));
    await eventually(
      () =>
        Array.from({ length: 20 }, (_, n) => membershipOf(`p${n}`)).every(
          (content) => (content as { membership?: string } | undefined)?.membership === "join",
        ),
      "all join",
    );
    await network.port.receive(happens({ kind: "membership", user: person("p3"), change: "leave", reason: "bye" }));
    await eventually(() => (membershipOf("p3") as { membership?: string }).membership === "leave", "one leaves");
  });

  it("invites a ghost into a room that only the invited may enter", async () => {
    stage = await Stage.open({ places: 1 });
    await stage.alice.setState(stage.room(), "m.room.join_rules", { join_rule: "invite" });
    await stage.network.say("channel0", "ann", "hello");
    await eventually(
      () =>
        stage?.homeserver
          .room(stage.room())
          .messages()
          .some((event) => body(event) === "hello") ?? false,
      "it arrives",
    );
  });

  it("takes an upload over, once, with what the network says of it", async () => {
    const { Readable } = await import("node:stream");
    let opened = 0;
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6BAAAAC0lEQVR42mNgwAQAABUAAQhkvqgAAAAASUVORK5CYII=",
      "base64",
    );
    stage = await Stage.open({
      places: 1,
      network: {
        handlers: {
          openMedia: () =>
            Promise.resolve({ stream: Readable.from([png]), mimeType: "image/png", size: ((opened += 1), png.length) }),
        },
      },
    });
    await stage.network.port.receive(
      happens({
        kind: "message",
        sender: person("ann"),
        content: { type: "media", kind: "image", name: "cat.png", source: { from: "remote", reference: "file1" } },
      }),
    );
    await eventually(() => stage?.homeserver.room(stage.room()).messages().length === 1, "it arrives");
    const [event] = stage.homeserver.room(stage.room()).messages();
    expect(event?.content).toMatchObject({
      msgtype: "m.image",
      info: { mimetype: "image/png", size: png.length, w: 2, h: 3 },
    });
    const { content } = await stage.alice.download((event?.content as { url: string }).url);
    expect(content.equals(png)).toBe(true);
    expect(opened).toBe(1);
  });
});
