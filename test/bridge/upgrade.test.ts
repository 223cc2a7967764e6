import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { until } from "../support/bounded.js";
import { Stage } from "../faults/stage.js";
import { eventually, Recorder } from "./recorder.js";

const bot = "@fakebot:faults.test";

const stateRequests = { route: "/rooms/{roomId}/state", method: "GET", fromAppService: true } as const;

/** What is said around a room upgrade, in the old room and in the new one, belongs to one channel. */
describe("a room upgrade", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  const texts = (): string[] => stage.network.taken.map(({ text }) => text);
  const arrived = (text: string): Promise<void> => eventually(() => texts().includes(text), text);
  const bodies = (room: string): string[] =>
    stage.homeserver
      .room(room)
      .messages()
      .map((event) => String((event.content as { body?: unknown }).body));
  const linkedRooms = async (): Promise<string[]> => (await stage.trestle.services.list()).map((link) => link.room);
  const botIn = (room: string): Promise<void> =>
    eventually(() => stage.homeserver.room(room).members()[bot] === "join", "the bot in the new room");
  const say = async (room: string, from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n++) await stage.alice.sendText(room, `line ${n}`);
  };
  const lines = (to: number): string[] => Array.from({ length: to }, (_, n) => `line ${n + 1}`);

  it.each(["11", "12"])(
    "to version %s loses nothing of before the bot came, of before it had followed, and of after",
    async (version) => {
      stage = await Stage.open({ places: 1 });
      const { alice, homeserver } = stage;
      await say(stage.room(), 1, 2);
      const next = await alice.upgrade(stage.room(), version);
      await say(next, 3, 5);
      // Without the new room's state the bridge cannot know that it is the right one: it joins, and moves nothing yet.
      const unreadable = homeserver.faults.answer({ status: 502 }, stateRequests);
      await alice.invite(next, bot);
      await botIn(next);
      await say(next, 6, 8);
      expect(await linkedRooms()).toEqual([stage.room()]);
      unreadable.remove();
      await eventually(() => texts().length === 8, "what was said before the bridge had followed");
      await say(next, 9, 10);
      await arrived("line 10");
      expect(texts()).toEqual(lines(10));
      expect(await linkedRooms()).toEqual([next]);
    },
  );

  it("tells the new room what it is bridged to, as it told the old one", async () => {
    stage = await Stage.open({ places: 1 });
    const key = "dev.trestle.fake://fake/channel0";
    const told = (room: string): unknown => stage.homeserver.room(room).state("m.bridge", key)?.content;
    const old = stage.room();
    await eventually(() => told(old) !== undefined, "the old room is told");
    const next = await stage.alice.upgrade(old, "11");
    await stage.alice.invite(next, bot);
    await botIn(next);
    await eventually(() => told(next) !== undefined, "the new room is told");
    expect(told(next)).toEqual(told(old));
  });

  it("takes along the aliases of the bridge that lead to the room, also where it cannot read them at once", async () => {
    const aliases = ["#fake_channel0:faults.test", "#fake_CHANNEL0:faults.test"];
    const recorder = new Recorder({
      resolveChannel: () => Promise.resolve({ id: ChannelId("channel0"), name: "The channel" }),
    });
    stage = await Stage.open({
      places: 1,
      network: { handlers: recorder.handlers },
      registration: {
        namespaces: {
          users: [{ exclusive: true, regex: "^@fake_.*:faults\\.test$" }],
          aliases: [{ exclusive: true, regex: "^#fake_.*:faults\\.test$" }],
          rooms: [],
        },
      },
    });
    const { alice, homeserver } = stage;
    await alice.setState(stage.room(), "m.room.join_rules", { join_rule: "public" });
    const lead = (): (string | undefined)[] => aliases.map((alias) => homeserver.roomIdOfAlias(alias));
    for (const alias of aliases) await alice.join(alias);
    expect(lead()).toEqual([stage.room(), stage.room()]);
    const unreadable = homeserver.faults.answer({ status: 502 }, { route: "/aliases", fromAppService: true, times: 2 });
    const next = await alice.upgrade(stage.room(), "12");
    await eventually(() => lead().every((room) => room === next), "the aliases lead to the new room");
    expect(unreadable.applied).toBe(2);
    expect(await linkedRooms()).toEqual([next]);
  });

  it("keeps the order of old and new room while the network is away", async () => {
    stage = await Stage.open({ places: 1 });
    const { alice, network } = stage;
    network.down = true;
    await say(stage.room(), 1, 4);
    const next = await alice.upgrade(stage.room(), "12");
    await alice.invite(next, bot);
    await botIn(next);
    await say(next, 5, 6);
    let rooms: string[] = [];
    await eventually(() => (void linkedRooms().then((found) => (rooms = found)), rooms[0] === next), "the link moves");
    await say(next, 7, 8);
    network.comeBack();
    await arrived("line 8");
    expect(texts()).toEqual(lines(8));
  });

  it("has nothing again in the new room that the network tells once more", async () => {
    stage = await Stage.open({ places: 1 });
    const { alice } = stage;
    await stage.network.say("channel0", "bob", "before", "m1");
    await eventually(() => bodies(stage.room()).includes("before"), "it is there");
    const next = await alice.upgrade(stage.room(), "12");
    await alice.invite(next, bot);
    await until(8_000, "the link", async () => (await linkedRooms()).includes(next) || undefined);
    await stage.network.say("channel0", "bob", "before", "m1");
    await stage.network.say("channel0", "bob", "after", "m2");
    await eventually(() => bodies(next).includes("after"), "what is said then");
    expect(bodies(next).filter((line) => line === "before")).toEqual([]);
  });

  it("goes on after a restart in the middle", async () => {
    stage = await Stage.open({ places: 1 });
    const { alice, homeserver } = stage;
    await say(stage.room(), 1, 2);
    await arrived("line 2");
    const next = await alice.upgrade(stage.room(), "12");
    await homeserver.delivered("fake");
    await say(next, 3, 4);
    await stage.stop();
    await alice.invite(next, bot);
    await say(next, 5, 5);
    const unreadable = homeserver.faults.answer({ status: 502 }, stateRequests);
    await stage.startUngreeted();
    await botIn(next);
    await say(next, 6, 7);
    await homeserver.delivered("fake");
    await stage.stop();
    unreadable.remove();
    await stage.start();
    await say(next, 8, 8);
    await arrived("line 8");
    expect(texts()).toEqual(lines(8));
  });

  it("to a room that does not say so is not followed, and what that room holds up goes its own way", async () => {
    stage = await Stage.open({ places: 1, config: { permissions: { "*": "user" } } });
    const { alice, homeserver } = stage;
    const other = await alice.createRoom();
    await alice.setState(stage.room(), "m.room.tombstone", { body: "moved", replacement_room: other });
    await homeserver.delivered("fake");
    homeserver.faults.delay(500, { ...stateRequests, times: 1 });
    await alice.invite(other, bot);
    await botIn(other);
    await alice.sendText(other, "!fake help");
    await eventually(
      () => bodies(other).some((line) => line.includes("!fake link <channel>")),
      "the answer to a command",
    );
    await say(stage.room(), 1, 1);
    await arrived("line 1");
    expect(await linkedRooms()).toEqual([stage.room()]);
  });

  it("makes no conversation of the ghosts that a client invites over", async () => {
    const recorder = new Recorder({ directChannel: (_user, remote) => Promise.resolve(ChannelId(`direct ${remote}`)) });
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { alice, network } = stage;
    await network.say("channel0", "ann", "hello");
    await eventually(() => bodies(stage.room()).length === 1, "the ghost is there");
    const next = await alice.upgrade(stage.room(), "12");
    await alice.invite(next, "@fake_ann:faults.test");
    await alice.invite(next, bot);
    await botIn(next);
    await say(next, 1, 1);
    await arrived("line 1");
    expect(await stage.trestle.services.list()).toMatchObject([{ room: next, channel: "channel0" }]);
  });

  it("followed by another keeps the order of all three rooms", async () => {
    stage = await Stage.open({ places: 1 });
    const { alice } = stage;
    await say(stage.room(), 1, 2);
    const second = await alice.upgrade(stage.room(), "12");
    await say(second, 3, 4);
    const third = await alice.upgrade(second, "12");
    await say(third, 5, 6);
    await alice.invite(third, bot);
    await alice.invite(second, bot).catch(() => undefined);
    await botIn(third);
    await say(third, 7, 8);
    await arrived("line 8");
    expect(texts()).toEqual(lines(8));
    expect(await linkedRooms()).toEqual([third]);
  });
});
