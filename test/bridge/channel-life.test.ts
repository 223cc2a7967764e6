import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RemoteMessageId } from "@trestle/core";
import fc from "fast-check";
import { isQuiet, loudAgain, quieted } from "../../packages/core/dist/bridge/moderation/speaking-level.js";
import { until } from "../support/bounded.js";
import { bodyOf, Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder, text } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const open = (recorder: Recorder): Promise<Stage> =>
  Stage.open({ places: 1, network: { handlers: recorder.handlers } });

const bot = "@fakebot:faults.test";
const levels = (opened: Stage): Record<string, unknown> =>
  opened.homeserver.room(opened.room()).state("m.room.power_levels")?.content as Record<string, unknown>;
const notices = (opened: Stage): string[] =>
  opened.homeserver
    .room(opened.room())
    .messages()
    .filter(({ sender }) => sender === bot)
    .map(({ content }) => String((content as { body?: unknown }).body));

describe("a channel that is archived", () => {
  it("makes its room one in which only moderators speak, until it is unarchived", async () => {
    stage = await open(new Recorder());
    const before = levels(stage);
    await stage.network.port.receive(happens({ kind: "channel", archived: true, by: person("ann") }));
    await eventually(() => levels(stage!)["events_default"] === 50, "the room is closed");
    expect(notices(stage)).toEqual([expect.stringMatching(/was archived on fake by ann\./)]);

    // Told again, e.g. after a restart.
    await stage.network.port.receive(happens({ kind: "channel", archived: true }));
    await stage.network.port.receive(happens({ kind: "channel", archived: false }));
    await eventually(() => levels(stage!)["events_default"] !== 50, "the room is open again");
    expect(notices(stage)).toHaveLength(2);
    const { events_default: usual, ...rest } = levels(stage);
    const { events_default: _before, ...others } = before;
    expect([usual ?? 0, rest]).toEqual([before["events_default"] ?? 0, others]);
    await stage.network.port.receive(happens({ kind: "channel", archived: false }));
    await stage.network.say("channel0", "bob", "the end");
    await eventually(() => stage!.homeserver.room(stage!.room()).messages().length === 3, "all of it arrived");
  });

  it("leaves a room open that is linked to another channel too, but says so", async () => {
    stage = await open(new Recorder());
    await stage.trestle.services.link("fake", stage.room(), "channel7", "operator");
    await stage.network.port.receive(happens({ kind: "channel", archived: true }));
    await eventually(() => notices(stage!).some((line) => line.includes("archived")), "the room is told");
    await stage.network.say("channel0", "bob", "the end");
    await eventually(
      () =>
        stage!.homeserver
          .room(stage!.room())
          .messages()
          .some(({ sender }) => (sender as string).includes("bob")),
      "what comes behind it",
    );
    expect(levels(stage)["events_default"] ?? 0).toBe(0);
  });
});

describe("a channel that is deleted", () => {
  it("closes its room, says so, and ends the link", async () => {
    stage = await open(new Recorder());
    await stage.network.port.receive(happens({ kind: "channel", deleted: true }));
    await eventually(() => levels(stage!)["events_default"] === 50, "the room is closed");
    expect(notices(stage)).toEqual([expect.stringMatching(/was deleted on fake/)]);
    await expectLinks(stage, []);
  });
});

describe("a channel that gets another id", () => {
  it("keeps its room, and what was said in it", async () => {
    const recorder = new Recorder();
    stage = await open(recorder);
    await stage.network.say("channel0", "bob", "before", "m1");
    const { port } = stage.network;
    expect(await port.moveChannel(ChannelId("channel0"), ChannelId("channel0"))).toEqual([]);
    expect(await port.moveChannel(ChannelId("channel0"), ChannelId("channelX"))).toHaveLength(1);
    expect(await port.moveChannel(ChannelId("channel0"), ChannelId("channelX"))).toEqual([]);
    expect(recorder.linked.at(-1)).toBe("channelX");
    await expectLinks(stage, ["channelX"]);
    const edit = {
      kind: "edit",
      sender: person("bob"),
      target: RemoteMessageId("m1"),
      content: text("after"),
    } as const;
    await port.receive(happens(edit, "e1", "channelX"));
    await eventually(() => stage!.homeserver.room(stage!.room()).messages().length === 2, "the correction arrives");
    const [first, second] = stage.homeserver.room(stage.room()).messages();
    expect(second?.content).toMatchObject({
      "m.relates_to": { rel_type: "m.replace", event_id: first?.event_id },
    });
    await stage.alice.sendText(stage.room(), "to the new one");
    await eventually(() => stage!.network.taken.length === 1, "the new channel gets it");
    expect(stage.network.taken[0]?.channel).toBe("channelX");
  });
});

