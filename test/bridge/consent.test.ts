import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RoomId, type ConsentRequest } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, Recorder } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const requests: ConsentRequest[] = [];
async function open(answer: "given" | "asked", permission = "user"): Promise<Stage> {
  requests.length = 0;
  const { handlers } = new Recorder({
    consent: (request) => {
      requests.push(request);
      return Promise.resolve(answer);
    },
  });
  stage = await Stage.open({
    places: 1,
    network: { handlers },
    bridge: { links: [] },
    config: { permissions: { "faults.test": permission } },
  });
  return stage;
}

const links = async (opened: Stage): Promise<string[]> =>
  (await opened.network.port.links()).map(({ channel, room }) => `${channel} ${room}`);
const said = (opened: Stage): string[] =>
  opened.homeserver
    .room(opened.room())
    .messages()
    .map(({ content }) => String((content as { body?: unknown }).body));

async function link(opened: Stage, answered: RegExp): Promise<void> {
  const bot = "@fakebot:faults.test";
  const member = () =>
    opened.homeserver.room(opened.room()).state("m.room.member", bot)?.content as { membership: string };
  await eventually(() => member().membership === "join", "the bot is there");
  await opened.alice.sendText(opened.room(), "!fake link hall");
  await eventually(() => said(opened).some((line) => answered.test(line)), "the answer");
}
const answer = (opened: Stage, agreed: boolean, room = opened.room()) =>
  opened.network.port.consented({ channel: ChannelId("hall"), room: RoomId(room), agreed, by: "carol" });

describe("a channel whose people are asked", () => {
  it("is linked when they agree, once, and only to the room that was asked for", async () => {
    const opened = await open("asked");
    await link(opened, /are asked whether they want that/);
    expect(await links(opened)).toEqual([]);
    expect(requests).toMatchObject([{ channel: "hall", room: opened.room(), by: "@alice:faults.test" }]);
    expect(await answer(opened, true, "!another:faults.test")).toBe(false);
    expect(await answer(opened, true)).toBe(true);
    await eventually(() => said(opened).includes("carol agrees: this room is now linked to hall."), "it is told");
    expect(await links(opened)).toEqual([`hall ${opened.room()}`]);
    expect(await answer(opened, true)).toBe(false);
  });

  it("is not linked when they refuse, nor by who may no longer link the room", async () => {
    const opened = await open("asked");
    await link(opened, /are asked whether they want that/);
    expect(await answer(opened, false)).toBe(true);
    await eventually(() => said(opened).includes("carol does not want this room to be linked to hall."), "it is told");
    expect(await answer(opened, true)).toBe(false);
    expect(await links(opened)).toEqual([]);
  });

  it("is linked at once where they need not be asked: the network says so, or an admin of the bridge wants it", async () => {
    const given = await open("given");
    await link(given, /now linked to hall/);
    expect(requests).toHaveLength(1);
    await given.close();
    const admin = await open("asked", "admin");
    await link(admin, /now linked to hall/);
    expect(requests).toEqual([]);
  });
});
