import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RemoteUserId, RoomId, UserId, type Login, type RoomView } from "@trestle/core";
import type { TestClient } from "@trestle/testkit";
import { Stage, type StageOptions } from "../faults/stage.js";
import { fastClock } from "../support/fast-clock.js";
import { eventually, Recorder } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";
const list = "#bans:faults.test";
const ban = { recommendation: "m.ban", reason: "spam, as seen in a private room" };

interface Opened {
  readonly opened: Stage;
  readonly recorder: Recorder;
  readonly suspended: string[];
  readonly signedIn: Login[];
  /** The policy list. */
  readonly list: string;
  readonly mallory: TestClient;
  /** Nobody passes into the network before it is open. */
  readonly passage: { gate?: Promise<void> };
}

/** Alice is the operator; Mallory is in the first room. Starts anew with a policy list in the configuration. */
async function open(
  options: StageOptions = {},
  { isPublic = true, rules = {} }: { isPublic?: boolean; rules?: Readonly<Record<string, object>> } = {},
): Promise<Opened> {
  const suspended: string[] = [];
  const signedIn: Login[] = [];
  const passage: { gate?: Promise<void> } = {};
  const recorder = new Recorder({
    membership: async ({ change, who }) => {
      await passage.gate;
      recorder.calls.push(`${change} ${"remote" in who ? who.remote : who.name}`);
      return undefined;
    },
    login: (session) => Promise.resolve({ name: session.user, secret: { token: "secret" } }),
    signedIn: (login) => {
      signedIn.push(login);
      return Promise.resolve();
    },
    suspendUser: ({ user }) => {
      suspended.push(user);
      return Promise.resolve(undefined);
    },
    directChannel: (_user, remote) => Promise.resolve(ChannelId(`to ${remote}`)),
    resolveUser: (text) => Promise.resolve({ id: RemoteUserId(text), name: text }),
    presence: ({ user }) => {
      recorder.calls.push(`presence ${user}`);
      return Promise.resolve();
    },
  });
  const { config, ...more } = options;
  stage = await Stage.open({
    places: 1,
    clock: fastClock(20),
    network: { handlers: recorder.handlers },
    config: {
      policyLists: [list],
      permissions: { "*": "user", "@alice:faults.test": "admin" },
      encryptionKey: "a key for tests that is long enough",
      ...config,
    },
    ...more,
  });
  const opened = stage;
  const { homeserver, alice } = opened;
  const room = await alice.createRoom({
    room_alias_name: "bans",
    preset: isPublic ? "public_chat" : "private_chat",
    initial_state: Object.entries(rules).map(([entity, content], index) => ({
      type: entity.startsWith("@") ? "m.policy.rule.user" : "m.policy.rule.server",
      state_key: `rule ${index}`,
      content: { entity, ...content },
    })),
  });
  if (isPublic) await eventually(() => homeserver.room(room).members()[bot] === "join", "the bot is in the list");
  const mallory = homeserver.createClient("mallory");
  await enter(opened, mallory);
  if (Object.keys(rules).length === 0)
    await eventually(() => recorder.calls.includes("join mallory"), "the network is told of mallory");
  return { opened, recorder, suspended, signedIn, list: room, mallory, passage };
}

async function enter(opened: Stage, who: TestClient): Promise<void> {
  await opened.alice.invite(opened.room(), who.userId);
  await who.join(opened.room());
}

type RuleContent = Parameters<TestClient["setState"]>[2];
const rule = (
  { opened, list: room }: Opened,
  entity: string,
  { type = "m.policy.rule.user", content = { entity, ...ban } }: { type?: string; content?: RuleContent } = {},
): Promise<string> => opened.alice.setState(room, type, content, `rule of ${entity}`);
const lift = (stageOpened: Opened, entity: string, type?: string): Promise<string> =>
  rule(stageOpened, entity, { content: {}, ...(type !== undefined && { type }) });

const taken = ({ opened }: Opened): string[] => opened.network.taken.map((each) => each.text);

/** Says something behind all that was said in the room, and waits until it is on the network. */
async function settled(stageOpened: Opened): Promise<void> {
  const { opened } = stageOpened;
  const behind = `behind ${Math.random()}`;
  await opened.alice.sendText(opened.room(), behind);
  await eventually(() => taken(stageOpened).includes(behind), "what was said behind it");
}

async function says(stageOpened: Opened, who: TestClient, body: string): Promise<boolean> {
  await who.sendText(stageOpened.opened.room(), body);
  await settled(stageOpened);
  return taken(stageOpened).includes(body);
}

async function statusOf({ opened }: Opened) {
  const [bridge] = (await opened.trestle.services.status()).bridges;
  return bridge!.policyLists[0]!;
}

