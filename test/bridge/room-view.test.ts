import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RoomAlias, RoomId, type ChannelInfo } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder } from "./recorder.js";

let stage: Stage;
afterEach(() => stage.close());

const bot = "@fakebot:faults.test";
const ghost = "@fake_bob:faults.test";

const isIn = (room: string, user: string): boolean => {
  const content = stage.homeserver.room(room).state("m.room.member", user)?.content as
    { membership?: unknown } | undefined;
  return content?.membership === "join";
};

describe("a room that a connector looks at", () => {
  it("tells what it is, who is in it, and what they may do", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const room = stage.room();
    const { port } = stage.network;
    await port.receive(happens({ kind: "membership", change: "join", user: person("bob"), intoRoom: true }));
    await eventually(() => isIn(room, ghost), "bob's ghost");
    const dora = stage.homeserver.createClient("dora");
    await stage.alice.invite(room, dora.userId);
    await dora.join(room);
    await dora.setDisplayName("Dora");
    await stage.alice.setName(room, "Parrots");
    await stage.alice.setTopic(room, "All about them");
    await stage.alice.setPower(room, ghost, 50);
    const view = await port.lookAtRoom(RoomId(room));
    expect(view).toMatchObject({ room, name: "Parrots", topic: "All about them", joinRule: "invite" });
    expect(view.isEncrypted).toBe(false);
    expect(view.members.map(({ userId, name, power }) => [userId, name, power])).toEqual([
      [stage.alice.userId, "alice", 100],
      [dora.userId, "Dora", 0],
    ]);
    expect(view.people).toEqual([{ id: "bob", membership: "join", power: 50 }]);
    expect(view.power).toMatchObject({ usual: 0, speak: 0, kick: 50, redact: 50, setTopic: 50, invite: 0 });
    await stage.alice.ban(room, ghost);
    await eventually(() => recorder.calls.includes("ban bob"), "the bridge knows of the ban");
    const after = await port.lookAtRoom(RoomId(room));
    expect(after.people).toEqual([{ id: "bob", membership: "ban", power: 50 }]);
  });

  it("is no empty room where it cannot be read", async () => {
    stage = await Stage.open({ places: 1 });
    const hidden = await stage.alice.createRoom({});
    await expect(stage.network.port.lookAtRoom(RoomId(hidden))).rejects.toThrow(/cannot be read/);
  });
});

describe("somebody who comes for a room itself", () => {
  it("joins it also where those who say nothing are not shown", async () => {
    stage = await Stage.open({ places: 1, bridge: { membership: "lazy" } });
    const { port } = stage.network;
    await port.receive(happens({ kind: "membership", change: "join", user: person("ann") }));
    await port.receive(happens({ kind: "membership", change: "join", user: person("bob"), intoRoom: true }));
    await eventually(() => isIn(stage.room(), ghost), "bob's ghost");
    expect(isIn(stage.room(), "@fake_ann:faults.test")).toBe(false);
  });
});

describe("a channel that is made out of the room", () => {
  it("is found with the room that is to be linked", async () => {
    const asked: unknown[] = [];
    const resolveChannel = (text: string, room?: RoomId): Promise<ChannelInfo> => {
      asked.push([text, room]);
      return Promise.resolve({ id: ChannelId(`${text} of ${room ?? "nothing"}`), name: text });
    };
    stage = await Stage.open({ places: 1, network: { handlers: new Recorder({ resolveChannel }).handlers } });
    const [link] = await stage.network.port.links();
    expect(link?.channel).toBe(`channel0 of ${stage.room()}`);
    expect(asked).toEqual([["channel0", stage.room()]]);
  });
});

describe("a room that somebody on the network came for", () => {
  const channel = () => ({ id: ChannelId("made"), name: "Made" });
  const open = (room: string) =>
    stage.network.port.openRoom({ room: room.startsWith("#") ? RoomAlias(room) : RoomId(room), channel, by: "bob" });

  it("is joined and linked where everybody may join and read it", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 0, network: { handlers: recorder.handlers } });
    const room = await stage.alice.createRoom({ preset: "public_chat", room_alias_name: "parrots" });
    expect(await open("#parrots:faults.test")).toEqual({ channel: "made", room, kind: "plumbed" });
    expect(recorder.linked).toEqual(["made"]);
    expect(isIn(room, bot)).toBe(true);
    // Two come at once, or once more.
    expect(await open(room)).toEqual({ channel: "made", room, kind: "plumbed" });
  });

  it("is left alone where it is not for all, not readable for all, encrypted, or not there", async () => {
    stage = await Stage.open({ places: 0 });
    const secret = await stage.alice.createRoom({});
    const unread = await stage.alice.createRoom({
      preset: "public_chat",
      initial_state: [{ type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } }],
    });
    const encrypted = await stage.alice.createRoom({
      preset: "public_chat",
      initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
    });
    for (const room of [secret, unread, encrypted, "#nowhere:faults.test"]) expect(await open(room)).toBeUndefined();
    for (const room of [secret, unread, encrypted]) expect(isIn(room, bot)).toBe(false);
    expect(await stage.network.port.links()).toEqual([]);
  });
});
