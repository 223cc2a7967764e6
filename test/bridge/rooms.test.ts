import { afterEach, describe, expect, it } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ChannelId, RemoteUserId } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder, text } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";
const bodies = (opened: Stage, room: string): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .map((event) => String((event.content as { body?: unknown }).body));
const answers = (opened: Stage, room: string): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .filter((event) => event.sender === bot)
    .map((event) => String((event.content as { body?: unknown }).body));

/** A room of alice's in which the bot is, linked to nothing. */
async function freshRoom(opened: Stage, request: Readonly<Record<string, string | boolean>> = {}): Promise<string> {
  const room = await opened.alice.createRoom({ invite: [bot], ...request });
  await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  return room;
}

async function command(opened: Stage, room: string, line: string): Promise<string> {
  const before = answers(opened, room).length;
  await opened.alice.sendText(room, line);
  await eventually(() => answers(opened, room).length > before, `an answer to ${line}`);
  return answers(opened, room).at(-1) ?? "";
}

function filesWith(directory: string, secret: string): string[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(secret));
}

describe("commands", () => {
  it("link, list, show the state of and unlink a room", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({
      places: 0,
      network: { handlers: recorder.handlers },
      config: { permissions: { "faults.test": "user" } },
    });
    const room = await freshRoom(stage);
    await stage.alice.setPower(room, bot, 100);
    expect(await command(stage, room, "!fake help")).toContain("!fake link <channel>");
    expect(await command(stage, room, "!fake link channel0")).toBe("This room is now linked to channel0.");
    expect(await command(stage, room, "!fake link channel0")).toBe("The room is linked to channel0 already.");
    expect(recorder.linked).toEqual(["channel0"]);
    await stage.alice.sendText(room, "hello");
    await eventually(() => stage?.network.taken.length === 1, "a message crosses");
    expect(await command(stage, room, "!fake list")).toBe("linked to channel0");
    expect(await command(stage, room, "!fake status")).toContain("1 links");
    const info = stage.homeserver.room(room).state("m.bridge", "dev.trestle.fake://fake/channel0");
    expect(info?.content).toMatchObject({ bridgebot: bot, channel: { id: "channel0" } });
    expect(await command(stage, room, "!fake unlink")).toBe("No longer linked to channel0.");
    await stage.alice.sendText(room, "nobody hears this");
    expect(await command(stage, room, "!fake nonsense")).toContain("There is no command nonsense");
    expect(stage.network.taken.map((taken) => taken.text)).toEqual(["hello"]);
  });

  it("are answered that were given before the bot had come", async () => {
    stage = await Stage.open({ places: 0, config: { permissions: { "faults.test": "user" } } });
    stage.homeserver.faults.delay(100, { route: "/join", fromAppService: true });
    const room = await stage.alice.createRoom({ invite: [bot], is_direct: true });
    await stage.alice.sendText(room, "list");
    await eventually(() => answers(stage!, room).length > 0, "the answer");
    expect(answers(stage, room)).toEqual(["This room is not linked. Link it with: !fake link <channel>"]);
  });

  it("tell who links a room that people in the channel's other rooms are not heard in it", async () => {
    stage = await Stage.open({ places: 2, config: { permissions: { "faults.test": "user" } } });
    const room = await freshRoom(stage);
    await stage.alice.setPower(room, bot, 100);
    expect(await command(stage, room, "!fake link channel0")).toBe(
      "This room is now linked to channel0. channel0 is in another room, too: people on Matrix do not hear there what is said here, nor the other way round.",
    );
    expect(await command(stage, stage.room(1), "!fake link channel0")).toContain("is in 2 other rooms, too");
    for (const each of [room, stage.room()]) await stage.alice.sendText(each, `from ${each}`);
    await eventually(() => stage?.network.taken.length === 2, "both messages cross");
    await stage.network.say("channel0", "ann", "to all");
    for (const each of [room, stage.room(), stage.room(1)])
      await eventually(() => bodies(stage as Stage, each).includes("to all"), `what the network says in ${each}`);
    expect(bodies(stage, room)).not.toContain(`from ${stage.room()}`);
  });

  it("refuse whoever lacks the level, or the power in the room", async () => {
    stage = await Stage.open({
      places: 0,
      config: { permissions: { "*": "relay", "@alice:faults.test": "user", "@blocked:faults.test": "block" } },
    });
    const room = await freshRoom(stage);
    const bob = stage.homeserver.createClient("bob");
    await stage.alice.invite(room, bob.userId);
    await bob.join(room);
    await bob.sendText(room, "!fake link channel0");
    await eventually(
      () => answers(stage as Stage, room).some((line) => line.includes("You may not use link")),
      "bob is refused",
    );
    await stage.alice.setPower(room, stage.alice.userId, 20).catch(() => undefined);
    await stage.alice.setPower(room, bob.userId, 100).catch(() => undefined);
  });

  it("sign a user in and out by chat, redacting what is secret and keeping it encrypted", async () => {
    const out: string[] = [];
    stage = await Stage.open({
      places: 0,
      config: { permissions: { "*": "user" }, encryptionKey: "a key for tests that is long enough" },
      network: {
        handlers: {
          login: async (session) => {
            const { name, password } = await session.ask([
              { id: "name", type: "username", label: "Your name" },
              { id: "password", type: "password", label: "Your password" },
            ]);
            if (password !== "hunter2") throw new Error("wrong password");
            return { name, secret: { password } };
          },
          logout: ({ account }) => (out.push(`${account.name} ${account.secret.password ?? ""}`), Promise.resolve()),
        },
      },
    });
    const room = await freshRoom(stage, { is_direct: true, preset: "trusted_private_chat" });
    expect(await command(stage, room, "login")).toBe("Your name:");
    expect(await command(stage, room, "ann")).toBe("Your password:");
    expect(await command(stage, room, "wrong")).toBe("The login failed: wrong password");
    expect(await command(stage, room, "login")).toBe("Your name:");
    expect(await command(stage, room, "ann")).toBe("Your password:");
    expect(await command(stage, room, "hunter2")).toBe("Signed in as ann.");
    expect(bodies(stage, room)).not.toContain("hunter2");
    expect(filesWith(stage.directory, "hunter2")).toEqual([]);
    expect((await stage.network.port.logins()).map((login) => login.account)).toEqual([
      { name: "ann", secret: { password: "hunter2" } },
    ]);
    expect(await command(stage, room, "logout")).toBe("Signed out; ann is forgotten.");
    expect(out).toEqual(["ann hunter2"]);
  });

  it("show a person what to open while their login waits for the browser", async () => {
    let cameBack: () => void = () => undefined;
    const browser = new Promise<void>((resolve) => (cameBack = resolve));
    stage = await Stage.open({
      places: 0,
      config: { permissions: { "*": "user" }, encryptionKey: "a key for tests that is long enough" },
      network: {
        handlers: {
          login: async ({ say }) => {
            await say("Open https://network.example/authorize");
            await browser;
            return { name: "ann", secret: {} };
          },
        },
      },
    });
    const room = await freshRoom(stage, { is_direct: true, preset: "trusted_private_chat" });
    expect(await command(stage, room, "login")).toBe("Open https://network.example/authorize");
    expect(await command(stage, room, "hello?")).toContain("nothing is asked for now");
    cameBack();
    await eventually(() => answers(stage as Stage, room).at(-1) === "Signed in as ann.", "the end is told");
  });
});