async function until(stageOpened: Opened, state: string): Promise<void> {
  let now = "";
  const look = (): void => void statusOf(stageOpened).then((status) => (now = status.state));
  await eventually(() => (look(), now === state), `the list is ${state}`);
}

async function metric({ opened }: Opened, name: string): Promise<number> {
  const answer = await fetch(`${opened.trestle.operationsUrl}/metrics`);
  const line = (await answer.text()).split("\n").find((each) => each.startsWith(name));
  return Number(line?.split(" ").at(-1));
}

const said = (opened: Stage, room: string): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .filter(({ sender }) => sender === bot)
    .map(({ content }) => String((content as { body?: unknown }).body));

describe("a user whom a policy list bans", () => {
  it("is not heard on the network from the rule on, is not there any more, and is back when the rule goes", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "before")).toBe(true);
    await rule(all, mallory.userId);
    expect(await says(all, mallory, "banned")).toBe(false);
    await mallory.react(opened.room(), await opened.alice.sendText(opened.room(), "hello"), "👎");
    await mallory.setDisplayName("Mallory the second");
    await settled(all);
    await eventually(() => recorder.calls.includes("leave mallory"), "the network is told that they left");
    expect(recorder.calls.filter((call) => /mallory|👎/i.test(call))).toEqual(["join mallory", "leave mallory"]);
    expect(await metric(all, 'trestle_policy_dropped_total{bridge="fake"}')).toBeGreaterThanOrEqual(2);

    await lift(all, mallory.userId);
    await eventually(
      () => recorder.calls.includes("join Mallory the second"),
      "the network is told that they are back",
    );
    expect(await says(all, mallory, "after")).toBe(true);
    expect(taken(all)).not.toContain("banned");
    expect(recorder.calls.filter((call) => /mallory/i.test(call))).toHaveLength(3);
  });

  it("is told nothing by themselves, and in answer to a command that and not why", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    const rooms = opened.homeserver.roomIds().length;
    await rule(all, mallory.userId);
    await says(all, mallory, "banned");
    expect(said(opened, opened.room())).toEqual([]);
    await mallory.sendText(opened.room(), "!fake help");
    await eventually(() => said(opened, opened.room()).length === 1, "an answer");
    const [answer] = said(opened, opened.room());
    expect(answer).toMatch(/^You may not use this bridge: .*banned by a moderation policy/);
    expect(answer).not.toMatch(/spam|#bans/);
    expect(opened.homeserver.roomIds()).toHaveLength(rooms);
  });

  it("cannot invite the bot or sign in", async () => {
    const all = await open();
    const { opened, mallory, signedIn } = all;
    await until(all, "read");
    const room = await mallory.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
    await rule(all, mallory.userId);
    await settled(all);
    await mallory.sendText(room, "login");
    await eventually(() => said(opened, room).some((each) => each.startsWith("You may not use this bridge")), "no");
    const other = await mallory.createRoom({ invite: [bot] });
    await mallory.sendText(room, "help");
    await eventually(() => said(opened, room).length === 2, "the second answer");
    expect(opened.homeserver.room(other).members()[bot]).toBe("invite");
    expect(signedIn).toEqual([]);
  });

  it("has their account let go, also at the next start, and taken up again when the rule goes", async () => {
    const all = await open();
    const { opened, mallory, suspended, signedIn } = all;
    await until(all, "read");
    const room = await mallory.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
    await mallory.sendText(room, "login");
    await eventually(() => signedIn.length === 1, "mallory is signed in");
    await rule(all, mallory.userId);
    await eventually(() => suspended.includes(mallory.userId), "the account is let go");
    suspended.length = 0;
    await opened.stop();
    await opened.start();
    await eventually(() => suspended.includes(mallory.userId), "the account is let go after a start");
    expect(signedIn).toHaveLength(1);
    await lift(all, mallory.userId);
    await eventually(() => signedIn.length === 2, "mallory is signed in again");
    expect(await opened.network.port.logins()).toHaveLength(1);
  });

  it("is not seen typing, nobody for people of the network, and not in the room as connectors see it", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    const view = (): Promise<RoomView> => opened.network.port.lookAtRoom(RoomId(opened.room()));
    const names = async (): Promise<string[]> => (await view()).members.map(({ userId }) => userId);
    expect(await names()).toContain(mallory.userId);
    await rule(all, mallory.userId);
    await settled(all);
    expect(await names()).not.toContain(mallory.userId);
    expect(await opened.network.port.lookUpUser(UserId(mallory.userId))).toEqual({ is: "nobody" });
    await mallory.setTyping(opened.room(), true);
    await opened.alice.setTyping(opened.room(), true);
    const seen = () => opened.network.typing.flatMap(({ authors }) => authors.map(({ userId }) => userId));
    await eventually(() => seen().includes(UserId(opened.alice.userId)), "alice is seen typing");
    expect(seen()).not.toContain(mallory.userId);
  });

  it("who comes into a room meanwhile is told of when the rule goes, and who went is not", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    const eve = opened.homeserver.createClient("eve");
    await rule(all, "@eve:*");
    await rule(all, mallory.userId);
    await enter(opened, eve);
    await eventually(() => recorder.calls.includes("leave mallory"), "mallory is not there");
    await opened.alice.kick(opened.room(), mallory.userId);
    await settled(all);
    await lift(all, mallory.userId);
    await lift(all, "@eve:*");
    await eventually(() => recorder.calls.includes("join eve"), "eve is there");
    expect(recorder.calls.filter((call) => /eve|mallory/.test(call))).toEqual([
      "join mallory",
      "leave mallory",
      "join eve",
    ]);
  });

  it("keeps their conversations with people of the network, which end when they leave", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    const direct = async (): Promise<number> =>
      (await opened.trestle.services.list()).filter(({ kind }) => kind === "direct").length;
    const bob = "@fake_bob:faults.test";
    const room = await mallory.createRoom({ invite: [bob], is_direct: true });
    await eventually(() => opened.homeserver.room(room).members()[bob] === "join", "bob is there");
    await mallory.sendText(room, "hello bob");
    await eventually(() => taken(all).includes("hello bob"), "it reaches bob");
    await rule(all, mallory.userId);
    await eventually(() => recorder.calls.includes("leave mallory"), "mallory is not there");
    await mallory.sendText(room, "banned, bob");
    await lift(all, mallory.userId);
    await eventually(() => recorder.calls.at(-1) === "join mallory", "mallory is there");
    await mallory.sendText(room, "it is me, bob");
    await eventually(() => taken(all).includes("it is me, bob"), "it reaches bob again");
    expect(recorder.calls.filter((call) => call.includes("mallory"))).toHaveLength(3);
    expect(taken(all)).not.toContain("banned, bob");
    expect(await direct()).toBe(1);
    await rule(all, mallory.userId);
    await mallory.leave(room);
    let left = 1;
    const look = (): void => void direct().then((count) => (left = count));
    await eventually(() => (look(), left === 0), "the conversation is over");
  });

  it("by the name of their server is banned unless the operator named them, in every spelling of rules", async () => {
    const all = await open({}, { rules: { "f?ults.*": ban } });
    const { opened, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "from a banned server")).toBe(false);
    const server = "m.policy.rule.server";
    const key = "rule 0";
    const write = (type: string, content: RuleContent): Promise<string> =>
      opened.alice.setState(all.list, type, content, key);
    const heard = async (): Promise<boolean> => says(all, mallory, `spelling ${Math.random()}`);
    await write(server, {});
    expect(await heard()).toBe(true);
    const entity = "FAULTS.test";
    await write(server, { entity, recommendation: "org.matrix.mjolnir.ban" });
    expect(await heard()).toBe(false);
    await write(server, { entity, recommendation: "org.example.warn" });
    expect(await heard()).toBe(true);
    // The latest name of the type counts where there are several.
    await write("m.room.rule.server", { entity, ...ban });
    expect(await heard()).toBe(true);
    await opened.alice.setState(all.list, "org.matrix.mjolnir.rule.user", { entity: mallory.userId, ...ban }, "legacy");
    expect(await heard()).toBe(false);
  });
});

