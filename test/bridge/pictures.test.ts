import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { RemoteMessageId, type ContentUri } from "@trestle/core";
import type { Inline } from "@trestle/rich-text";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder } from "./recorder.js";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

let stage: Stage | undefined;
let pictures: Server;
let fetched: string[];
let url: string;
beforeEach(async () => {
  fetched = [];
  pictures = createServer((request, answer) => {
    fetched.push(request.url ?? "");
    if (request.url === "/page") answer.setHeader("content-type", "text/html").end("<p>Sign in</p>");
    else if (request.url === "/large") answer.end(Buffer.concat([png, Buffer.alloc(2 * 1024 * 1024)]));
    else answer.setHeader("content-type", "image/png").end(png);
  });
  await new Promise<void>((resolve) => pictures.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(pictures.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await stage?.close();
  stage = undefined;
  await new Promise((resolve) => pictures.close(resolve));
});

function open(recorder = new Recorder(), allowPrivate: readonly string[] = ["127.0.0.1"]): Promise<Stage> {
  return Stage.open({
    places: 1,
    network: { handlers: recorder.handlers },
    config: { media: { port: 0, allowPrivate } },
  });
}

async function parrot(opened: Stage): Promise<ContentUri> {
  const uri = await opened.network.port.picture({ id: "parrot 1", url: `${url}/parrot`, name: "parrot" });
  if (uri === undefined) throw new Error("the picture was not taken over");
  return uri;
}

describe("a picture of the network", () => {
  it("is brought to the homeserver once, also over a restart", async () => {
    stage = await open();
    const uris = await Promise.all([parrot(stage), parrot(stage), parrot(stage)]);
    expect(new Set(uris).size).toBe(1);
    expect((await stage.alice.download(uris[0])).content).toEqual(png);
    await stage.stop();
    await stage.start();
    expect(await parrot(stage)).toBe(uris[0]);
    expect(fetched).toEqual(["/parrot"]);
    await stage.network.port.picture({ id: "parrot 2", url: `${url}/parrot` });
    expect(fetched).toHaveLength(2);
  });

  it("is none where it is no picture, too large, or at a private address; and is not asked for again at once", async () => {
    stage = await open();
    for (const path of ["page", "large", "page", "large"])
      expect(await stage.network.port.picture({ id: path, url: `${url}/${path}` })).toBeUndefined();
    expect(fetched).toEqual(["/page", "/large"]);
    await stage.close();
    stage = await open(new Recorder(), []);
    expect(await stage.network.port.picture({ id: "parrot 1", url: `${url}/parrot` })).toBeUndefined();
    expect(fetched).toHaveLength(2);
  });

  it("stands in a text", async () => {
    stage = await open();
    const children: Inline[] = [
      { type: "text", text: "look " },
      { type: "emoji", name: "parrot", url: await parrot(stage) },
    ];
    const content = { type: "text", style: "text", body: { blocks: [{ type: "paragraph", children }] } } as const;
    await stage.network.port.receive(happens({ kind: "message", sender: person("bob"), content }));
    const messages = () => stage!.homeserver.room(stage!.room()).messages();
    await eventually(() => messages().length === 1, "it arrives");
    expect(messages()[0]?.content).toMatchObject({
      body: "look :parrot:",
      formatted_body: expect.stringContaining(`<img data-mx-emoticon src="${await parrot(stage)}"`) as unknown,
    });
  });

  it("is what somebody reacted with, both ways", async () => {
    const recorder = new Recorder();
    stage = await open(recorder);
    const opened = stage;
    const picture = await parrot(opened);
    const room = opened.homeserver.room(opened.room());
    await opened.network.say("channel0", "bob", "hello", "m1");
    await eventually(() => room.messages().length === 1, "it arrives");
    const said = { sender: person("bob"), target: RemoteMessageId("m1"), key: ":parrot:" };
    await opened.network.port.receive(happens({ kind: "reaction", ...said, picture }));
    await eventually(() => room.messages("m.reaction").length === 1, "the reaction arrives");
    expect(room.messages("m.reaction")[0]?.content).toMatchObject({
      "m.relates_to": { rel_type: "m.annotation", key: picture },
      shortcode: ":parrot:",
    });

    // A client that repeats it says nothing but its key.
    const event = room.messages()[0]?.["event_id"] as string;
    const mine = await opened.alice.react(opened.room(), event, picture);
    await eventually(() => recorder.calls.length === 1, "it is told");
    await opened.alice.redact(opened.room(), mine);
    await eventually(() => recorder.calls.length === 2, "it is taken back");
    const relation = { rel_type: "m.annotation", event_id: event };
    for (const [key, more] of [
      ["mxc://elsewhere.test/1", { shortcode: "wave" }],
      ["mxc://elsewhere.test/2", { "com.beeper.reaction.shortcode": ":nod:" }],
      ["mxc://elsewhere.test/3", {}],
    ] as const)
      await opened.alice.send(opened.room(), "m.reaction", { "m.relates_to": { ...relation, key }, ...more });
    await eventually(() => recorder.calls.length === 5, "all are told");
    expect(recorder.calls).toEqual([
      "react :parrot:",
      "unreact :parrot:",
      "react :wave:",
      "react :nod:",
      "react mxc://elsewhere.test/3",
    ]);

    await opened.network.port.receive(happens({ kind: "reactionRemoved", ...said }));
    const isGone = (): boolean => Object.keys(room.messages("m.reaction")[0]?.["content"] as object).length === 0;
    await eventually(isGone, "the reaction of the network is taken back");
  });
});