describe("what waits for a channel that gets another id", () => {
  it("goes to the new one, before what is said then", async () => {
    stage = await open(new Recorder());
    stage.network.down = true;
    for (const line of ["one", "two", "three"]) await stage.alice.sendText(stage.room(), line);
    await eventually(() => stage!.network.attempts.length > 0, "the first is tried");
    const moved = stage.network.port.moveChannel(ChannelId("channel0"), ChannelId("channelX"));
    await stage.alice.sendText(stage.room(), "four");
    await moved;
    await stage.alice.sendText(stage.room(), "five");
    stage.network.comeBack();
    await eventually(() => stage!.network.taken.length >= 5, "all of it arrives");
    expect(stage.network.taken.map(({ text: line }) => line)).toEqual(["one", "two", "three", "four", "five"]);
    expect(new Set(stage.network.taken.map(({ channel }) => channel))).toEqual(new Set(["channelX"]));
  });
});

describe("what was said before a channel got another id", () => {
  it("is not said again, whoever tells of it once more", async () => {
    stage = await open(new Recorder());
    await stage.alice.sendText(stage.room(), "one");
    await stage.network.say("channel0", "bob", "two", "m2");
    await eventually(() => stage!.network.taken.length === 1, "it arrives");
    await stage.network.port.moveChannel(ChannelId("channel0"), ChannelId("channelX"));
    await stage.network.say("channelX", "bob", "two", "m2");
    // The history of the room is compared with the journal.
    await stage.stop();
    await stage.start();
    await stage.alice.sendText(stage.room(), "three");
    await stage.network.say("channelX", "bob", "four", "m4");
    const heard = (): string[] =>
      stage!.homeserver
        .room(stage!.room())
        .messages()
        .map(({ content }) => bodyOf(content));
    await eventually(() => stage!.network.taken.some(({ text: line }) => line === "three"), "what is said then");
    await eventually(() => heard().includes("four"), "also on Matrix");
    expect(stage.network.taken.map(({ text: line }) => line)).toEqual(["one", "three"]);
    expect(heard().filter((line) => line === "two")).toHaveLength(1);
  });
});

describe("who is in the rooms of a channel", () => {
  it("is told by their ghosts", async () => {
    stage = await open(new Recorder());
    await stage.network.say("channel0", "bob", "hello");
    await eventually(() => stage!.homeserver.room(stage!.room()).messages().length === 1, "it arrives");
    const { inAll, inAny } = await stage.network.port.ghostsIn(ChannelId("channel0"));
    expect([[...inAll], [...inAny]]).toEqual([["bob"], ["bob"]]);
  });
});

describe("the power levels of a closed room", () => {
  it("are afterwards what they were, whatever they were", () => {
    const level = fc.integer({ min: -100, max: 200 });
    const types = fc.constantFrom("m.room.message", "m.reaction", "m.room.name", "m.room.topic", "m.sticker");
    const content = fc.record(
      { events_default: level, state_default: level, users_default: level, ban: level },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(content, fc.dictionary(types, level), (usual, events) => {
        const before = { ...usual, events };
        const while_ = quieted(before, "archived", 50);
        expect(isQuiet(while_, "archived")).toBe(true);
        expect(Number(while_["events_default"])).toBeGreaterThanOrEqual(50);
        for (const type of ["m.room.message", "m.reaction", "m.sticker"])
          expect(Number((while_["events"] as Record<string, unknown>)[type] ?? 50)).toBeGreaterThanOrEqual(50);
        expect(quieted(while_, "archived", 50)).toEqual(while_);
        expect(loudAgain(while_, "archived")).toEqual({ ...before, events_default: before.events_default ?? 0 });
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

async function expectLinks(opened: Stage, channels: readonly string[]): Promise<void> {
  await until(8_000, `links to ${channels.join(", ") || "nothing"}`, async () => {
    const links = await opened.network.port.links();
    return links.map(({ channel }) => channel).join() === channels.join() ? true : undefined;
  });
}