describe("an encrypted room", () => {
  it("is not linked", async () => {
    stage = await Stage.open({ places: 0, config: { permissions: { "*": "user" } } });
    const room = await freshRoom(stage);
    await stage.alice.setState(room, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    await stage.alice.sendText(room, "!fake link channel0");
    await stage.homeserver.delivered("fake");
    await stage.alice.createRoom();
    expect(answers(stage, room)).toEqual([]);
    expect(await stage.trestle.services.list()).toEqual([]);
  });

  it("gets nothing readable from the moment it is encrypted, and its people are told in private", async () => {
    stage = await Stage.open({ places: 1 });
    await stage.network.say("channel0", "ann", "before");
    await eventually(
      () => bodies(stage as Stage, stage?.room() ?? "").includes("before"),
      "it arrives while the room is plain",
    );
    await stage.alice.setState(stage.room(), "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    await stage.homeserver.delivered("fake");
    await stage.network.say("channel0", "ann", "after");
    const dead = async (): Promise<number> =>
      (await stage?.trestle.services.queue.list({ state: "dead" }))?.length ?? 0;
    let count = 0;
    await eventually(() => (void dead().then((found) => (count = found)), count === 1), "it is kept as a dead letter");
    expect(bodies(stage, stage.room())).toEqual(["before"]);
    const { homeserver } = stage;
    const isTold = (room: string): boolean =>
      room !== stage?.room() && bodies(stage as Stage, room).some((line) => line.includes("is encrypted"));
    await eventually(() => homeserver.roomIds().some(isTold), "its people are told");
  });
});

describe("a dead letter", () => {
  it("is told to its sender, can be seen, put back and delivered", async () => {
    stage = await Stage.open({ places: 1 });
    stage.network.react = () => ({ answer: { failed: "permanent", reason: "you are banned" } });
    await stage.alice.sendText(stage.room(), "hello");
    await eventually(
      () => bodies(stage as Stage, stage?.room() ?? "").some((line) => line.includes("you are banned")),
      "the sender is told",
    );
    const { queue } = stage.trestle.services;
    const [entry] = await queue.list({ state: "dead" });
    expect(entry).toMatchObject({ bridge: "fake", direction: "toNetwork", lane: "channel0", error: "you are banned" });
    stage.network.react = () => "take";
    expect(await queue.replay([entry?.seq ?? 0])).toBe(1);
    await eventually(() => stage?.network.taken.length === 1, "it is delivered after all");
    expect(await queue.list({ state: "dead" })).toEqual([]);
  });
});

describe("a room upgrade", () => {
  it.each(["11", "12"])("to version %s is followed: links, ghosts and what waits move, in order", async (version) => {
    stage = await Stage.open({ places: 1 });
    const { network, homeserver, alice } = stage;
    for (let n = 0; n < 5; n += 1) await network.say("channel0", "ann", `old ${n}`);
    await eventually(() => bodies(stage as Stage, stage?.room() ?? "").length === 5, "the old room works");
    const replacement = await alice.upgrade(stage.room(), version);
    for (let n = 0; n < 5; n += 1) await network.say("channel0", "ann", `new ${n}`);
    await alice.invite(replacement, bot).catch(() => undefined);
    await eventually(() => bodies(stage as Stage, replacement).length === 5, "the new room gets what comes next");
    expect(bodies(stage, replacement)).toEqual([0, 1, 2, 3, 4].map((n) => `new ${n}`));
    await alice.sendText(replacement, "from the new room");
    await eventually(() => network.taken.some((taken) => taken.text === "from the new room"), "and the other way");
    expect(homeserver.room(replacement).members()["@fake_ann:faults.test"]).toBe("join");
    expect((await stage.trestle.services.list()).map((link) => link.room)).toEqual([replacement]);
  });
});

describe("rooms and users that are asked for", () => {
  const registration = {
    namespaces: {
      users: [{ exclusive: true, regex: "^@fake_.*:faults\\.test$" }],
      aliases: [{ exclusive: true, regex: "^#fake_.*:faults\\.test$" }],
      rooms: [],
    },
  };

  it("come into being: a portal by its alias, a ghost by its id, look-ups both ways", async () => {
    const recorder = new Recorder({
      resolveChannel: (wanted) =>
        Promise.resolve(wanted === "weather" ? { id: ChannelId("weather"), name: "#weather", topic: "rain" } : null),
      resolveUser: (wanted) => Promise.resolve(wanted === "ann" ? person("ann", "Ann") : null),
    });
    stage = await Stage.open({
      places: 0,
      network: { handlers: recorder.handlers },
      registration: { ...registration, protocols: ["fake"] },
    });
    const { alice, homeserver } = stage;
    await expect(alice.join("#fake_nowhere:faults.test")).rejects.toThrow();
    const room = await alice.join("#fake_weather:faults.test");
    await stage.network.port.receive(
      happens({ kind: "message", sender: person("ann", "Ann"), content: text("it rains") }, "m1", "weather"),
    );
    await eventually(() => bodies(stage as Stage, room).includes("it rains"), "the portal works");
    await alice.request("GET", "/_matrix/client/v3/profile/@fake_ann:faults.test");
    expect(await alice.requestJson("GET", "/_matrix/client/v3/thirdparty/location/fake?channel=weather")).toMatchObject(
      [{ alias: "#fake_weather:faults.test" }],
    );
    expect(await alice.requestJson("GET", "/_matrix/client/v3/thirdparty/user/fake?user=ann")).toMatchObject([
      { userid: "@fake_ann:faults.test" },
    ]);
    expect(homeserver.roomIdOfAlias("#fake_weather:faults.test")).toBe(room);
  });

  it("begin direct conversations with people whom nobody has asked for yet", async () => {
    const recorder = new Recorder({
      directChannel: (_user, remote) => Promise.resolve(ChannelId(`direct ${remote}`)),
      // Slower than a homeserver that does not wait for whether there is such a user.
      resolveUser: async (id) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return person(id);
      },
    });
    stage = await Stage.open({ places: 0, network: { handlers: recorder.handlers } });
    await stage.alice.createRoom({ is_direct: true, invite: ["@fake_zoe:faults.test"] });
    await eventually(() => recorder.linked.includes("direct zoe"), "the conversation is linked");
  });

  it("begin direct conversations from either side", async () => {
    const recorder = new Recorder({ directChannel: (_user, remote) => Promise.resolve(ChannelId(`direct ${remote}`)) });
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { alice, network } = stage;
    await network.say("channel0", "ann", "hello");
    await eventually(() => bodies(stage as Stage, stage?.room() ?? "").length === 1, "the ghost is there");
    const direct = await alice.createRoom({
      is_direct: true,
      preset: "trusted_private_chat",
      invite: ["@fake_ann:faults.test"],
    });
    await eventually(
      () => stage?.homeserver.room(direct).members()["@fake_ann:faults.test"] === "join",
      "the ghost accepts",
    );
    await eventually(() => recorder.linked.includes("direct ann"), "the conversation is linked");
    await alice.sendText(direct, "psst");
    await eventually(
      () => network.taken.some((taken) => taken.channel === "direct ann" && taken.text === "psst"),
      "it arrives",
    );
    await network.port.receive({
      ...happens(
        { kind: "message", sender: person("ben"), content: text("hey"), directTo: alice.userId },
        "d1",
        "direct ben",
      ),
      channel: ChannelId("direct ben"),
    });
    await eventually(
      () => stage?.homeserver.roomIds().some((room) => bodies(stage as Stage, room).includes("hey")) ?? false,
      "a new conversation begins",
    );
    expect(RemoteUserId("ben")).toBe("ben");
  });
});
