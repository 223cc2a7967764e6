import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, refused, type ChannelSettings, type NetworkHandlers, type RoleChange } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";
const ghost = (name: string): string => `@fake_${name}:faults.test`;
const carried = { roles: { plumbed: "both" }, channelSettings: { plumbed: "both" } };

async function open(bridge: Readonly<Record<string, unknown>> = carried, recorder = new Recorder()): Promise<Stage> {
  stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers }, bridge });
  return stage;
}

/** Writes what is asked of the network, in order. */
function recording(answer?: () => ReturnType<typeof refused>): Recorder {
  const calls: string[] = [];
  const say = (line: string) => {
    calls.push(line);
    return Promise.resolve(answer?.());
  };
  const recorder: Recorder = new Recorder({
    role: ({ who, role, before, author }) =>
      say(`${author.name}: ${"remote" in who ? who.remote : who.userId} ${before} to ${role}`),
    settings: ({ settings }) => say(JSON.stringify(settings)),
  });
  recorder.calls.push = (...lines) => calls.push(...lines);
  return Object.assign(recorder, { calls });
}

const content = (opened: Stage, type: string): Record<string, unknown> =>
  (opened.homeserver.room(opened.room()).state(type)?.content ?? {}) as Record<string, unknown>;
const levels = (opened: Stage): Record<string, unknown> => content(opened, "m.room.power_levels");
const users = (opened: Stage): Record<string, unknown> => levels(opened)["users"] as Record<string, unknown>;

const ranks = (...changes: (readonly [string, RoleChange["role"]])[]): readonly RoleChange[] =>
  changes.map(([name, role]) => ({ who: { remote: person(name) }, role }));
const receive = (opened: Stage, event: Parameters<typeof happens>[0]): Promise<void> =>
  opened.network.port.receive(happens(event));
const set = (opened: Stage, settings: ChannelSettings): Promise<void> => receive(opened, { kind: "channel", settings });
/** What comes behind it in the room has arrived. */
async function arrived(opened: Stage): Promise<void> {
  const text = `behind ${Math.random()}`;
  await opened.network.say("channel0", "zed", text);
  await eventually(
    () =>
      opened.homeserver
        .room(opened.room())
        .messages()
        .some((event) => JSON.stringify(event).includes(text)),
    "what was said behind it",
  );
}

