import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ContentUri, refused, type NetworkHandlers, type PictureEffect } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, Recorder } from "./recorder.js";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);
const bot = "@fakebot:faults.test";

let stage: Stage;
let opened: string[];
afterEach(() => stage.close());

/** `files` are what the connector opens; what is not there cannot be had. */
async function open(files: Readonly<Record<string, Buffer>> = {}, more: Partial<NetworkHandlers> = {}): Promise<void> {
  opened = [];
  const openMedia: NonNullable<NetworkHandlers["openMedia"]> = (reference) => {
    opened.push(reference);
    const file = files[reference];
    return file
      ? Promise.resolve({ stream: Readable.from([file]), size: file.length })
      : Promise.reject(new Error(`no file ${reference}`));
  };
  const { handlers } = new Recorder({ openMedia, ...more });
  stage = await Stage.open({ places: 1, network: { handlers } });
}
const tells = (id: string, url = `remote:${id}`): Promise<void> =>
  stage.network.port.receive(happens({ kind: "channel", picture: { id, url } }));
const avatar = () =>
  stage.homeserver.room(stage.room()).state("m.room.avatar")?.content as Readonly<Record<string, unknown>> | undefined;
/** How often the bridge's bot set it. */
const timesSet = (): number =>
  stage.homeserver
    .room(stage.room())
    .timeline()
    .filter(({ type, sender }) => type === "m.room.avatar" && sender === bot).length;
const said = async (text: string): Promise<void> => {
  await stage.network.say("channel0", "bob", text);
  const arrived = (): boolean =>
    stage.homeserver
      .room(stage.room())
      .messages()
      .some(({ content }) => (content as { readonly body?: unknown }).body === text);
  await eventually(arrived, `“${text}” arrives`);
};

describe("the picture of a channel", () => {
  it("becomes that of its room, fetched once and set only where it is another one, also over a restart", async () => {
    await open({ one: png, two: Buffer.concat([png, png]) });
    await tells("one");
    await eventually(() => avatar()?.["url"] !== undefined, "the room has a picture");
    const first = avatar();
    expect(first).toMatchObject({ info: { mimetype: "image/png", size: png.length, w: 1, h: 1 } });
    expect((await stage.alice.download(String(first?.["url"]))).content).toEqual(png);
    await stage.stop();
    await stage.start();
    await tells("one");
    await said("behind the same one");
    expect([opened, timesSet(), avatar()]).toEqual([["one"], 1, first]);
    await tells("two");
    await tells("one");
    await said("behind both");
    expect([opened, timesSet(), avatar()]).toEqual([["one", "two"], 3, first]);
    await tells("", "");
    await said("behind none");
    expect([timesSet(), avatar()]).toEqual([4, {}]);
  });

  it("that cannot be had, or is none, holds up nothing for long, and is kept for the operator to see", async () => {
    await open({ page: Buffer.from("<p>Sign in</p>") });
    await tells("gone");
    await tells("page");
    await said("behind them");
    expect([avatar(), opened]).toEqual([undefined, ["gone", "gone", "gone", "page"]]);
    const reasons = (await stage.trestle.services.queue.list({ state: "dead" })).map(({ error }) => error);
    expect(reasons).toEqual([expect.stringContaining("no file gone"), expect.stringContaining("it is no image")]);
  });
});

describe("the picture of a room", () => {
  it("is told to the network in order, and one that came from there is not", async () => {
    const told: (string | undefined)[] = [];
    const picture = (effect: PictureEffect): Promise<undefined> => {
      told.push(effect.picture);
      return Promise.resolve(undefined);
    };
    await open({ one: png }, { picture, topic: ({ topic }) => Promise.resolve(void told.push(topic)) });
    const { alice } = stage;
    const room = () => stage.room();
    const [first, second] = [ContentUri("mxc://faults.test/first"), ContentUri("mxc://faults.test/second")];
    await alice.setState(room(), "m.room.avatar", { url: first });
    await alice.setTopic(room(), "between");
    await alice.setState(room(), "m.room.avatar", { url: second });
    await alice.setState(room(), "m.room.avatar", {});
    await tells("one");
    await eventually(() => timesSet() === 1, "the picture of the network is there");
    await alice.setState(room(), "m.room.avatar", { url: "https://elsewhere.test/picture.png" });
    await alice.setTopic(room(), "the end");
    await eventually(() => told.includes("the end"), "all of it was told");
    expect(told).toEqual([first, "between", second, undefined, "the end"]);
  });

  it("is not carried, with a word to who set it, where the network refuses it", async () => {
    await open({}, { picture: () => Promise.resolve(refused("Only owners may.")) });
    await stage.alice.setState(stage.room(), "m.room.avatar", { url: "mxc://faults.test/first" });
    const notices = () => stage.homeserver.room(stage.room()).messages();
    await eventually(() => notices().length > 0, "the room is told");
    expect(JSON.stringify(notices()[0]?.content)).toContain("Only owners may.");
  });
});
