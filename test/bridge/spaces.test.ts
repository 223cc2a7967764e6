import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { SpaceInfo } from "@trestle/core";
import { until } from "../support/bounded.js";
import { Stage, type StageOptions } from "../faults/stage.js";
import { eventually, Recorder } from "./recorder.js";

let stage: Stage | undefined;
let pictures: Server | undefined;
afterEach(async () => {
  await stage?.close();
  await new Promise((resolve) => (pictures ? pictures.close(resolve) : resolve(undefined)));
  stage = pictures = undefined;
});

const bot = "@fakebot:faults.test";
const alice = "@alice:faults.test";

/** A network of one space with all channels in it, unless a test says otherwise. */
class SpacedNetwork {
  info: SpaceInfo = { id: "T1", name: "Acme", topic: "everything" };
  readonly of = new Map<string, SpaceInfo | null | Error>();

  readonly recorder = new Recorder({
    spaceOf: (channel) => {
      const said = this.of.get(channel);
      if (said instanceof Error) return Promise.reject(said);
      return Promise.resolve(said === undefined ? this.info : said);
    },
  });
}

function open(network: SpacedNetwork, options: StageOptions = {}): Promise<Stage> {
  return Stage.open({
    places: 2,
    network: { handlers: network.recorder.handlers },
    bridge: { spaces: { enabled: true, invite: [alice] } },
    ...options,
  });
}

/** The spaces that a room says it is in. */
function parents(opened: Stage, room: string): string[] {
  const said = new Map<string, boolean>();
  for (const event of opened.homeserver.room(room).messages("m.space.parent"))
    said.set(event["state_key"] as string, Object.keys(event["content"] as object).length > 0);
  return [...said].filter(([, inside]) => inside).map(([space]) => space);
}

const child = (opened: Stage, space: string, room: string): unknown =>
  opened.homeserver.room(space).state("m.space.child", room)?.content;
const content = (opened: Stage, room: string, type: string): unknown =>
  opened.homeserver.room(room).state(type)?.content;

async function spaceOf(opened: Stage, room = opened.room()): Promise<string> {
  const [space] = await until(8_000, "the room is in a space", () => {
    const found = parents(opened, room);
    return found.length > 0 ? found : undefined;
  });
  return space ?? "";
}

/** Every space that the bot is in. */
async function spaces(opened: Stage): Promise<string[]> {
  const answer = await fetch(`${opened.homeserver.url}/_matrix/client/v3/joined_rooms`, {
    headers: { authorization: "Bearer as-token-of-the-fault-tests" },
  });
  const { joined_rooms: rooms } = (await answer.json()) as { joined_rooms: string[] };
  return rooms.filter((room) => (content(opened, room, "m.room.create") as { type?: string }).type === "m.space");
}

async function reconfigure(opened: Stage, change: (bridge: Record<string, unknown>) => void): Promise<void> {
  await opened.stop();
  const file = join(opened.directory, "trestle.yaml");
  const config = JSON.parse(await readFile(file, "utf8")) as { bridges: Record<string, unknown>[] };
  change(config.bridges[0] ?? {});
  await writeFile(file, JSON.stringify(config));
  await opened.start();
}

