import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person } from "./recorder.js";

let stage: Stage;
afterEach(() => stage.close());

const membershipOf = (name: string): unknown =>
  stage.homeserver.room(stage.room()).state("m.room.member", `@fake_${name}:faults.test`)?.content;
const bodies = (): string[] =>
  stage.homeserver
    .room(stage.room())
    .messages()
    .map(({ content }) => String((content as { body?: unknown }).body));
const unlink = (channel: string) => stage.trestle.services.unlink("fake", stage.room(), channel, "operator");
const link = (channel: string) => stage.trestle.services.link("fake", stage.room(), channel, "operator");

describe("a room that is no longer linked", () => {
  it("is left by the people of its channels, when it has lost the last one", async () => {
    stage = await Stage.open({ places: 1 });
    const { port } = stage.network;
    await port.receive(happens({ kind: "membership", change: "join", user: person("bob"), intoRoom: true }));
    await stage.network.say("channel0", "ann", "hello");
    await eventually(() => bodies().includes("hello"), "ann is heard");
    await eventually(() => membershipOf("bob") !== undefined, "bob is in the room");
    await link("other");
    await unlink("other");
    await stage.network.say("channel0", "ann", "still here");
    await eventually(() => bodies().includes("still here"), "ann is heard again");
    for (const name of ["ann", "bob"]) expect(membershipOf(name)).toMatchObject({ membership: "join" });
    await unlink("channel0");
    for (const name of ["ann", "bob"])
      await eventually(
        () => JSON.stringify(membershipOf(name)).includes("The room is no longer linked to channel0."),
        `${name} leaves`,
      );
    expect(membershipOf("ann")).toMatchObject({ membership: "leave" });
  });

  it("is told that the configuration links it again", async () => {
    stage = await Stage.open({ places: 1, config: { permissions: { "faults.test": "user" } } });
    await link("other");
    await stage.alice.sendText(stage.room(), "!fake unlink other");
    await eventually(() => bodies().includes("No longer linked to other."), "an answer");
    await stage.alice.sendText(stage.room(), "!fake unlink");
    await eventually(
      () =>
        bodies().includes(
          "No longer linked to channel0. It is one of the links of the configuration, and is made again at the next start unless it is taken out there.",
        ),
      "the other answer",
    );
  });

  it("is one from which a moderator removes the bot", async () => {
    stage = await Stage.open({ places: 0 });
    const bot = "@fakebot:faults.test";
    const room = await stage.alice.createRoom({ invite: [bot] });
    await stage.trestle.services.link("fake", room, "channel0", "operator");
    const isIn = (user: string) => stage.homeserver.room(room).members()[user] === "join";
    await stage.network.say("channel0", "ann", "hello");
    await eventually(() => isIn("@fake_ann:faults.test"), "ann is in the room");
    await stage.alice.kick(room, bot, "no bridges here");
    await eventually(() => !isIn("@fake_ann:faults.test"), "ann leaves");
    expect(await stage.trestle.services.list()).toEqual([]);
    await stage.alice.invite(room, bot);
    await eventually(() => isIn(bot), "the bot comes back");
    await stage.trestle.services.link("fake", room, "channel0", "operator");
    await stage.network.say("channel0", "ann", "hello again");
    await eventually(() => isIn("@fake_ann:faults.test"), "ann is in the room again");
  });

  it("gets nothing of what still waits for it, and hears all again when it is linked anew", async () => {
    stage = await Stage.open({ places: 1 });
    const { network, homeserver } = stage;
    const unanswered = homeserver.faults.hold({ route: "/send/", fromAppService: true });
    await network.say("channel0", "ann", "one");
    await eventually(() => unanswered.applied > 0, "the first message is on its way");
    await network.say("channel0", "ann", "two");
    await network.port.receive(happens({ kind: "membership", change: "join", user: person("bob"), intoRoom: true }));
    await unlink("channel0");
    unanswered.remove();
    await eventually(() => JSON.stringify(membershipOf("ann")).includes("no longer linked"), "ann leaves");
    await link("channel0");
    await network.say("channel0", "ann", "three");
    await eventually(() => bodies().includes("three"), "ann is heard again");
    expect(bodies()).toEqual(["one", "three"]);
    expect(membershipOf("bob")).toBeUndefined();
  });
});