describe("a policy list", () => {
  it("is read at the start, and what was kept of it counts until it is read again", async () => {
    const all = await open({}, { rules: { "@mallory:faults.test": ban } });
    const { opened, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "one")).toBe(false);
    await opened.stop();
    // While Trestle is away the bot is put out, and cannot come back.
    await opened.alice.setState(all.list, "m.room.join_rules", { join_rule: "invite" });
    await opened.alice.kick(all.list, bot);
    await mallory.sendText(opened.room(), "two");
    await opened.start();
    expect(await says(all, mallory, "three")).toBe(false);
    let detail: string | undefined;
    await eventually(
      () => (void statusOf(all).then((status) => (detail = status.detail)), detail !== undefined),
      "the operator is told",
    );
    expect(await statusOf(all)).toMatchObject({ list, state: "kept", bans: 1 });
    expect(detail).toMatch(
      /may not join the room of the policy list #bans:faults\.test .*invite @fakebot:faults\.test/,
    );
    // Meanwhile the rule went; the bot reads that when it is let in.
    await opened.alice.setState(all.list, "m.policy.rule.user", {}, "rule 0");
    await opened.alice.invite(all.list, bot);
    await until(all, "read");
    expect(await says(all, mallory, "four")).toBe(true);
    expect(taken(all)).not.toContain("two");
  });

  it("whose alias has moved to another room bans by that room's rules alone", async () => {
    const all = await open({}, { rules: { "@mallory:faults.test": ban } });
    const { opened, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "one")).toBe(false);
    await opened.stop();
    await opened.alice.request("DELETE", `/_matrix/client/v3/directory/room/${encodeURIComponent(list)}`);
    const room = await opened.alice.createRoom({ room_alias_name: "bans", preset: "public_chat" });
    await opened.start();
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot is in the new room");
    await until(all, "read");
    expect(await says(all, mallory, "two")).toBe(true);
  });

  it("that cannot be joined does not stop the bridge, and counts once the bot is invited", async () => {
    const all = await open({}, { isPublic: false, rules: { "@mallory:faults.test": ban } });
    const { opened, mallory } = all;
    expect(await says(all, mallory, "one")).toBe(true);
    expect(await statusOf(all)).toMatchObject({ state: "unread", bans: 0 });
    await opened.alice.invite(all.list, bot);
    await until(all, "read");
    expect(await says(all, mallory, "two")).toBe(false);
  });

  it("counts by its room's state alone", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    const content = { entity: mallory.userId, ...ban };
    // Elsewhere, and no state.
    await opened.alice.setState(opened.room(), "m.policy.rule.user", content, "rule");
    await opened.alice.send(all.list, "m.policy.rule.user", content);
    expect(await says(all, mallory, "heard")).toBe(true);
    await mallory.join(all.list);
    await expect(
      mallory.setState(all.list, "m.policy.rule.user", { entity: "@alice:*", ...ban }, "x"),
    ).rejects.toThrow();
  });

  it("bans from the moment of the rule what waits for the network already", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    opened.network.down = true;
    await mallory.sendText(opened.room(), "waits");
    await eventually(() => opened.network.attempts.some((each) => each.text === "waits"), "an attempt");
    await rule(all, mallory.userId);
    await opened.homeserver.delivered("fake");
    opened.network.comeBack();
    await settled(all);
    expect(taken(all)).not.toContain("waits");
  });

  it("bans who is just coming in, for the network", async () => {
    const all = await open();
    const { opened, recorder, passage } = all;
    await until(all, "read");
    let letIn: () => void = () => undefined;
    passage.gate = new Promise((resolve) => (letIn = resolve));
    const trudy = opened.homeserver.createClient("trudy");
    await enter(opened, trudy);
    await opened.homeserver.delivered("fake");
    await rule(all, "@*y:faults.test");
    const queue = () => opened.trestle.services.queue.list({ direction: "toNetwork" });
    let waiting = 0;
    const look = (): void => void queue().then((entries) => (waiting = entries.length));
    await eventually(() => (look(), waiting > 1), "those who were there have been looked for");
    letIn();
    await eventually(() => recorder.calls.includes("leave mallory"), "those who were there leave");
    await eventually(() => recorder.calls.includes("leave trudy"), "and who has just come");
    expect(recorder.calls.filter((call) => call.endsWith("trudy"))).toEqual(["join trudy", "leave trudy"]);
  });

  it("that is taken out of the configuration bans nobody any more", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    await rule(all, mallory.userId);
    await says(all, mallory, "one");
    await eventually(() => recorder.calls.includes("leave mallory"), "mallory is not there");
    await opened.configure({ policyLists: [] });
    await opened.stop();
    await opened.start();
    await eventually(() => recorder.calls.at(-1) === "join mallory", "mallory is there");
    expect(await says(all, mallory, "two")).toBe(true);
  });

  it("of rooms keeps what is said in them from the network, and the bot out of them", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    await opened.alice.setState(all.list, "m.policy.rule.room", { entity: "#evil*:*", ...ban }, "alias");
    const evil = await opened.alice.createRoom({ room_alias_name: "evil1", preset: "public_chat" });
    await opened.homeserver.delivered("fake");
    const link = opened.trestle.services.link("fake", "#evil1:faults.test", "channel9", "operator");
    await expect(link).rejects.toThrow(/banned by a policy list/);
    expect(opened.homeserver.room(evil).members()[bot]).toBeUndefined();
    await opened.alice.setState(all.list, "m.policy.rule.room", { entity: opened.room(), ...ban }, "id");
    await mallory.sendText(opened.room(), "in a banned room");
    let dropped = 0;
    const look = (): void => void metric(all, "trestle_policy_dropped_total").then((count) => (dropped = count));
    await eventually(() => (look(), dropped === 1), "what is said there is dropped");
    await opened.alice.setState(all.list, "m.policy.rule.room", {}, "id");
    await settled(all);
    expect(taken(all)).not.toContain("in a banned room");
  });
});