describe("a space of the network", () => {
  it("is a Matrix space with the rooms of its channels in it", async () => {
    stage = await open(new SpacedNetwork());
    const space = await spaceOf(stage);
    await eventually(() => stage!.rooms.every((room) => parents(stage!, room).length > 0), "both rooms are in it");
    expect(content(stage, space, "m.room.create")).toMatchObject({ type: "m.space" });
    expect(content(stage, space, "m.room.name")).toEqual({ name: "Acme" });
    expect(content(stage, space, "m.room.topic")).toMatchObject({ topic: "everything" });
    expect(content(stage, space, "m.room.join_rules")).toMatchObject({ join_rule: "invite" });
    expect(stage.homeserver.room(space).members()).toEqual({ [bot]: "join", [alice]: "invite" });
    for (const room of stage.rooms) expect(child(stage, space, room)).toEqual({ via: ["faults.test"] });
    expect(parents(stage, stage.room(1))).toEqual([space]);
    await stage.stop();
    await stage.start();
    expect(await spaces(stage)).toEqual([space]);
  });

  it("is none where the operator wants none, and is emptied when it is switched off", async () => {
    stage = await open(new SpacedNetwork(), { bridge: {} });
    expect(await spaces(stage)).toEqual([]);
    await reconfigure(stage, (bridge) => (bridge["spaces"] = { enabled: true }));
    const space = await spaceOf(stage);
    await eventually(() => stage!.rooms.every((room) => parents(stage!, room).length > 0), "all is in it");
    await reconfigure(stage, (bridge) => (bridge["spaces"] = { enabled: false }));
    await eventually(() => stage!.rooms.every((room) => parents(stage!, room).length === 0), "nothing is in it");
    for (const room of stage.rooms) expect(child(stage, space, room)).toEqual({});
  });

  it("gets and loses rooms as they are linked and unlinked", async () => {
    const network = new SpacedNetwork();
    network.of.set("channel9", { id: "T2", name: "Umbrella" });
    network.of.set("channel1", null);
    stage = await open(network, { config: { permissions: { [alice]: "admin" } } });
    const space = await spaceOf(stage);
    expect(parents(stage, stage.room(1))).toEqual([]);
    await stage.trestle.services.link("fake", stage.room(1), "channel9", "operator");
    const other = await spaceOf(stage, stage.room(1));
    expect(content(stage, other, "m.room.name")).toEqual({ name: "Umbrella" });
    await stage.trestle.services.unlink("fake", stage.room(), undefined, "operator");
    await eventually(() => parents(stage!, stage!.room()).length === 0, "it is out of it");
    await eventually(() => Object.keys(child(stage!, space, stage!.room()) as object).length === 0, "on both sides");
    expect(parents(stage, stage.room(1))).toEqual([other]);
  });

  it("is told when it is called otherwise, and gets its picture", async () => {
    const image = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
      "base64",
    );
    pictures = createServer((_, answer) => answer.setHeader("content-type", "image/png").end(image));
    await new Promise<void>((resolve) => pictures?.listen(0, "127.0.0.1", resolve));
    const { port } = pictures.address() as AddressInfo;
    const network = new SpacedNetwork();
    stage = await open(network, { config: { media: { port: 0, allowPrivate: ["127.0.0.1"] } } });
    const space = await spaceOf(stage);
    network.info = { id: "T1", name: "Acme Ltd", picture: { id: "1", url: `http://127.0.0.1:${port}/` } };
    stage.network.port.spacesChanged();
    await eventually(() => content(stage!, space, "m.room.avatar") !== undefined, "the picture arrives");
    expect(content(stage, space, "m.room.avatar")).toEqual({ url: expect.stringMatching(/^mxc:/) as unknown });
    expect(content(stage, space, "m.room.name")).toEqual({ name: "Acme Ltd" });
    expect(content(stage, space, "m.room.topic")).toMatchObject({ topic: "" });
  });

  it("waits for a network that cannot tell yet, and leaves what it does not know where it is", async () => {
    const network = new SpacedNetwork();
    stage = await open(network);
    const space = await spaceOf(stage);
    await eventually(() => stage!.rooms.every((room) => parents(stage!, room).length > 0), "all is in it");
    for (const channel of ["channel0", "channel1"]) network.of.set(channel, new Error("Slack does not answer"));
    await stage.stop();
    await stage.start();
    await stage.trestle.services.link("fake", stage.room(1), "channel9", "operator");
    expect(parents(stage, stage.room())).toEqual([space]);
    network.of.set("channel0", null);
    await eventually(() => parents(stage!, stage!.room()).length === 0, "what is known by now is done");
    expect(parents(stage, stage.room(1))).toEqual([space]);
  });

  it("is made once although the answer to its making is lost, and the process ends", async () => {
    const network = new SpacedNetwork();
    stage = await open(network, { bridge: {} });
    stage.homeserver.faults.drop("after", { route: "/createRoom", times: 1 });
    const refused = stage.homeserver.faults.answer({ status: 503 }, { route: "/joined_rooms" });
    await reconfigure(stage, (bridge) => (bridge["spaces"] = { enabled: true }));
    await eventually(() => refused.applied > 0, "it is looked for");
    await stage.stop();
    stage.homeserver.faults.clear();
    await stage.start();
    const space = await spaceOf(stage);
    expect(await spaces(stage)).toEqual([space]);
  });

  it("holds every room however the homeserver fails meanwhile", async () => {
    stage = await open(new SpacedNetwork(), { bridge: {} });
    for (const route of ["/createRoom", "/state/"]) {
      stage.homeserver.faults.answer({ status: 502, html: true }, { route, probability: 0.3 });
      stage.homeserver.faults.drop("after", { route, probability: 0.3 });
    }
    await reconfigure(stage, (bridge) => (bridge["spaces"] = { enabled: true }));
    const opened = stage;
    const space = await spaceOf(opened);
    const isIn = (room: string): boolean =>
      child(opened, space, room) !== undefined && parents(opened, room)[0] === space;
    await eventually(() => opened.rooms.every(isIn), "all is in it");
    opened.homeserver.faults.clear();
    expect(await spaces(opened)).toEqual([space]);
  });
});