/** The bot takes power from itself, which nobody else in the room can. */
async function lowerBot(opened: Stage, level: number): Promise<void> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(opened.room())}/state/m.room.power_levels/`;
  const answer = await fetch(`${opened.homeserver.url}${path}`, {
    method: "PUT",
    headers: { authorization: "Bearer as-token-of-the-fault-tests", "content-type": "application/json" },
    body: JSON.stringify({ ...levels(opened), events: {}, users: { ...users(opened), [bot]: level } }),
  });
  expect(answer.status).toBe(200);
}

describe("ranks on the network", () => {
  it("become power levels, of ghosts that have not spoken yet too, and end with the rank", async () => {
    const opened = await open();
    await receive(opened, { kind: "roles", changes: ranks(["ann", "moderator"], ["Ben", "owner"], ["cat", "helper"]) });
    await eventually(() => users(opened)[ghost("ann")] === 50, "ann is a moderator");
    expect(users(opened)).toMatchObject({ [ghost("=42en")]: 75, [ghost("cat")]: 25 });
    await receive(opened, { kind: "roles", changes: ranks(["ann", "none"]) });
    await eventually(() => users(opened)[ghost("ann")] === undefined, "ann is none");
    // A list of all.
    await receive(opened, { kind: "roles", changes: ranks(["cat", "helper"]), complete: true });
    await eventually(() => users(opened)[ghost("=42en")] === undefined, "who is not in the list has no rank");
    expect(users(opened)).toMatchObject({ [ghost("cat")]: 25, "@alice:faults.test": 100, [bot]: 100 });
  });

  it("change nothing twice, and nothing that somebody on Matrix decided", async () => {
    const opened = await open();
    await receive(opened, { kind: "roles", changes: ranks(["ann", "moderator"], ["ben", "moderator"]) });
    await eventually(() => users(opened)[ghost("ann")] === 50, "ann is a moderator");
    await opened.alice.setPower(opened.room(), ghost("ann"), 0);
    await opened.alice.setPower(opened.room(), ghost("cat"), 60);
    const before = opened.homeserver.room(opened.room()).state("m.room.power_levels")?.event_id;
    const changes = ranks(["ann", "moderator"], ["ben", "moderator"], ["cat", "none"]);
    await receive(opened, { kind: "roles", changes, complete: true });
    await arrived(opened);
    expect(opened.homeserver.room(opened.room()).state("m.room.power_levels")?.event_id).toBe(before);
    // When both sides agree again, the network's next word counts.
    await receive(opened, { kind: "roles", changes: ranks(["ann", "none"]) });
    await receive(opened, { kind: "roles", changes: ranks(["ann", "admin"]) });
    await eventually(() => users(opened)[ghost("ann")] === 60, "ann is an admin");
  });

  it("never give as much as the bot has, and leave whoever has as much as it is", async () => {
    const opened = await open({ ...carried, roles: { plumbed: "both", powers: { owner: 100 } } });
    await lowerBot(opened, 60);
    const changes: RoleChange[] = [
      ...ranks(["ann", "owner"], ["ben", "moderator"]),
      { who: { userId: "@alice:faults.test" }, role: "none" },
    ];
    await receive(opened, { kind: "roles", changes });
    await eventually(() => users(opened)[ghost("ann")] === 59, "ann has less than the bot");
    expect(users(opened)).toMatchObject({ [ghost("ben")]: 50, "@alice:faults.test": 100 });
  });

  it("are kept as a dead letter where the bot may not change power levels, and hold nothing up", async () => {
    const opened = await open();
    await lowerBot(opened, 10);
    await receive(opened, { kind: "roles", changes: ranks(["ann", "moderator"]) });
    await arrived(opened);
    const entries = await opened.trestle.services.queue.list({ state: "dead" });
    expect(entries.map(({ error }) => error)).toEqual([expect.stringMatching(/may not change the power levels/)]);
  });

  it("change nothing in a room that existed before, unless the operator says so", async () => {
    const opened = await open({});
    const before = levels(opened);
    await receive(opened, { kind: "roles", changes: ranks(["ann", "moderator"]) });
    await set(opened, { moderated: true, inviteOnly: true, secret: true, topicLocked: false });
    await arrived(opened);
    expect(levels(opened)).toEqual(before);
    expect([content(opened, "m.room.join_rules"), content(opened, "m.room.history_visibility")]).not.toContainEqual(
      expect.objectContaining({ "dev.trestle.because": expect.anything() }),
    );
  });
});

describe("a portal", () => {
  it("follows its channel, and its channel it, without being told to", async () => {
    const recorder = recording();
    const namespaces = {
      users: [{ exclusive: true, regex: "^@fake_.*:faults\\.test$" }],
      aliases: [{ exclusive: true, regex: "^#fake_.*:faults\\.test$" }],
      rooms: [],
    };
    const resolveChannel: NetworkHandlers["resolveChannel"] = (name) =>
      Promise.resolve({ id: ChannelId(name), name, settings: { secret: true } });
    const handlers = { ...recorder.handlers, resolveChannel };
    stage = await Stage.open({ places: 0, network: { handlers }, registration: { namespaces } });
    const opened = stage;
    const room = await opened.alice.join("#fake_weather:faults.test");
    const at = (type: string) => opened.homeserver.room(room).state(type)?.content as Record<string, unknown>;
    expect(at("m.room.history_visibility")["history_visibility"]).toBe("joined");
    const { port } = opened.network;
    await port.receive(happens({ kind: "channel", settings: { secret: false } }, "s0", "weather"));
    await eventually(() => at("m.room.history_visibility")["history_visibility"] === "shared", "it is not secret");
    const changes: RoleChange[] = [
      ...ranks(["ann", "moderator"]),
      { who: { userId: opened.alice.userId }, role: "moderator" },
    ];
    await port.receive(happens({ kind: "roles", changes }, "r1", "weather"));
    await port.receive(happens({ kind: "channel", settings: { inviteOnly: true } }, "s1", "weather"));
    await eventually(() => at("m.room.join_rules")["join_rule"] === "invite", "it is closed");
    expect(at("m.room.power_levels")["users"]).toMatchObject({ [opened.alice.userId]: 50, [ghost("ann")]: 50 });
    await opened.alice.setState(room, "m.room.join_rules", { join_rule: "public" });
    await eventually(() => recorder.calls.length > 0, "the network is asked");
    expect(recorder.calls).toEqual(['{"inviteOnly":false}']);
  });
});

describe("power levels in Matrix", () => {
  it("become ranks on the network, and the network's echo of them changes nothing", async () => {
    const recorder = recording();
    const opened = await open(carried, recorder);
    const bob = opened.homeserver.createClient("bob");
    await opened.alice.setPower(opened.room(), bob.userId, 55);
    await eventually(() => recorder.calls.length === 1, "the network is asked");
    await receive(opened, {
      kind: "roles",
      changes: [{ who: { userId: bob.userId }, role: "moderator" }, ...ranks(["ann", "speaker"])],
    });
    await receive(opened, { kind: "roles", changes: ranks(["ann", "moderator"]) });
    await eventually(() => users(opened)[ghost("ann")] === 50, "ann is a moderator");
    expect(users(opened)[bob.userId]).toBe(55);
    await opened.network.say("channel0", "ann", "hello");
    await opened.alice.setPower(opened.room(), ghost("ann"), 5);
    await eventually(() => recorder.calls.some((line) => line.includes("ann")), "ann's rank goes to the network");
    await opened.alice.setPower(opened.room(), bob.userId, 0);
    await eventually(() => recorder.calls.length === 3, "bob's is taken");
    expect(recorder.calls).toEqual([
      `alice: ${bob.userId} none to moderator`,
      "alice: ann moderator to speaker",
      `alice: ${bob.userId} moderator to none`,
    ]);
  });

  it("tell the sender where the network refuses", async () => {
    const recorder = recording(() => refused("the bridge is no operator of channel0"));
    const opened = await open(carried, recorder);
    await opened.alice.setPower(opened.room(), "@bob:faults.test", 50);
    await eventually(() => recorder.calls.length === 1, "the network is asked");
    await eventually(
      () =>
        opened.homeserver
          .room(opened.room())
          .messages()
          .some((event) => JSON.stringify(event).includes("is no operator of channel0")),
      "alice is told",
    );
  });
});

describe("a Matrix user whom the network expels", () => {
  const expel = (change: "kick" | "ban" | "unban", userId: string) =>
    happens({ kind: "expulsion", change, userId, by: person("ann"), reason: "spam" });
  const member = (opened: Stage, user: string) =>
    opened.homeserver.room(opened.room()).state("m.room.member", user)?.content as Record<string, unknown>;

  it("is kicked, banned and let in again in the rooms of the channel", async () => {
    const opened = await open();
    const [bob, eve] = [opened.homeserver.createClient("bob"), opened.homeserver.createClient("eve")];
    for (const client of [bob, eve]) {
      await opened.alice.invite(opened.room(), client.userId);
      await client.join(opened.room());
    }
    const { port } = opened.network;
    await port.receive(expel("kick", bob.userId));
    await eventually(() => member(opened, bob.userId)["membership"] === "leave", "bob is out");
    expect(member(opened, bob.userId)["reason"]).toBe("By ann on fake: spam");
    await port.receive(expel("ban", bob.userId));
    await eventually(() => member(opened, bob.userId)["membership"] === "ban", "bob is banned");
    await port.receive(expel("unban", bob.userId));
    await eventually(() => member(opened, bob.userId)["membership"] === "leave", "bob may come back");
    // What Matrix has decided the network does not undo.
    await opened.alice.ban(opened.room(), eve.userId);
    await port.receive(expel("unban", eve.userId));
    await port.receive(expel("kick", opened.alice.userId));
    await arrived(opened);
    expect(member(opened, eve.userId)["membership"]).toBe("ban");
    expect(member(opened, opened.alice.userId)["membership"]).toBe("join");
  });

  it("stays in a room that existed before, unless the operator says otherwise", async () => {
    const opened = await open({});
    const bob = opened.homeserver.createClient("bob");
    await opened.alice.invite(opened.room(), bob.userId);
    await bob.join(opened.room());
    await opened.network.port.receive(expel("ban", bob.userId));
    await arrived(opened);
    expect(member(opened, bob.userId)["membership"]).toBe("join");
  });
});

describe("how a channel is set", () => {
  it("moderated: only who has a voice can speak, and whom the network lets; until it no longer is", async () => {
    const opened = await open();
    const before = levels(opened);
    await receive(opened, { kind: "roles", changes: ranks(["ann", "moderator"]) });
    await set(opened, { moderated: true });
    await eventually(() => levels(opened)["events_default"] === 1, "speaking takes a level");
    await opened.network.say("channel0", "ann", "an operator");
    await opened.network.say("channel0", "dan", "somebody whom the network let speak");
    await eventually(() => opened.homeserver.room(opened.room()).messages().length === 2, "both are heard");
    expect(users(opened)[ghost("dan")]).toBe(1);
    await set(opened, { moderated: false });
    await eventually(() => levels(opened)["events_default"] !== 1, "everybody speaks again");
    expect(levels(opened)["events_default"] ?? 0).toBe(before["events_default"] ?? 0);
  });

  it("invite-only and keyed: nobody walks in until it is neither", async () => {
    const opened = await open();
    await opened.alice.setState(opened.room(), "m.room.join_rules", { join_rule: "public", "org.example": 1 });
    await set(opened, { inviteOnly: true, keyed: false });
    await set(opened, { keyed: true });
    await eventually(() => content(opened, "m.room.join_rules")["join_rule"] === "invite", "it is closed");
    // Ghosts are let in by the bot.
    await arrived(opened);
    await set(opened, { inviteOnly: false });
    await arrived(opened);
    expect(content(opened, "m.room.join_rules")["join_rule"]).toBe("invite");
    await set(opened, { keyed: false });
    await eventually(() => content(opened, "m.room.join_rules")["join_rule"] === "public", "it is open");
    expect(content(opened, "m.room.join_rules")).toEqual({ join_rule: "public", "org.example": 1 });
  });

  it("secret: its history is for who was there, also where another channel of the room is not", async () => {
    const opened = await open();
    await opened.alice.setState(opened.room(), "m.room.history_visibility", { history_visibility: "world_readable" });
    await opened.trestle.services.link("fake", opened.room(), "channel7", "operator");
    const listed = `/_matrix/client/v3/directory/list/room/${encodeURIComponent(opened.room())}`;
    await opened.alice.request("PUT", listed, { body: { visibility: "public" } });
    await set(opened, { secret: true });
    await eventually(
      () => content(opened, "m.room.history_visibility")["history_visibility"] === "joined",
      "history is hidden",
    );
    await arrived(opened);
    expect(await opened.alice.request("GET", listed)).toEqual({ visibility: "private" });
    await opened.network.port.receive(happens({ kind: "channel", settings: { secret: false } }, "other", "channel7"));
    await arrived(opened);
    expect(content(opened, "m.room.history_visibility")["history_visibility"]).toBe("joined");
    await set(opened, { secret: false });
    await eventually(
      () => content(opened, "m.room.history_visibility")["history_visibility"] === "world_readable",
      "it is as it was",
    );
  });

  it("topic lock: who may set the topic", async () => {
    const opened = await open();
    const before = levels(opened);
    await set(opened, { topicLocked: false });
    const topic = () => (levels(opened)["events"] as Record<string, unknown>)["m.room.topic"];
    await eventually(() => topic() === 0, "everybody");
    await set(opened, { topicLocked: true });
    await eventually(() => topic() !== 0, "moderators");
    expect(levels(opened)).toEqual(before);
  });

  it("who may come in, and who may read back, is asked of the network; its own word for it changes neither", async () => {
    const recorder = recording();
    const opened = await open(carried, recorder);
    const room = opened.room();
    const rule = (join_rule: string) => opened.alice.setState(room, "m.room.join_rules", { join_rule });
    const history = (history_visibility: string) =>
      opened.alice.setState(room, "m.room.history_visibility", { history_visibility });
    await rule("public");
    await rule("restricted");
    await history("invited");
    await eventually(() => recorder.calls.length === 3, "the network is asked");
    await set(opened, { keyed: true, inviteOnly: false, secret: true });
    await arrived(opened);
    expect([content(opened, "m.room.join_rules"), content(opened, "m.room.history_visibility")]).toEqual([
      { join_rule: "restricted" },
      { history_visibility: "invited" },
    ]);
    await rule("invite");
    await rule("public");
    await history("shared");
    await history("world_readable");
    // A key of the channel's own goes when somebody opens the room, and not before.
    await set(opened, { keyed: true });
    await eventually(() => content(opened, "m.room.join_rules")["join_rule"] === "invite", "it is closed");
    const closed = content(opened, "m.room.join_rules");
    await opened.alice.setState(room, "m.room.join_rules", { ...closed, join_rule: "knock" });
    await opened.alice.setState(room, "m.room.join_rules", { ...closed, join_rule: "public" });
    await eventually(() => recorder.calls.length >= 7, "the network is asked");
    expect(recorder.calls.filter((line) => line.startsWith("{"))).toEqual([
      '{"inviteOnly":false}',
      '{"inviteOnly":true,"keyed":true}',
      '{"secret":true}',
      '{"inviteOnly":true,"keyed":false}',
      '{"inviteOnly":false}',
      '{"secret":false}',
      '{"inviteOnly":false,"keyed":false}',
    ]);
  });

  it("is asked of the network when somebody on Matrix changes it", async () => {
    const recorder = recording();
    const opened = await open(carried, recorder);
    const room = opened.room();
    await opened.alice.setState(room, "m.room.join_rules", { join_rule: "public" });
    await opened.alice.setState(room, "m.room.join_rules", { join_rule: "knock" });
    const now = levels(opened) as Parameters<typeof opened.alice.setState>[2];
    await opened.alice.setState(room, "m.room.power_levels", { ...now, events_default: 1 });
    await opened.alice.setState(room, "m.room.power_levels", { ...now, events: { "m.room.topic": 0 } });
    await eventually(() => recorder.calls.length >= 4, "the network is asked");
    expect(recorder.calls.filter((line) => line.startsWith("{"))).toEqual([
      '{"inviteOnly":false}',
      '{"inviteOnly":true}',
      '{"moderated":true}',
      '{"moderated":false,"topicLocked":false}',
    ]);
  });
});
